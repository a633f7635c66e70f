// Causal softmax attention that streams over key tiles with a running maximum and sum (Dao et al. 2022,
// "FlashAttention"): no [T, T] matrix is kept. The backward pass recomputes the tiles from the saved log-sum-exp.
#pragma once
#include "micro.h"
#include "rows.h"

SOFTBOX_BEGIN

constexpr int64_t queryTile = 8 * tileRows > 64 ? 4 * tileRows : 8 * tileRows;  // at most
constexpr int64_t keyTile = 128, keyTileGrad = 64;

// One head of one sequence: pointers to its first rows.
struct Head {
  const float *query, *key, *value;
  float* out;
  const float* dOut;
  float* logSumExp;
  float *dQuery, *dKey, *dValue;
  int64_t time, size, ld, ldOut;
  float scale;
};

static Head headOf(const Attention& a, int64_t index) {
  const int64_t b = index / a.heads, h = index % a.heads, size = a.embed / a.heads;
  const int64_t in = b * a.time * 3 * a.embed + h * size, out = b * a.time * a.embed + h * size;
  Head head{};
  head.query = a.qkv + in;
  head.key = head.query + a.embed;
  head.value = head.key + a.embed;
  head.out = a.out + out;
  head.dOut = a.dOut ? a.dOut + out : nullptr;
  head.logSumExp = a.logSumExp + index * a.time;
  if (a.dqkv) {
    head.dQuery = a.dqkv + in;
    head.dKey = head.dQuery + a.embed;
    head.dValue = head.dKey + a.embed;
  }
  head.time = a.time;
  head.size = size;
  head.ld = 3 * a.embed;
  head.ldOut = a.embed;
  head.scale = 1.0f / __builtin_sqrtf(static_cast<float>(size));
  return head;
}

// Query tiles share the time steps evenly.
static int64_t queryTiles(int64_t time) { return ceilDiv(time, queryTile); }
static int64_t queryStart(int64_t time, int64_t tile) { return time * tile / queryTiles(time); }

// A packed right side restricted to columns [from, from + columns); `from` is a multiple of tileColumns.
static Right columnsOf(const float* packed, int64_t depth, int64_t from, int64_t columns) {
  return {packed + from * depth, columns, depth, 0, true, nullptr};
}

// Rows of a tile of scores: they may be read and written up to the next multiple of W, so that no lane needs a branch.

// x = e^(x·scale - shift) over the first `valid` of n, 0 behind; returns the sum.
static float rowExpScaled(float* x, int64_t valid, int64_t n, float scale, float shift) {
  vec sum = {};
  for (int64_t i = 0; i < n; i += W) {
    const vec e = i < valid ? expOfNegative(load(x + i) * all(scale) - all(shift)) : vec{};
    const vec kept = keepFirst(e, valid - i, 0);
    store(x + i, kept);
    sum += kept;
  }
  return sumLanes(sum);
}

static float rowMaxFirst(const float* x, int64_t valid) {
  vec top = all(-__builtin_inff());
  for (int64_t i = 0; i < valid; i += W) top = larger(keepFirst(load(x + i), valid - i, -__builtin_inff()), top);
  return maxLanes(top);
}

static void attentionTile(const Head& h, const float* packedKeys, int64_t begin, int64_t end) {
  const int64_t rows = end - begin;
  float* scores = scratch(slotTile, queryTile * keyTile);
  float* tail = scratch(slotTail, keyTile * tileColumns);
  float top[queryTile], sum[queryTile];
  for (int64_t k0 = 0; k0 < end; k0 += keyTile) {
    const int64_t keys = least(keyTile, end - k0);
    const Left query{h.query + begin * h.ld, rows, h.size, h.ld, Left::rowMajor};
    multiply(query, columnsOf(packedKeys, h.size, k0, keys), {scores, keyTile, false, nullptr, 0});
    for (int64_t i = 0; i < rows; i++) {
      float* row = scores + i * keyTile;
      const int64_t valid = least(keys, begin + i - k0 + 1);
      if (valid <= 0) {
        memset(row, 0, keys * sizeof(float));
        continue;
      }
      const float tileTop = rowMaxFirst(row, valid) * h.scale;
      const float newTop = k0 == 0 || tileTop > top[i] ? tileTop : top[i];
      const float tileSum = rowExpScaled(row, valid, keys, h.scale, newTop);
      const float shrink = k0 == 0 ? 0.0f : __builtin_expf(top[i] - newTop);
      if (k0 > 0 && shrink != 1.0f) rowScale(h.out + (begin + i) * h.ldOut, h.size, shrink);
      sum[i] = k0 == 0 ? tileSum : sum[i] * shrink + tileSum;
      top[i] = newTop;
    }
    const Left weights{scores, rows, keys, keyTile, Left::rowMajor};
    multiply(weights, rightInPlace(h.value + k0 * h.ld, h.ld, h.size, keys, tail),
             {h.out + begin * h.ldOut, h.ldOut, k0 > 0, nullptr, 0});
  }
  for (int64_t i = 0; i < rows; i++) {
    rowScale(h.out + (begin + i) * h.ldOut, h.size, 1.0f / sum[i]);
    h.logSumExp[begin + i] = top[i] + __builtin_logf(sum[i]);
  }
}

