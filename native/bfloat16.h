// Numbers as they are packed for a product: float32 as it is, or rounded to bfloat16 (nearest, ties to even). With
// AVX512-BF16 a packed word of 32 bits holds two bfloat16 numbers that are neighbours along the depth of the product;
// elsewhere a word holds one number, rounded and kept as float32, which gives the same products.
#pragma once
#include "vectormath.h"

SOFTBOX_BEGIN

// Rounded to bfloat16 and kept as float32.
FORCE_INLINE vec toBfloat16(vec x) {
  const ivec bits = asInt(x);
  const ivec up = bits + allInt(0x7fff) + ((bits >> 16) & allInt(1));
  return x == x ? asFloat(up & allInt(~0xffff)) : x;
}

struct Exact {
  static constexpr bool rounded = false;
  static constexpr int64_t numbers = 1;  // in a word
  static constexpr int64_t words(int64_t depth) { return depth; }
  static FORCE_INLINE float one(float x) { return x; }
  // W words from numbers side by side, the first `n` of them; zeros behind.
  static FORCE_INLINE vec along(const float* x) { return load(x); }
  static FORCE_INLINE vec alongPart(const float* x, int64_t n) { return loadPart(x, n); }
  // Words from two vectors of neighbours along the depth; here the second is not there.
  static FORCE_INLINE vec across(vec first, vec) { return first; }
  static FORCE_INLINE vec multiplyAdd(vec sum, vec a, vec b) { return sum + a * b; }
};

#if defined(__AVX512BF16__)

struct Rounded {
  static constexpr bool rounded = true;
  static constexpr int64_t numbers = 2;
  static constexpr int64_t wordStep = SOFTBOX_TILES ? 16 : 1;
  static constexpr int64_t words(int64_t depth) { return ceilDiv(depth, 2 * wordStep) * wordStep; }
  static FORCE_INLINE vec joined(vec first, vec second) {
    return reinterpret_cast<vec>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(second), reinterpret_cast<__m512>(first)));
  }
  static FORCE_INLINE vec along(const float* x) { return joined(load(x), load(x + W)); }
  static FORCE_INLINE vec alongPart(const float* x, int64_t n) {
    return joined(loadPart(x, n), n > W ? loadPart(x + W, n - W) : vec{});
  }
  static FORCE_INLINE vec across(vec first, vec second) {
    static const int16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i both = reinterpret_cast<__m512i>(joined(first, second));
    return reinterpret_cast<vec>(_mm512_permutexvar_epi16(_mm512_loadu_si512(order), both));
  }
  static FORCE_INLINE vec multiplyAdd(vec sum, vec a, vec b) {
    return reinterpret_cast<vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(a),
                                                  reinterpret_cast<__m512bh>(b)));
  }
};

#else

struct Rounded {
  static constexpr bool rounded = true;
  static constexpr int64_t numbers = 1;
  static constexpr int64_t words(int64_t depth) { return depth; }
  static FORCE_INLINE float one(float x) { return toBfloat16(all(x))[0]; }
  static FORCE_INLINE vec along(const float* x) { return toBfloat16(load(x)); }
  static FORCE_INLINE vec alongPart(const float* x, int64_t n) { return toBfloat16(loadPart(x, n)); }
  static FORCE_INLINE vec across(vec first, vec) { return toBfloat16(first); }
  static FORCE_INLINE vec multiplyAdd(vec sum, vec a, vec b) { return sum + a * b; }
};

#endif

SOFTBOX_END
