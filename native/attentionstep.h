// Attention of new positions over keys and values that are kept: the step of a text that is written token by token. Reading the
// cache once is what it costs; its numbers are float32 at either precision.
#pragma once
#include "attention.h"

SOFTBOX_BEGIN

constexpr int64_t keysAtOnce = 4;

// scores[s] = q · k_s for s < count; written up to a multiple of keysAtOnce.
static void scoreKeys(const float* q, const float* keys, int64_t count, int64_t size, float* scores) {
  for (int64_t s = 0; s < count; s += keysAtOnce) {
    vec sum[keysAtOnce] = {};
    const float* k[keysAtOnce];
    for (int j = 0; j < keysAtOnce; j++) k[j] = keys + least(s + j, count - 1) * size;
    int64_t d = 0;
    for (; d + W <= size; d += W)
#pragma GCC unroll 4
      for (int j = 0; j < keysAtOnce; j++) sum[j] += load(q + d) * load(k[j] + d);
    if (d < size)
      for (int j = 0; j < keysAtOnce; j++) sum[j] += loadPart(q + d, size - d) * loadPart(k[j] + d, size - d);
    for (int j = 0; j < keysAtOnce; j++) scores[s + j] = sumLanes(sum[j]);
  }
}

// out = the sum over s of weights[s] · v_s, times scale.
static void mixValues(const float* weights, const float* values, int64_t count, int64_t size, float scale, float* out) {
  for (int64_t d = 0; d < size; d += 4 * W) {
    const int64_t vectors = least(4, ceilDiv(size - d, W));
    if (vectors == 4 && d + 4 * W <= size) {
      vec sum[4] = {};
      for (int64_t s = 0; s < count; s++)
#pragma GCC unroll 4
        for (int u = 0; u < 4; u++) sum[u] += all(weights[s]) * load(values + s * size + d + u * W);
      for (int u = 0; u < 4; u++) store(out + d + u * W, sum[u] * all(scale));
      continue;
    }
    for (int64_t e = d; e < size; e += W) {
      vec sum = {};
      for (int64_t s = 0; s < count; s++) sum += all(weights[s]) * loadPart(values + s * size + e, size - e);
      storePart(out + e, sum * all(scale), size - e);
    }
    return;
  }
}

// Puts the new keys and values of one head of one sequence in their places, then attends, where `out` is given.
static void attentionStepOf(const AttentionStep& a, int64_t index) {
  const int64_t b = index / a.heads, h = index % a.heads, E = a.heads * a.size;
  float* keys = a.keys + index * a.room * a.size;
  float* values = a.values + index * a.room * a.size;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(a.size));
  float* scores = scratch(slotTile, a.start + a.time + W + keysAtOnce);
  for (int64_t t = 0; t < a.time; t++) {
    const float* q = a.qkv + (b * a.time + t) * 3 * E + h * a.size;
    const int64_t seen = a.start + t + 1;
    memcpy(keys + (seen - 1) * a.size, q + E, a.size * sizeof(float));
    memcpy(values + (seen - 1) * a.size, q + 2 * E, a.size * sizeof(float));
    if (!a.out) continue;
    scoreKeys(q, keys, seen, a.size, scores);
    const float top = rowMaxFirst(scores, seen) * scale;
    const float sum = rowExpScaled(scores, seen, seen, scale, top);
    mixValues(scores, values, seen, a.size, 1.0f / sum, a.out + (b * a.time + t) * E + h * a.size);
  }
}

static void attentionStep(const AttentionStep& a) {
  const int64_t each = a.time * (a.start + a.time) * a.size;
  parallelRanges(a.batch * a.heads, most(1, (1 << 13) / most(1, each)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) attentionStepOf(a, i);
  });
}

SOFTBOX_END
