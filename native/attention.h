// Causal softmax attention that streams over key tiles with a running maximum and sum (Dao et al. 2022,
// "FlashAttention"): no [T, T] matrix is kept. The backward pass recomputes the tiles from the saved log-sum-exp.
#pragma once
#include "micro.h"
#include "rows.h"

SOFTBOX_BEGIN

// Queries of a tile at most: whole register tiles.
template <class F>
constexpr int64_t queryTile = SOFTBOX_VECTOR_BYTES == 64 ? (tileRows<F> == 32 ? 64 : 56) : 48;
constexpr int64_t keyTile = 128;

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
template <class F>
static int64_t queryTiles(int64_t time) { return ceilDiv(time, queryTile<F>); }
template <class F>
static int64_t queryStart(int64_t time, int64_t tile) { return time * tile / queryTiles<F>(time); }

// A packed right side restricted to columns [from, from + columns); `from` is a multiple of tileColumns.
template <class F>
static Right<F> columnsOf(const float* packed, int64_t depth, int64_t from, int64_t columns) {
  const int64_t words = F::words(depth);
  return {packed + from * words, columns, words, 0, true, nullptr};
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

// Takes one tile of scores into the running maximum and sum of its rows; out is scaled where the maximum grows.
static void takeScores(const Head& h, float* scores, int64_t begin, int64_t end, int64_t k0, int64_t keys, float* top,
                       float* sum) {
  for (int64_t i = 0; i < end - begin; i++) {
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
}

// Values of one key tile: packed by packHead, or read in place.
template <class F>
static Right<F> valuesOf(const Head& h, const float* packed, int64_t k0, int64_t keys, float* tail) {
  if constexpr (F::rounded)
    return {packed + k0 / keyTile * packedRightSize<F>(h.size, keyTile), h.size,
            F::words(least(keyTile, h.time - k0)), 0, true, nullptr};
  else
    return rightOf<F>(h.value + k0 * h.ld, h.ld, h.size, keys, tail);
}

template <class F>
static void attentionTile(const Head& h, const float* keys, const float* values, int64_t begin, int64_t end) {
  const int64_t rows = end - begin;
  float* scores = scratch(slotTile, (queryTile<F> + 1) * keyTile);
  float* tail = scratch(slotTail, keyTile * tileColumns);
  float top[queryTile<F>], sum[queryTile<F>];
  const Left<F> query =
      leftOf<F>(h.query + begin * h.ld, h.ld, rows, h.size, scratch(slotPackA, leftSize<F>(rows, h.size)));
  for (int64_t k0 = 0; k0 < end; k0 += keyTile) {
    const int64_t count = least(keyTile, end - k0);
    multiply(query, columnsOf<F>(keys, h.size, k0, count), {scores, keyTile});
    takeScores(h, scores, begin, end, k0, count, top, sum);
    multiply(roundedInPlace<F>(scores, keyTile, rows, count), valuesOf<F>(h, values, k0, count, tail),
             {h.out + begin * h.ldOut, h.ldOut, k0 > 0});
  }
  for (int64_t i = 0; i < rows; i++) {
    rowScale(h.out + (begin + i) * h.ldOut, h.size, 1.0f / sum[i]);
    h.logSumExp[begin + i] = top[i] + __builtin_logf(sum[i]);
  }
}

template <class F>
static void attentionAs(const Attention& a) {
  const int64_t heads = a.batch * a.heads, size = a.embed / a.heads;
  const int64_t keysSize = packedRightSize<F>(a.time, size), tileSize = packedRightSize<F>(size, keyTile);
  const int64_t each = keysSize + (F::rounded ? ceilDiv(a.time, keyTile) * tileSize : 0);
  float* packed = scratch(slotKeys, heads * each);
  const int64_t grain = most(1, (1 << 14) / most(1, a.time * size));
  parallelRanges(heads, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const Head h = headOf(a, i);
      float* to = packed + i * each;
      packRight<F>(h.key, h.ld, true, h.time, size, to);
      for (int64_t k0 = 0; F::rounded && k0 < a.time; k0 += keyTile)
        packRight<F>(h.value + k0 * h.ld, h.ld, false, size, least(keyTile, a.time - k0),
                     to + keysSize + k0 / keyTile * tileSize);
    }
  });
  // Later queries see more keys: they go first, so that the last tasks are the short ones.
  const int64_t tiles = queryTiles<F>(a.time), tasks = heads * tiles;
  const int64_t group = most(1, (1 << 16) / most(1, queryTile<F> * a.time * size / 4));
  parallelRanges(tasks, group, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t head = task % heads, tile = tiles - 1 - task / heads;
      const float* keys = packed + head * each;
      attentionTile<F>(headOf(a, head), keys, keys + keysSize, queryStart<F>(a.time, tile),
                       queryStart<F>(a.time, tile + 1));
    }
  });
}

static void attention(const Attention& a) { a.rounded ? attentionAs<Rounded>(a) : attentionAs<Exact>(a); }

SOFTBOX_END
