// AdamW (Loshchilov and Hutter 2019) over all parameters at once, with clipping by the global norm.
#pragma once
#include "simd.h"

SOFTBOX_BEGIN

constexpr int64_t adamGrain = 1 << 14;

template <class A>
static int64_t sizeOf(const A& a, int64_t i) { return static_cast<int64_t>(a.sizes[i]); }

// Calls body(parameter, begin, end, piece) for pieces of all parameters, numbered through.
template <class A, class F>
static void eachPiece(const A& a, const F& body) {
  int64_t pieces = 0;
  for (int64_t i = 0; i < a.count; i++) pieces += ceilDiv(sizeOf(a, i), adamGrain);
  parallel(pieces, [&](int64_t piece) {
    int64_t i = 0, local = piece;
    while (local >= ceilDiv(sizeOf(a, i), adamGrain)) local -= ceilDiv(sizeOf(a, i++), adamGrain);
    body(i, local * adamGrain, least(sizeOf(a, i), (local + 1) * adamGrain), piece);
  });
}

static double sumOfSquares(const float* g, int64_t n) {
  double sum[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int lane = 0; lane < 8; lane++) sum[lane] += static_cast<double>(g[i + lane]) * g[i + lane];
  for (; i < n; i++) sum[0] += static_cast<double>(g[i]) * g[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

template <class A>
static double globalNorm(const A& a) {
  int64_t pieces = 0;
  for (int64_t i = 0; i < a.count; i++) pieces += ceilDiv(sizeOf(a, i), adamGrain);
  double* partial = static_cast<double*>(scratchBytes(slotPartial, (pieces + 1) * sizeof(double)));
  eachPiece(a, [&](int64_t i, int64_t begin, int64_t end, int64_t piece) {
    partial[piece] = sumOfSquares(a.g[i] + begin, end - begin);
  });
  double sum = 0;
  for (int64_t piece = 0; piece < pieces; piece++) sum += partial[piece];
  return __builtin_sqrt(sum);
}

struct UpdateRule {
  float scale, beta1, beta2, rest1, rest2, correct1, correct2, epsilon, rate;
};

// Written for compilers to vectorise: Clang heeds __restrict of arguments alone, and where addresses have 32 bits it
// needs an index of 32 bits.
static void update(float* __restrict p, const float* __restrict g, float* __restrict m, float* __restrict v,
                   ptrdiff_t n, float keep, const UpdateRule by) {
  for (ptrdiff_t j = 0; j < n; j++) {
    const float slope = g[j] * by.scale;
    m[j] = by.beta1 * m[j] + by.rest1 * slope;
    v[j] = by.beta2 * v[j] + by.rest2 * (slope * slope);
    p[j] = keep * p[j] - by.rate * (m[j] * by.correct1) / (__builtin_sqrtf(v[j] * by.correct2) + by.epsilon);
  }
}

static double adamW(const AdamW& a) {
  const double norm = globalNorm(a);
  if (!__builtin_isfinite(norm)) return norm;
  const double shrink = a.clipNorm > 0 ? a.clipNorm / (norm + 1e-6) : 1.0;
  UpdateRule rule;
  rule.scale = static_cast<float>(shrink < 1.0 ? shrink : 1.0);
  rule.beta1 = static_cast<float>(a.beta1), rule.beta2 = static_cast<float>(a.beta2);
  rule.rest1 = static_cast<float>(1.0 - a.beta1), rule.rest2 = static_cast<float>(1.0 - a.beta2);
  rule.correct1 = static_cast<float>(1.0 / (1.0 - __builtin_pow(a.beta1, a.step)));
  rule.correct2 = static_cast<float>(1.0 / (1.0 - __builtin_pow(a.beta2, a.step)));
  rule.epsilon = static_cast<float>(a.epsilon), rule.rate = static_cast<float>(a.learningRate);
  eachPiece(a, [&](int64_t i, int64_t begin, int64_t end, int64_t) {
    const float keep = static_cast<float>(1.0 - a.learningRate * a.weightDecay[i]);
    update(a.p[i] + begin, a.g[i] + begin, a.m[i] + begin, a.v[i] + begin, end - begin, keep, rule);
  });
  return norm;
}

SOFTBOX_END
