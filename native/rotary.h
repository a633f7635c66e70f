// Rotary positions (Su et al. 2021, "RoFormer"): queries and keys are turned in planes of two features, (i, i + D / 2), by
// angles that grow with the position, so that their products depend on distances alone.
#pragma once
#include "simd.h"

SOFTBOX_BEGIN

// Turns the planes of one head at one position; `sign` is -1 to turn back.
static void turnHead(const float* from, const float* angles, float* to, int64_t planes, float sign) {
  for (int64_t i = 0; i < planes; i += W) {
    const int64_t n = planes - i;
    const auto get = [&](const float* p) { return n >= W ? load(p) : loadPart(p, n); };
    const auto put = [&](float* p, vec v) { n >= W ? store(p, v) : storePart(p, v, n); };
    const vec a = get(from + i), b = get(from + planes + i);
    const vec cosine = get(angles + i), sine = get(angles + planes + i) * all(sign);
    put(to + i, a * cosine - b * sine);
    put(to + planes + i, b * cosine + a * sine);
  }
}

static void rotary(const Rotary& r) {
  const int64_t size = r.embed / r.heads, width = 3 * r.embed;
  parallelRanges(r.batch * r.time, most(1, (1 << 14) / most(1, width)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float *from = r.qkv + row * width, *angles = r.angles + row % r.time * size;
      float* to = r.out + row * width;
      for (int64_t h = 0; h < 2 * r.heads; h++)
        turnHead(from + h * size, angles, to + h * size, size / 2, r.inverse ? -1.0f : 1.0f);
      memcpy(to + 2 * r.embed, from + 2 * r.embed, r.embed * sizeof(float));
    }
  });
}

SOFTBOX_END
