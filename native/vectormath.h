// exp, log, tanh and the logistic function on vectors; 2 ulp or better. Polynomials from Cephes (Moshier 1989).
#pragma once
#include "simd.h"

SOFTBOX_BEGIN

constexpr float log2e = 1.44269504088896341f;
constexpr float ln2High = 0.693359375f, ln2Low = -2.12194440e-4f;
constexpr float roundingMagic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to the nearest integer

// e^r for |r| <= ln2 / 2.
FORCE_INLINE vec expOfRest(vec r) {
  vec p = all(1.9875691500e-4f);
  p = p * r + all(1.3981999507e-3f);
  p = p * r + all(8.3334519073e-3f);
  p = p * r + all(4.1665795894e-2f);
  p = p * r + all(1.6666665459e-1f);
  p = p * r + all(5.0000001201e-1f);
  return p * (r * r) + r + all(1.0f);
}

// exp(x) = 2^n · e^r with |r| <= ln2 / 2; gives e^r and n.
FORCE_INLINE vec expReduced(vec x, ivec& n) {
  const vec shifted = x * all(log2e) + all(roundingMagic);
  n = asInt(shifted) - asInt(all(roundingMagic));
  const vec k = shifted - all(roundingMagic);
  return expOfRest((x - k * all(ln2High)) - k * all(ln2Low));
}

FORCE_INLINE vec powerOfTwo(ivec n) { return asFloat((n + allInt(127)) << 23); }

#if defined(__AVX512F__)
// For -104 <= x <= 89, or NaN, which stays.
FORCE_INLINE vec expScaled(vec x) {
  const vec k = (x * all(log2e) + all(roundingMagic)) - all(roundingMagic);
  const vec e = expOfRest((x - k * all(ln2High)) - k * all(ln2Low));
  return reinterpret_cast<vec>(_mm512_scalef_ps(reinterpret_cast<__m512>(e), reinterpret_cast<__m512>(k)));
}
#endif

// Every float: overflow to infinity, gradual underflow to 0, NaN stays NaN.
FORCE_INLINE vec expOf(vec x) {
#if defined(__AVX512F__)
  x = smaller(all(89.0f), larger(all(-104.0f), x));
  return expScaled(x);
#else
  x = x < all(-104.0f) ? all(-104.0f) : x;
  x = x > all(89.0f) ? all(89.0f) : x;
  ivec n;
  const vec e = expReduced(x, n);
  const ivec half = n >> 1;
  return e * powerOfTwo(half) * powerOfTwo(n - half);
#endif
}

// For x <= 0, as in a softmax: results below 2^-126 are 0 or denormal.
FORCE_INLINE vec expOfNegative(vec x) {
#if defined(__AVX512F__)
  return expScaled(larger(all(-104.0f), x));
#else
  const vec clamped = x < all(-87.33f) ? all(-87.33f) : x;
  ivec n;
  const vec e = expReduced(clamped, n);
  const vec y = e * powerOfTwo(n);
  return x < all(-87.33f) ? vec{} : y;
#endif
}

FORCE_INLINE vec logOf(vec x) {
  const vec smallest = all(1.17549435e-38f);
  const ivec tiny = x < smallest;
  const vec scaled = tiny ? x * all(8388608.0f) : x;
  const ivec bits = asInt(scaled);
  ivec exponent = ((bits >> 23) & allInt(255)) - allInt(126);
  vec m = asFloat((bits & allInt(0x007fffff)) | allInt(0x3f000000));  // in [0.5, 1)
  const ivec low = m < all(0.70710678f);
  exponent = exponent + low - (tiny & allInt(23));
  m = (low ? m + m : m) - all(1.0f);
  const vec z = m * m;
  vec p = all(7.0376836292e-2f);
  p = p * m - all(1.1514610310e-1f);
  p = p * m + all(1.1676998740e-1f);
  p = p * m - all(1.2420140846e-1f);
  p = p * m + all(1.4249322787e-1f);
  p = p * m - all(1.6668057665e-1f);
  p = p * m + all(2.0000714765e-1f);
  p = p * m - all(2.4999993993e-1f);
  p = p * m + all(3.3333331174e-1f);
  const vec e = __builtin_convertvector(exponent, vec);
  vec y = p * m * z + e * all(ln2Low);
  y = y - z * all(0.5f);
  y = m + y + e * all(ln2High);
  const float infinity = __builtin_inff();
  y = x == all(infinity) ? x : y;
  y = x == vec{} ? all(-infinity) : y;
  return ((x < vec{}) | (x != x)) ? all(__builtin_nanf("")) : y;
}

FORCE_INLINE vec logisticOf(vec x) { return all(1.0f) / (all(1.0f) + expOf(-x)); }

// log(1 + x) for x >= 0; the rounding of 1 + x is made good by the factor x / ((1 + x) - 1).
FORCE_INLINE vec log1pOf(vec x) {
  const vec u = all(1.0f) + x;
  return u == all(1.0f) ? x : logOf(u) * (x / (u - all(1.0f)));
}

// log(1 + e^x).
FORCE_INLINE vec softplusOf(vec x) {
  const vec negative = x < vec{} ? x : -x;
  return larger(x, vec{}) + log1pOf(expOfNegative(negative));
}

FORCE_INLINE vec tanhOf(vec x) {
  const vec a = x < vec{} ? -x : x;
  const vec z = x * x;
  vec p = all(-5.70498872745e-3f);
  p = p * z + all(2.06390887954e-2f);
  p = p * z - all(5.37397155531e-2f);
  p = p * z + all(1.33314422036e-1f);
  p = p * z - all(3.33332819422e-1f);
  const vec inner = p * z * x + x;
  const vec big = all(1.0f) - all(2.0f) / (expOf(a + a) + all(1.0f));
  const vec outer = x < vec{} ? -big : big;
  return a < all(0.625f) ? inner : outer;
}

// GELU in its tanh form, 0.5x(1 + tanh u) = x / (1 + e^(-2u)) with u = sqrt(2/pi)(x + 0.044715x^3).
constexpr float geluScale = 0.79788456080286536f, geluCubic = 0.044715f;

FORCE_INLINE vec geluLogistic(vec x) {
  const vec u = all(geluScale) * x * (all(1.0f) + all(geluCubic) * x * x);
  return all(1.0f) / (all(1.0f) + expOf(all(-2.0f) * u));
}

FORCE_INLINE vec geluOf(vec x) { return x * geluLogistic(x); }

struct GeluAndSlope {
  vec value, slope;
};
FORCE_INLINE GeluAndSlope geluAndSlope(vec x) {
  const vec s = geluLogistic(x);
  // Beyond 12 the second term is 0, but its factors overflow.
  const vec c = smaller(larger(x, all(-12.0f)), all(12.0f));
  const vec slope = all(2 * geluScale) * (all(1.0f) + all(3 * geluCubic) * c * c);
  return {x * s, s + c * s * (all(1.0f) - s) * slope};
}
FORCE_INLINE vec geluSlope(vec x) { return geluAndSlope(x).slope; }

SOFTBOX_END
