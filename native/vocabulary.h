// The log-sum-exp of a linear layer over the vocabulary, z = hidden · weightᵀ + bias, in tiles of tokens x vocabulary:
// no [N, V] matrix exists, forward or backward. A vocabulary tile belongs to one task. Beside the plain log-sum-exp stand
// the forms of kernels.h, which change scores a row at a time while they are in the first cache.
#pragma once
#include "matmul.h"
#include "rows.h"

SOFTBOX_BEGIN

constexpr int64_t vocabularyChunks = 8;          // partial sums of dHidden
constexpr int64_t forwardPanels = 4;             // of tokens: their logits stay in the first cache
constexpr int64_t tokenBlockFloats = 3 << 15;    // of a block of tokens: of dHidden a chunk

// Columns of one tile: its weights take about 128 KB.
static int64_t vocabularyTile(int64_t embed) {
  return most(64, least(512, (1 << 15) / most(1, embed) / tileColumns * tileColumns));
}
// Row panels of tokens that meet a tile at once.
template <class F>
static int64_t tokenPanels(int64_t embed) {
  return (embed <= 256 ? 112 : 56) * F::numbers / tileRows<F>;
}

// Packs tokens [begin, end) of hidden, in parallel.
template <class F>
static Left<F> packTokens(const Vocabulary& v, int64_t begin, int64_t end) {
  Left<F> left = leftAtPanels<F>(nullptr, end - begin, v.embed, false);
  left.data = scratch(slotPackA, left.packedSize());
  parallelRanges(left.count(), 8, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; p++) packLeft(left, p, v.hidden + begin * v.embed, v.embed, false, v.embed);
  });
  return left;
}

// Calls body(firstToken, tokens, z) for groups of `group` row panels; z is [tokens, ld], in `kept` [all tokens, ld] if that is
// given.
template <class F, class Body>
static void eachLogitTile(const Vocabulary& v, const Left<F>& tokens, int64_t group, int64_t from, int64_t columns,
                          int64_t ld, float* kept, const Body& body) {
  float* packed = scratch(slotPackB, packedRightSize<F>(columns, v.embed));
  float* own = kept ? nullptr : scratch(slotTile, group * tileRows<F> * ld);
  const Right<F> right = packRight<F>(v.weight + from * v.embed, v.embed, true, columns, v.embed, packed);
  for (int64_t p = 0; p < tokens.count(); p += group) {
    const int64_t last = least(tokens.count(), p + group), start = tokens.start(p);
    float* z = kept ? kept + start * ld : own;
    const Output out{z - start * ld, ld, false, v.bias ? v.bias + from : nullptr};
    multiplyPanels(tokens, right, out, p, last, 0, right.count());
    body(start, tokens.start(last) - start, z);
  }
}

// ---- what becomes of a score (kernels.h: ScoreForm)

FORCE_INLINE vec cappedOf(vec z, float cap) { return cap > 0 ? all(cap) * tanhOf(z / all(cap)) : z; }

FORCE_INLINE vec formedOf(int form, vec y) { return form == formSigsoftmax ? y - softplusOf(-y) : y; }

// Scores to what the target and the log-sum-exp are made of, in place.
static void formRow(const Vocabulary& v, float* z, int64_t n) {
  if (v.form != formSigsoftmax && v.softcap <= 0) return;
  const auto formed = [&](vec x) { return formedOf(v.form, cappedOf(x, v.softcap)); };
  int64_t i = 0;
  for (; i + W <= n; i += W) store(z + i, formed(load(z + i)));
  if (i < n) storePart(z + i, formed(loadPart(z + i, n - i)), n - i);
}

// ---- forward

// The largest of a row; a NaN in it comes to light in the sum of exponentials.
FORCE_INLINE float rowLargest(const float* x, int64_t n) {
  vec top = all(-__builtin_inff());
  int64_t i = 0;
  for (; i + W <= n; i += W) top = larger(load(x + i), top);
  if (i < n) top = larger(loadPart(x + i, n - i, -__builtin_inff()), top);
  return maxLanes(top);
}

static float rowSoftplusSum(const float* x, int64_t n) {
  vec sum = {};
  int64_t i = 0;
  for (; i + W <= n; i += W) sum += softplusOf(load(x + i));
  if (i < n) sum += softplusOf(loadPart(x + i, n - i, -__builtin_inff()));
  return sumLanes(sum);
}

// A row of scores of one tile: the largest, the sum of e^(x - largest) or of softplus(x), and the plain sum if it is wanted.
struct RowSums {
  float top, sum, plain;
};

static RowSums reduceScores(const Vocabulary& v, float* z, int64_t n) {
  formRow(v, z, n);
  const float plain = v.mean ? rowSum(z, n) : 0.0f;
  if (v.form == formSigmoid) return {0, rowSoftplusSum(z, n), plain};
  const float top = rowLargest(z, n);
  return {top, rowExpSum(z, n, top), plain};
}

// ---- small vocabularies: all logits fit the second cache, and tokens are what there is to share out

constexpr int64_t smallLogits = 1 << 18;  // floats

static bool isSmall(const Vocabulary& v) { return v.vocab <= 512 && v.tokens * v.vocab <= smallLogits; }

