// Vectors of W floats by GCC/Clang vector extensions. Everything lives in an anonymous namespace inside the namespace
// of the instruction set, so that no two variants are ever mixed by the linker.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "kernels.h"
#include "pool.h"

#if !defined(SOFTBOX_TILES)
#define SOFTBOX_TILES 0  // 1: tile registers (AMX)
#endif

#define SOFTBOX_BEGIN namespace softbox { namespace SOFTBOX_ISA { namespace {
#define SOFTBOX_END } } }
#define FORCE_INLINE inline __attribute__((always_inline))

// Lanes of two vectors by constant numbers. GCC has Clang's name for it only from version 12.
#if defined(__clang__)
#define SHUFFLE_LANES(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE_LANES(a, b, ...) __builtin_shuffle(a, b, ivec{__VA_ARGS__})
#endif

SOFTBOX_BEGIN

constexpr int W = SOFTBOX_VECTOR_BYTES / 4;
typedef float vec __attribute__((vector_size(SOFTBOX_VECTOR_BYTES)));
typedef int32_t ivec __attribute__((vector_size(SOFTBOX_VECTOR_BYTES)));
typedef uint32_t uvec __attribute__((vector_size(SOFTBOX_VECTOR_BYTES)));
typedef float vecInMemory __attribute__((vector_size(SOFTBOX_VECTOR_BYTES), aligned(4), may_alias));

FORCE_INLINE vec load(const float* p) { return *reinterpret_cast<const vecInMemory*>(p); }
FORCE_INLINE void store(float* p, vec v) { *reinterpret_cast<vecInMemory*>(p) = v; }
FORCE_INLINE vec all(float x) { return x - vec{}; }
FORCE_INLINE ivec allInt(int32_t x) { return x - ivec{}; }
FORCE_INLINE uvec allWord(uint32_t x) { return x - uvec{}; }

// The first n floats; the other lanes are `rest`.
#if defined(__AVX512F__)
FORCE_INLINE __mmask16 firstLanes(int64_t n) { return static_cast<__mmask16>(n >= W ? 0xffff : (1u << n) - 1); }
FORCE_INLINE vec loadPart(const float* p, int64_t n, float rest = 0) {
  return reinterpret_cast<vec>(_mm512_mask_loadu_ps(_mm512_set1_ps(rest), firstLanes(n), p));
}
FORCE_INLINE void storePart(float* p, vec v, int64_t n) {
  _mm512_mask_storeu_ps(p, firstLanes(n), reinterpret_cast<__m512>(v));
}
#else
FORCE_INLINE vec loadPart(const float* p, int64_t n, float rest = 0) {
  float lanes[W];
  for (int i = 0; i < W; i++) lanes[i] = i < n ? p[i] : rest;
  return load(lanes);
}
FORCE_INLINE void storePart(float* p, vec v, int64_t n) {
  float lanes[W];
  store(lanes, v);
  for (int i = 0; i < W && i < n; i++) p[i] = lanes[i];
}
#endif

FORCE_INLINE vec asFloat(ivec v) { vec r; memcpy(&r, &v, sizeof r); return r; }
FORCE_INLINE vec asFloat(uvec v) { vec r; memcpy(&r, &v, sizeof r); return r; }
FORCE_INLINE uvec asWords(vec v) { uvec r; memcpy(&r, &v, sizeof r); return r; }
FORCE_INLINE uvec asWords(ivec v) { uvec r; memcpy(&r, &v, sizeof r); return r; }
FORCE_INLINE ivec asInt(vec v) { ivec r; memcpy(&r, &v, sizeof r); return r; }
// b where either is NaN.
#if defined(__AVX512F__)
FORCE_INLINE vec larger(vec a, vec b) {
  return reinterpret_cast<vec>(_mm512_max_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
}
FORCE_INLINE vec smaller(vec a, vec b) {
  return reinterpret_cast<vec>(_mm512_min_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
}
#else
FORCE_INLINE vec larger(vec a, vec b) { return a > b ? a : b; }
FORCE_INLINE vec smaller(vec a, vec b) { return a < b ? a : b; }
#endif

template <int... I> struct Indices {};
template <int N, int... I> struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I> struct MakeIndices<0, I...> { using type = Indices<I...>; };
using EachLane = typename MakeIndices<W>::type;

template <int... I>
FORCE_INLINE ivec laneNumbers(Indices<I...>) { return ivec{I...}; }
// The first n lanes of x; the others are `rest`.
FORCE_INLINE vec keepFirst(vec x, int64_t n, float rest) {
  return laneNumbers(EachLane{}) < allInt(static_cast<int32_t>(n < W ? n : W)) ? x : all(rest);
}

// Lanes of a and b in turn: a0 b0 a1 b1 and so on, the first half and the second.
template <int... I>
FORCE_INLINE vec interleaveLow(vec a, vec b, Indices<I...>) {
  return SHUFFLE_LANES(a, b, (I / 2 + (I % 2) * W)...);
}
template <int... I>
FORCE_INLINE vec interleaveHigh(vec a, vec b, Indices<I...>) {
  return SHUFFLE_LANES(a, b, (W / 2 + I / 2 + (I % 2) * W)...);
}

template <int by, int... I>
FORCE_INLINE vec rotateLanes(vec v, Indices<I...>) {
  return SHUFFLE_LANES(v, v, ((I + by) % W)...);
}
// Halves are folded onto each other, so the order of the sum is fixed by W.
template <int half>
FORCE_INLINE vec foldSum(vec v) {
  if constexpr (half == 0) return v;
  else return foldSum<half / 2>(v + rotateLanes<half>(v, EachLane{}));
}
template <int half>
FORCE_INLINE vec foldMax(vec v) {
  if constexpr (half == 0) return v;
  else return foldMax<half / 2>(larger(v, rotateLanes<half>(v, EachLane{})));
}
FORCE_INLINE float sumLanes(vec v) { return foldSum<W / 2>(v)[0]; }
FORCE_INLINE float maxLanes(vec v) { return foldMax<W / 2>(v)[0]; }

FORCE_INLINE bool anyLane(ivec v) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(v), reinterpret_cast<__m512i>(v));
#else
  int32_t any = 0;
  for (int i = 0; i < W; i++) any |= v[i];
  return any;
#endif
}

constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

template <class F>
static void parallel(int64_t tasks, const F& body) {
  if (tasks == 1) return body(0);
  parallelFor(tasks, [](void* f, int64_t i) { (*static_cast<const F*>(f))(i); },
              const_cast<void*>(static_cast<const void*>(&body)));
}

// Calls body(begin, end) for consecutive ranges of at most `grain` items: a partition fixed by `n` and `grain` alone.
template <class F>
static void parallelRanges(int64_t n, int64_t grain, const F& body) {
  parallel(ceilDiv(n, grain), [&](int64_t i) { body(i * grain, least(n, (i + 1) * grain)); });
}

SOFTBOX_END
