// The log-sum-exp of a linear layer over the vocabulary, z = hidden · weightᵀ + bias, in tiles of tokens x vocabulary:
// no [N, V] matrix exists, forward or backward. A vocabulary tile belongs to one task.
#pragma once
#include "matmul.h"
#include "rows.h"

SOFTBOX_BEGIN

constexpr int64_t vocabularyChunks = 8;          // partial sums of dHidden
constexpr int64_t forwardPanels = 4;             // of tokens: their logits stay in the first cache
constexpr int64_t tokenBlockFloats = 1 << 19;    // of dHidden a chunk

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

// Calls body(firstToken, tokens, z) for groups of `group` row panels; z is [tokens, ld].
template <class F, class Body>
static void eachLogitTile(const Vocabulary& v, const Left<F>& tokens, int64_t group, int64_t from, int64_t columns,
                          int64_t ld, const Body& body) {
  float* packed = scratch(slotPackB, packedRightSize<F>(columns, v.embed));
  float* z = scratch(slotTile, group * tileRows<F> * ld);
  const Right<F> right = packRight<F>(v.weight + from * v.embed, v.embed, true, columns, v.embed, packed);
  for (int64_t p = 0; p < tokens.count(); p += group) {
    const int64_t last = least(tokens.count(), p + group), start = tokens.start(p);
    const Output out{z - start * ld, ld, false, v.bias ? v.bias + from : nullptr};
    multiplyPanels(tokens, right, out, p, last, 0, right.count());
    body(start, tokens.start(last) - start, z);
  }
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

// Combines the tiles' maxima and sums for tokens [begin, end), in the order of the tiles.
static void combineTiles(const Vocabulary& v, const float* tops, const float* sums, int64_t tiles, int64_t begin,
                         int64_t end) {
  for (int64_t n = begin; n < end; n += W) {
    const int64_t lanes = least(W, end - n);
    vec top = all(-__builtin_inff()), sum = {};
    for (int64_t t = 0; t < tiles; t++) top = larger(loadPart(tops + t * v.tokens + n, lanes), top);
    for (int64_t t = 0; t < tiles; t++)
      sum += loadPart(sums + t * v.tokens + n, lanes) * expOfNegative(loadPart(tops + t * v.tokens + n, lanes) - top);
    storePart(v.logSumExp + n, top + logOf(sum), lanes);
  }
}

// ---- small vocabularies: all logits fit the second cache, and tokens are what there is to share out

constexpr int64_t smallLogits = 1 << 18;  // floats

static bool isSmall(const Vocabulary& v) { return v.vocab <= 512 && v.tokens * v.vocab <= smallLogits; }

static float* allLogits(const Vocabulary& v) {
  float* z = scratch(slotPartial, v.tokens * v.vocab);
  matmul({v.hidden, v.weight, z, v.tokens, v.vocab, v.embed, v.embed, v.embed, v.vocab, false, true, false, v.bias, activationNone, v.rounded});
  return z;
}

static void smallLogSumExp(const Vocabulary& v) {
  const float* z = allLogits(v);
  eachRow(v.tokens, v.vocab, [&](int64_t n) {
    const float* row = z + n * v.vocab;
    const float top = rowMax(row, v.vocab);
    v.logSumExp[n] = top + __builtin_logf(rowExpSum(row, v.vocab, top));
    v.targetLogit[n] = row[v.targets[n]];
  });
}

template <class F>
static void tiledLogSumExp(const Vocabulary& v) {
  const int64_t tile = vocabularyTile(v.embed), tiles = ceilDiv(v.vocab, tile);
  const Left<F> tokens = packTokens<F>(v, 0, v.tokens);
  float* tops = scratch(slotPartial, 2 * tiles * v.tokens);
  float* sums = tops + tiles * v.tokens;
  parallel(tiles, [&](int64_t t) {
    const int64_t from = t * tile, columns = least(tile, v.vocab - from);
    eachLogitTile(v, tokens, forwardPanels, from, columns, tile + W, [&](int64_t first, int64_t count, const float* z) {
      for (int64_t i = 0; i < count; i++) {
        const float* row = z + i * (tile + W);
        const int64_t n = first + i, target = v.targets[n] - from;
        const float top = rowLargest(row, columns);
        tops[t * v.tokens + n] = top;
        sums[t * v.tokens + n] = rowExpSum(row, columns, top);
        if (target >= 0 && target < columns) v.targetLogit[n] = row[target];
      }
    });
  });
  parallelRanges(v.tokens, 256, [&](int64_t begin, int64_t end) { combineTiles(v, tops, sums, tiles, begin, end); });
}

static void linearLogSumExp(const Vocabulary& v) {
  if (isSmall(v)) return smallLogSumExp(v);
  v.rounded ? tiledLogSumExp<Rounded>(v) : tiledLogSumExp<Exact>(v);
}

SOFTBOX_END