static float* allLogits(const Vocabulary& v) {
  float* z = scratch(slotPartial, v.tokens * v.vocab);
  matmul({v.hidden, v.weight, z, v.tokens, v.vocab, v.embed, v.embed, v.embed, v.vocab, false, true, false, v.bias, activationNone, v.rounded});
  return z;
}

// Gives the scores, in their form.
static float* smallLogSumExp(const Vocabulary& v) {
  float* z = allLogits(v);
  eachRow(v.tokens, v.vocab, [&](int64_t n) {
    float* row = z + n * v.vocab;
    const RowSums sums = reduceScores(v, row, v.vocab);
    v.logSumExp[n] = v.form == formSigmoid ? sums.sum : sums.top + __builtin_logf(sums.sum);
    v.targetLogit[n] = row[v.targets[n]];
    if (v.mean) v.mean[n] = sums.plain / static_cast<float>(v.vocab);
  });
  return z;
}

// ---- large ones: tile by tile, for a block of tokens at a time

// Tokens whose partial sums are kept at once. A tile's weights are packed once a block.
static int64_t tokenBlock(const Vocabulary& v) {
  return least(v.tokens, most(256, tokenBlockFloats / most(1, v.embed)));
}

// Of every tile and token of a block.
struct TileSums {
  int64_t tiles, tokens;
  float *top, *sum, *plain;  // [tiles, tokens]; plain or null
};

// Combines the tiles of tokens [begin, end) of a block that starts at `block`, in the order of the tiles.
static void combineTiles(const Vocabulary& v, const TileSums& s, int64_t block, int64_t begin, int64_t end) {
  for (int64_t n = begin; n < end; n += W) {
    const int64_t lanes = least(W, end - n);
    const auto at = [&](const float* x, int64_t t) { return loadPart(x + t * s.tokens + n, lanes); };
    vec top = all(-__builtin_inff()), sum = {}, plain = {};
    for (int64_t t = 0; t < s.tiles; t++) top = larger(at(s.top, t), top);
    for (int64_t t = 0; t < s.tiles; t++) sum += at(s.sum, t) * expOfNegative(at(s.top, t) - top);
    storePart(v.logSumExp + block + n, v.form == formSigmoid ? sum : top + logOf(sum), lanes);
    if (!v.mean) continue;
    for (int64_t t = 0; t < s.tiles; t++) plain += at(s.plain, t);
    storePart(v.mean + block + n, plain / all(static_cast<float>(v.vocab)), lanes);
  }
}

// How the vocabulary is cut: into `count` tiles of `columns`, whose rows of scores lie `ld` apart.
struct Tiles {
  int64_t columns, count, ld;
  explicit Tiles(const Vocabulary& v)
      : columns(vocabularyTile(v.embed)), count(ceilDiv(v.vocab, columns)), ld(columns + W) {}
  int64_t floats(int64_t rows) const { return count * rows * ld; }  // of all scores of so many tokens
};

// Tokens [block, block + count). Their scores stay in `kept`, tile by tile, where that is given.
template <class F>
static void blockLogSumExp(const Vocabulary& v, const Tiles& tiles, const Left<F>& tokens, int64_t block, int64_t count,
                           float* kept) {
  float* partial = scratch(slotPartial, (v.mean ? 3 : 2) * tiles.count * count);
  const int64_t all = tiles.count * count;
  const TileSums sums{tiles.count, count, partial, partial + all, v.mean ? partial + 2 * all : nullptr};
  parallel(tiles.count, [&](int64_t t) {
    const int64_t from = t * tiles.columns, columns = least(tiles.columns, v.vocab - from), ld = tiles.ld;
    float* to = kept ? kept + t * count * ld : nullptr;
    eachLogitTile(v, tokens, forwardPanels, from, columns, ld, to, [&](int64_t first, int64_t many, float* z) {
      for (int64_t i = 0; i < many; i++) {
        float* row = z + i * ld;
        const int64_t n = first + i, at = t * count + n, target = v.targets[block + n] - from;
        const RowSums r = reduceScores(v, row, columns);
        sums.top[at] = r.top;
        sums.sum[at] = r.sum;
        if (v.mean) sums.plain[at] = r.plain;
        if (target >= 0 && target < columns) v.targetLogit[block + n] = row[target];
      }
    });
  });
  parallelRanges(count, 256, [&](int64_t begin, int64_t end) { combineTiles(v, sums, block, begin, end); });
}

template <class F>
static void tiledLogSumExp(const Vocabulary& v) {
  const Tiles tiles(v);
  const int64_t rows = tokenBlock(v);
  for (int64_t block = 0; block < v.tokens; block += rows) {
    const int64_t count = least(rows, v.tokens - block);
    blockLogSumExp<F>(v, tiles, packTokens<F>(v, block, block + count), block, count, nullptr);
  }
}

static void linearLogSumExp(const Vocabulary& v) {
  if (isSmall(v)) return static_cast<void>(smallLogSumExp(v));
  v.rounded ? tiledLogSumExp<Rounded>(v) : tiledLogSumExp<Exact>(v);
}

SOFTBOX_END