static void attention(const Attention& a) {
  const int64_t heads = a.batch * a.heads, size = a.embed / a.heads;
  const int64_t packedSize = packedRightSize(a.time, size);
  float* packed = scratch(slotKeys, heads * packedSize);
  const int64_t grain = most(1, (1 << 14) / most(1, a.time * size));
  parallelRanges(heads, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const Head h = headOf(a, i);
      packRight(h.key, h.ld, true, h.time, h.size, packed + i * packedSize);
    }
  });
  // Later queries see more keys: they go first, so that the last tasks are the short ones.
  const int64_t tiles = queryTiles(a.time), tasks = heads * tiles;
  const int64_t group = most(1, (1 << 16) / most(1, queryTile * a.time * size / 4));
  parallelRanges(tasks, group, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t head = task % heads, tile = tiles - 1 - task / heads;
      attentionTile(headOf(a, head), packed + head * packedSize, queryStart(a.time, tile),
                    queryStart(a.time, tile + 1));
    }
  });
}

// ---- backward

// Scratch of one task.
struct GradBuffers {
  float *keys, *values;      // packed, transposed
  float *weights, *dScores;  // [queryTile, keyTileGrad]
  float* delta;              // [T]: dOut · out
  float* tail;               // three of keyTileGrad or queryTile deep
};

static float rowDot(const float* a, const float* b, int64_t n) {
  vec sum = {};
  int64_t i = 0;
  for (; i + W <= n; i += W) sum += load(a + i) * load(b + i);
  if (i < n) sum += loadPart(a + i, n - i) * loadPart(b + i, n - i);
  return sumLanes(sum);
}

// dScores = weights · (dWeights - delta) · scale; dScores holds dWeights before. Masked weights are 0.
static void scoreGradRow(const float* weights, float* dScores, int64_t n, float delta, float scale) {
  for (int64_t i = 0; i < n; i += W)
    store(dScores + i, keepFirst(load(weights + i) * ((load(dScores + i) - all(delta)) * all(scale)), n - i, 0));
}

static void attentionGradTile(const Head& h, const GradBuffers& s, int64_t begin, int64_t end, int64_t k0) {
  const int64_t rows = end - begin, keys = least(least(keyTileGrad, h.time - k0), end - k0);
  const Left query{h.query + begin * h.ld, rows, h.size, h.ld, Left::rowMajor};
  const Left dOut{h.dOut + begin * h.ldOut, rows, h.size, h.ldOut, Left::rowMajor};
  multiply(query, columnsOf(s.keys, h.size, k0, keys), {s.weights, keyTileGrad, false, nullptr, 0});
  multiply(dOut, columnsOf(s.values, h.size, k0, keys), {s.dScores, keyTileGrad, false, nullptr, 0});
  for (int64_t i = 0; i < rows; i++) {
    float *weights = s.weights + i * keyTileGrad, *dScores = s.dScores + i * keyTileGrad;
    const int64_t valid = most(0, least(keys, begin + i - k0 + 1));
    rowExpScaled(weights, valid, keys, h.scale, h.logSumExp[begin + i]);
    scoreGradRow(weights, dScores, valid, s.delta[begin + i], h.scale);
    memset(dScores + valid, 0, (keys - valid) * sizeof(float));
  }
  const int64_t tailFloats = tileColumns * most(queryTile, keyTileGrad);
  const Left weightsT{s.weights, keys, rows, keyTileGrad, Left::depthMajor};
  const Left dScoresT{s.dScores, keys, rows, keyTileGrad, Left::depthMajor};
  const Left dScores{s.dScores, rows, keys, keyTileGrad, Left::rowMajor};
  multiply(weightsT, rightInPlace(h.dOut + begin * h.ldOut, h.ldOut, h.size, rows, s.tail),
           {h.dValue + k0 * h.ld, h.ld, true, nullptr, 0});
  multiply(dScoresT, rightInPlace(h.query + begin * h.ld, h.ld, h.size, rows, s.tail + tailFloats),
           {h.dKey + k0 * h.ld, h.ld, true, nullptr, 0});
  multiply(dScores, rightInPlace(h.key + k0 * h.ld, h.ld, h.size, keys, s.tail + 2 * tailFloats),
           {h.dQuery + begin * h.ld, h.ld, k0 > 0, nullptr, 0});
}

static void zeroRows(float* to, int64_t ld, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++) memset(to + i * ld, 0, columns * sizeof(float));
}

static void attentionGradHead(const Head& h) {
  const int64_t packedSize = packedRightSize(h.time, h.size), tile = queryTile * keyTileGrad;
  GradBuffers s;
  s.keys = scratch(slotPackA, packedSize);
  s.values = scratch(slotPackB, packedSize);
  s.weights = scratch(slotTile, tile);
  s.dScores = scratch(slotTile2, tile);
  s.delta = scratch(slotSmall, h.time);
  s.tail = scratch(slotTail, 3 * tileColumns * most(queryTile, keyTileGrad));
  packRight(h.key, h.ld, true, h.time, h.size, s.keys);
  packRight(h.value, h.ld, true, h.time, h.size, s.values);
  for (int64_t i = 0; i < h.time; i++) s.delta[i] = rowDot(h.dOut + i * h.ldOut, h.out + i * h.ldOut, h.size);
  const int64_t tiles = queryTiles(h.time);
  for (int64_t k0 = 0; k0 < h.time; k0 += keyTileGrad) {
    // The first query tile may end inside the key tile; the keys behind it start from zero.
    zeroRows(h.dKey + k0 * h.ld, h.ld, least(keyTileGrad, h.time - k0), h.size);
    zeroRows(h.dValue + k0 * h.ld, h.ld, least(keyTileGrad, h.time - k0), h.size);
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t begin = queryStart(h.time, t), end = queryStart(h.time, t + 1);
      if (end > k0) attentionGradTile(h, s, begin, end, k0);
    }
  }
}

static void attentionGrad(const Attention& a) {
  parallel(a.batch * a.heads, [&](int64_t i) { attentionGradHead(headOf(a, i)); });
}

SOFTBOX_END
