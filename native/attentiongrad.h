// The gradient of causal attention: tiles of weights are computed again from the saved log-sum-exp (Dao et al. 2022).
#pragma once
#include "attention.h"

SOFTBOX_BEGIN

constexpr int64_t keyTileGrad = 64;

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

static void zeroRows(float* to, int64_t ld, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++) memset(to + i * ld, 0, columns * sizeof(float));
}

// One query tile: both its matrices as left sides (depth D) and as right sides (depth its rows).
template <class F>
struct QueryTile {
  int64_t begin, end;
  Left<F> query, dOut;
  Right<F> queries, dOuts;
  static int64_t size(int64_t D) { return 2 * leftSize<F>(queryTile<F>, D) + 2 * rightSize<F>(D, queryTile<F>); }
};

template <class F>
static QueryTile<F> queryTileOf(const Head& h, int64_t tile, float* to) {
  QueryTile<F> q;
  q.begin = queryStart<F>(h.time, tile);
  q.end = queryStart<F>(h.time, tile + 1);
  const int64_t rows = q.end - q.begin, left = leftSize<F>(queryTile<F>, h.size);
  const float *query = h.query + q.begin * h.ld, *dOut = h.dOut + q.begin * h.ldOut;
  q.query = leftOf<F>(query, h.ld, rows, h.size, to);
  q.dOut = leftOf<F>(dOut, h.ldOut, rows, h.size, to + left);
  q.queries = rightOf<F>(query, h.ld, h.size, rows, to + 2 * left);
  q.dOuts = rightOf<F>(dOut, h.ldOut, h.size, rows, to + 2 * left + rightSize<F>(h.size, queryTile<F>));
  return q;
}

// What the tiles of one head share.
template <class F>
struct GradBuffers {
  const float *keys, *values;       // packed, transposed
  float *weights, *dScores;         // [queryTile, keyTileGrad]
  float *weightPairs, *scorePairs;  // the same with pairs of queries side by side
  float* delta;                     // [T]: dOut · out
};

// A tile's transpose as a left side: read in place, or with neighbours joined, at `to`. Call before it is rounded.
template <class F>
static Left<F> transposeOf(const float* x, int64_t rows, int64_t columns, float* to) {
  if (F::numbers == 1) return {x, columns, rows, keyTileGrad, Left<F>::depthMajor};
  const int64_t words = F::words(rows);
  packAcross<F>(x, keyTileGrad, columns, rows, words, to, keyTileGrad);
  if (!SOFTBOX_TILES) return {to, columns, words, keyTileGrad, Left<F>::depthMajor};
  float* turned = to + words * keyTileGrad;
  transposeWords(to, keyTileGrad, columns, words, turned, words);
  return {turned, columns, words, words, Left<F>::rowMajor};
}
template <class F>
constexpr int64_t transposeSize() {
  return F::words(queryTile<F>) * keyTileGrad * (SOFTBOX_TILES ? 3 : 1) + 64 * W;
}

template <class F>
static void attentionGradTile(const Head& h, const GradBuffers<F>& s, const QueryTile<F>& q, const Right<F>& key,
                              int64_t k0, int64_t keys) {
  const int64_t rows = q.end - q.begin;
  multiply(q.query, columnsOf<F>(s.keys, h.size, k0, keys), {s.weights, keyTileGrad});
  multiply(q.dOut, columnsOf<F>(s.values, h.size, k0, keys), {s.dScores, keyTileGrad});
  for (int64_t i = 0; i < rows; i++) {
    float *weights = s.weights + i * keyTileGrad, *dScores = s.dScores + i * keyTileGrad;
    const int64_t valid = most(0, least(keys, q.begin + i - k0 + 1));
    rowExpScaled(weights, valid, keys, h.scale, h.logSumExp[q.begin + i]);
    scoreGradRow(weights, dScores, valid, s.delta[q.begin + i], h.scale);
    memset(dScores + valid, 0, (keys - valid) * sizeof(float));
  }
  const Left<F> weightsT = transposeOf<F>(s.weights, rows, keys, s.weightPairs);
  const Left<F> dScoresT = transposeOf<F>(s.dScores, rows, keys, s.scorePairs);
  if (F::numbers == 1) roundedInPlace<F>(s.weights, keyTileGrad, rows, keys);
  const Left<F> dScores = roundedInPlace<F>(s.dScores, keyTileGrad, rows, keys);
  multiply(weightsT, q.dOuts, {h.dValue + k0 * h.ld, h.ld, true});
  multiply(dScoresT, q.queries, {h.dKey + k0 * h.ld, h.ld, true});
  multiply(dScores, key, {h.dQuery + q.begin * h.ld, h.ld, k0 > 0});
}

template <class F>
static GradBuffers<F> gradBuffers(const Head& h) {
  const int64_t tile = queryTile<F> * keyTileGrad + W, pairs = F::numbers == 2 ? transposeSize<F>() : 0;
  float* keys = scratch(slotPackA, packedRightSize<F>(h.time, h.size));
  float* values = scratch(slotPackB, packedRightSize<F>(h.time, h.size));
  float* weights = scratch(slotTile, 2 * (tile + pairs));
  float* delta = scratch(slotSmall, h.time);
  packRight<F>(h.key, h.ld, true, h.time, h.size, keys);
  packRight<F>(h.value, h.ld, true, h.time, h.size, values);
  for (int64_t i = 0; i < h.time; i++) delta[i] = rowDot(h.dOut + i * h.ldOut, h.out + i * h.ldOut, h.size);
  return {keys, values, weights, weights + tile, weights + 2 * tile, weights + 2 * tile + pairs, delta};
}

template <class F>
static void attentionGradHead(const Head& h) {
  const GradBuffers<F> s = gradBuffers<F>(h);
  const int64_t tiles = queryTiles<F>(h.time), each = QueryTile<F>::size(h.size);
  float* packed = scratch(slotTile2, tiles * each);
  float* keyRows = scratch(slotTail, rightSize<F>(h.size, keyTileGrad));
  auto* queries = static_cast<QueryTile<F>*>(scratchBytes(slotRows, tiles * sizeof(QueryTile<F>)));
  for (int64_t t = 0; t < tiles; t++) queries[t] = queryTileOf<F>(h, t, packed + t * each);
  for (int64_t k0 = 0; k0 < h.time; k0 += keyTileGrad) {
    const int64_t all = least(keyTileGrad, h.time - k0);
    // The first query tile may end inside the key tile; the keys behind it start from zero.
    zeroRows(h.dKey + k0 * h.ld, h.ld, all, h.size);
    zeroRows(h.dValue + k0 * h.ld, h.ld, all, h.size);
    const Right<F> key = rightOf<F>(h.key + k0 * h.ld, h.ld, h.size, all, keyRows);
    for (int64_t t = 0; t < tiles; t++)
      if (queries[t].end > k0) attentionGradTile(h, s, queries[t], key, k0, least(all, queries[t].end - k0));
  }
}

static void attentionGrad(const Attention& a) {
  parallel(a.batch * a.heads, [&](int64_t i) {
    a.rounded ? attentionGradHead<Rounded>(headOf(a, i)) : attentionGradHead<Exact>(headOf(a, i));
  });
}

SOFTBOX_END
