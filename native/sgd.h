// Gradient descent over all parameters at once, with clipping by the global norm and a running average of the parameters.
#pragma once
#include "adamw.h"

SOFTBOX_BEGIN

static void descend(float* __restrict p, const float* __restrict g, ptrdiff_t n, float scale, float rate, float decay) {
  for (ptrdiff_t j = 0; j < n; j++) p[j] -= rate * (g[j] * scale + decay * p[j]);
}

static void takeAverage(float* __restrict average, const float* __restrict p, ptrdiff_t n, float share) {
  for (ptrdiff_t j = 0; j < n; j++) average[j] += share * (p[j] - average[j]);
}

static double sgd(const Sgd& a) {
  const double norm = globalNorm(a);
  if (!__builtin_isfinite(norm)) return norm;
  const double shrink = a.clipNorm > 0 ? a.clipNorm / (norm + 1e-6) : 1.0;
  const float scale = static_cast<float>(shrink < 1.0 ? shrink : 1.0), rate = static_cast<float>(a.learningRate);
  eachPiece(a, [&](int64_t i, int64_t begin, int64_t end, int64_t) {
    float* const p = a.p[i] + begin;
    descend(p, a.g[i] + begin, end - begin, scale, rate, static_cast<float>(a.weightDecay[i]));
    if (!a.average) return;
    float* const average = a.average[i] + begin;
    if (a.share == 1.0) memcpy(average, p, (end - begin) * sizeof(float));
    else takeAverage(average, p, end - begin, static_cast<float>(a.share));
  });
  return norm;
}

SOFTBOX_END
