// The log-sum-exp of a linear layer over the vocabulary, z = hidden · weightᵀ + bias, in tiles of tokens x vocabulary:
// no [N, V] matrix exists, forward or backward. A vocabulary tile belongs to one task.
#pragma once
#include "matmul.h"
#include "rows.h"

SOFTBOX_BEGIN

constexpr int64_t vocabularyChunks = 16;         // partial sums of dHidden
constexpr int64_t tokenBlockFloats = 1 << 19;    // of dHidden a chunk

// Columns of one tile: its weights take about 128 KB.
static int64_t vocabularyTile(int64_t embed) {
  return most(64, least(512, (1 << 15) / most(1, embed) / tileColumns * tileColumns));
}
static int64_t tokenPanels(int64_t embed) { return embed <= 256 ? 8 : 4; }

// Packs tokens [begin, end) of hidden, in parallel.
static Left packTokens(const Vocabulary& v, int64_t begin, int64_t end) {
  Left left{nullptr, end - begin, v.embed, 0, Left::packed};
  float* to = scratch(slotPackA, left.packedSize());
  left.data = to;
  const float* from = v.hidden + begin * v.embed;
  parallelRanges(left.panels(), 8, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; p++) {
      const int64_t start = left.panelStart(p);
      packLeftPanel(from + start * v.embed, v.embed, false, left.panelStart(p + 1) - start, v.embed,
                    to + left.packedStart(p));
    }
  });
  return left;
}

// Calls body(firstToken, tokens, z) for groups of row panels; z is [tokens, ld].
template <class F>
static void eachLogitTile(const Vocabulary& v, const Left& tokens, int64_t from, int64_t columns, int64_t ld,
                          const F& body) {
  const int64_t group = tokenPanels(v.embed);
  float* packed = scratch(slotPackB, packedRightSize(columns, v.embed));
  float* z = scratch(slotTile, group * tileRows * ld);
  packRight(v.weight + from * v.embed, v.embed, true, columns, v.embed, packed);
  const Right right{packed, columns, v.embed, 0, true, nullptr};
  for (int64_t p = 0; p < tokens.panels(); p += group) {
    const int64_t last = least(tokens.panels(), p + group), start = tokens.panelStart(p);
    const Output out{z - start * ld, ld, false, v.bias ? v.bias + from : nullptr, 0};
    multiplyPanels(tokens, right, out, p, last, 0, right.panels());
    body(start, tokens.panelStart(last) - start, z);
  }
}

// ---- forward

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
  matmul({v.hidden, v.weight, z, v.tokens, v.vocab, v.embed, v.embed, v.embed, v.vocab, false, true, false, v.bias, 0});
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

static void logitGradRow(const Vocabulary& v, int64_t n, int64_t from, int64_t columns, float* z);

static void smallLogSumExpGrad(const Vocabulary& v) {
  float* dz = allLogits(v);
  eachRow(v.tokens, v.vocab, [&](int64_t n) { logitGradRow(v, n, 0, v.vocab, dz + n * v.vocab); });
  const int64_t N = v.tokens, V = v.vocab, E = v.embed;
  matmul({dz, v.hidden, v.dWeight, V, E, N, V, E, E, true, false, false, nullptr, 0});
  matmul({dz, v.weight, v.dHidden, N, E, V, V, E, E, false, false, false, nullptr, 0});
  if (!v.dBias) return;
  memset(v.dBias, 0, V * sizeof(float));
  addColumns(dz, v.dBias, 0, N, V);
}

static void linearLogSumExp(const Vocabulary& v) {
  if (isSmall(v)) return smallLogSumExp(v);
  const int64_t tile = vocabularyTile(v.embed), tiles = ceilDiv(v.vocab, tile);
  const Left tokens = packTokens(v, 0, v.tokens);
  float* tops = scratch(slotPartial, 2 * tiles * v.tokens);
  float* sums = tops + tiles * v.tokens;
  parallel(tiles, [&](int64_t t) {
    const int64_t from = t * tile, columns = least(tile, v.vocab - from);
    eachLogitTile(v, tokens, from, columns, tile + W, [&](int64_t first, int64_t count, const float* z) {
      for (int64_t i = 0; i < count; i++) {
        const float* row = z + i * (tile + W);
        const int64_t n = first + i, target = v.targets[n] - from;
        const float top = rowMax(row, columns);
        tops[t * v.tokens + n] = top;
        sums[t * v.tokens + n] = rowExpSum(row, columns, top);
        if (target >= 0 && target < columns) v.targetLogit[n] = row[target];
      }
    });
  });
  parallelRanges(v.tokens, 256, [&](int64_t begin, int64_t end) { combineTiles(v, tops, sums, tiles, begin, end); });
}

// ---- backward

// z becomes dz = dLogSumExp · e^(z - logSumExp) + dTarget · [v = target].
static void logitGradRow(const Vocabulary& v, int64_t n, int64_t from, int64_t columns, float* z) {
  const float slope = v.dLogSumExp[n], shift = v.logSumExp[n];
  if (slope == 0) {
    memset(z, 0, columns * sizeof(float));
  } else {
    int64_t j = 0;
    for (; j + W <= columns; j += W) store(z + j, all(slope) * expOfNegative(load(z + j) - all(shift)));
    if (j < columns)
      storePart(z + j, all(slope) * expOfNegative(loadPart(z + j, columns - j) - all(shift)), columns - j);
  }
  const int64_t target = v.targets[n] - from;
  if (target >= 0 && target < columns) z[target] += v.dTarget[n];
}

// One vocabulary tile: its dWeight and dBias over the tokens of the block, and what it adds to dHidden.
static void vocabularyTileGrad(const Vocabulary& v, const Left& tokens, int64_t block, int64_t from, int64_t columns,
                               int64_t ld, float* dHidden) {
  const int64_t rows = tokenPanels(v.embed) * tileRows;
  float* hiddenTail = scratch(slotTail, tileColumns * (rows + columns));
  float* weightTail = hiddenTail + tileColumns * rows;
  const Right weight = rightInPlace(v.weight + from * v.embed, v.embed, v.embed, columns, weightTail);
  if (v.dBias && block == 0) memset(v.dBias + from, 0, columns * sizeof(float));
  eachLogitTile(v, tokens, from, columns, ld, [&](int64_t first, int64_t count, float* z) {
    for (int64_t i = 0; i < count; i++) {
      logitGradRow(v, block + first + i, from, columns, z + i * ld);
      if (v.dBias) addColumns(z + i * ld, v.dBias + from, 0, 1, columns);
    }
    const Left dzT{z, columns, count, ld, Left::depthMajor};
    const Left dz{z, count, columns, ld, Left::rowMajor};
    const float* hidden = v.hidden + (block + first) * v.embed;
    multiply(dzT, rightInPlace(hidden, v.embed, v.embed, count, hiddenTail),
             {v.dWeight + from * v.embed, v.embed, block + first > 0, nullptr, 0});
    multiply(dz, weight, {dHidden + first * v.embed, v.embed, true, nullptr, 0});
  });
}

static void linearLogSumExpGrad(const Vocabulary& v) {
  if (isSmall(v)) return smallLogSumExpGrad(v);
  const int64_t tile = vocabularyTile(v.embed), tiles = ceilDiv(v.vocab, tile), ld = tile + W;
  const int64_t chunks = least(tiles, vocabularyChunks);
  const int64_t blockRows = least(v.tokens, most(64, tokenBlockFloats / most(1, v.embed)));
  float* partial = scratch(slotPartial, chunks * blockRows * v.embed);
  for (int64_t block = 0; block < v.tokens; block += blockRows) {
    const int64_t rows = least(blockRows, v.tokens - block), floats = rows * v.embed;
    const Left tokens = packTokens(v, block, block + rows);
    parallel(chunks, [&](int64_t chunk) {
      float* dHidden = partial + chunk * floats;
      memset(dHidden, 0, floats * sizeof(float));
      for (int64_t t = tiles * chunk / chunks; t < tiles * (chunk + 1) / chunks; t++)
        vocabularyTileGrad(v, tokens, block, t * tile, least(tile, v.vocab - t * tile), ld, dHidden);
    });
    parallelRanges(floats, 1 << 13, [&](int64_t begin, int64_t end) {
      float* to = v.dHidden + block * v.embed + begin;
      memcpy(to, partial + begin, (end - begin) * sizeof(float));
      for (int64_t chunk = 1; chunk < chunks; chunk++)
        addColumns(partial + chunk * floats + begin, to, 0, 1, end - begin);
    });
  }
}

SOFTBOX_END
