// Passes over the scores of a vocabulary by which a token is drawn: sums of powers in double precision, places of what is wanted.
// What each gives is said in src/engine/scorePasses.ts; the definitions in JavaScript are those of src/sampling/passes.ts.
#pragma once
#include "simd.h"

SOFTBOX_BEGIN

constexpr int doubleLanes = W / 2;
typedef double dvec __attribute__((vector_size(SOFTBOX_VECTOR_BYTES)));
typedef int64_t lvec __attribute__((vector_size(SOFTBOX_VECTOR_BYTES)));
typedef float halfInMemory __attribute__((vector_size(SOFTBOX_VECTOR_BYTES / 2), aligned(4), may_alias));

// What is this far below the highest score counts nothing in a sum; the bins before it.
constexpr double horizon = 40, binsOfOne = 46;
constexpr int binCount = 1841;
constexpr int64_t runLength = 256;

// e^(-x) for x in [0, 700): 2^-n e^r with |r| <= ln 2 / 2, by the Taylor series to r^12; relative error below 1e-14.
FORCE_INLINE dvec decayOf(dvec x) {
  constexpr double magic = 6755399441055744.0;  // 1.5 · 2^52: adding it rounds to the nearest integer
  const dvec shifted = x * 1.4426950408889634 + magic;
  const dvec r = (shifted - magic) * 0.6931471805599453 - x;
  dvec p = r * (1.0 / 479001600) + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 1.0 / 2;
  p = p * r + 1.0;
  p = p * r + 1.0;
  lvec bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (0x4338000000000000 + 1023 - bits) << 52;  // 1023 - n where a double keeps its exponent
  dvec scale;
  memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

FORCE_INLINE double sumDoubles(dvec v) {
  double sum = 0;
  for (int i = 0; i < doubleLanes; i++) sum += v[i];
  return sum;
}

// The next scores; behind the end -inf, whose power is 0.
FORCE_INLINE dvec loadScores(const float* scores, int64_t left) {
  if (left >= doubleLanes) return __builtin_convertvector(*reinterpret_cast<const halfInMemory*>(scores), dvec);
  dvec v;
  for (int i = 0; i < doubleLanes; i++) v[i] = i < left ? static_cast<double>(scores[i]) : -__builtin_inf();
  return v;
}

// Adds powers to their bins, those of neighbours to different sums: in the same they would wait for each other.
FORCE_INLINE void addToBins(double (*pairs)[2], dvec x, dvec powers) {
  for (int i = 0; i < doubleLanes; i++) pairs[static_cast<int>(x[i] * binsOfOne)][i & 1] += powers[i];
}

template <bool binned>
FORCE_INLINE void sumRuns(const ScoreSums& p, double (*pairs)[2]) {
  double total = 0, slope = 0;
  for (int64_t start = 0; start < p.n; start += runLength) {
    p.runs[start / runLength] = total;
    dvec powers{}, products{};
    for (int64_t i = start; i < least(p.n, start + runLength); i += doubleLanes) {
      dvec x = (p.top - loadScores(p.scores + i, p.n - i)) * p.inverse;
      x = x >= horizon ? dvec{} + horizon : x;
      const dvec power = x >= horizon ? dvec{} : decayOf(x);
      powers += power;
      products += power * x;
      if (binned) addToBins(pairs, x > 0 ? x : dvec{}, power);  // NaN, and what NaN hid the highest score from, must not leave the bins
    }
    total += sumDoubles(powers);
    slope += sumDoubles(products);
  }
  p.result[0] = total;
  p.result[1] = slope;
}

static void scoreSums(const ScoreSums& p) {
  if (!p.bins) return sumRuns<false>(p, nullptr);
  double pairs[binCount][2] = {};
  sumRuns<true>(p, pairs);
  for (int bin = 0; bin < binCount; bin++) p.bins[bin] = pairs[bin][0] + pairs[bin][1];
}

constexpr int64_t blockLength = 128;

static void blockMaxima(const float* scores, float* maxima, int64_t n) {
  for (int64_t start = 0; start < n; start += blockLength) {
    const int64_t end = least(n, start + blockLength);
    vec best = all(-__builtin_inff());
    for (int64_t i = start; i < end; i += W)
      best = larger(best, i + W <= end ? load(scores + i) : loadPart(scores + i, end - i, -__builtin_inff()));
    maxima[start / blockLength] = maxLanes(best);
  }
}

// Of blocks whose highest score is worth it, writes down each place, and writes the next over it where it is not wanted: there is
// no branch to be guessed wrong.
template <class B, class F>
FORCE_INLINE int64_t gatherWhere(const Gathering& g, const B& isWorth, const F& isWanted) {
  const float* __restrict scores = g.scores;
  int32_t* __restrict places = g.places;
  float* __restrict kept = g.kept;
  int64_t count = 0;
  for (int64_t start = 0; start < g.n; start += blockLength) {
    if (!isWorth(static_cast<double>(g.maxima[start / blockLength]))) continue;
    for (int64_t i = start; i < least(g.n, start + blockLength); i++) {
      places[count] = static_cast<int32_t>(i);
      kept[count] = scores[i];
      count += isWanted(static_cast<double>(scores[i]));
    }
  }
  return count;
}

static int64_t scoresFrom(const Gathering& g, double threshold) {
  const auto isHigh = [=](double score) { return score >= threshold; };
  return gatherWhere(g, isHigh, isHigh);
}

static int64_t scoresWithin(const Gathering& g, double centre, double radius) {
  return gatherWhere(
      g, [=](double best) { return static_cast<double>(static_cast<float>(centre - best)) <= radius; },
      [=](double score) { return static_cast<double>(static_cast<float>(__builtin_fabs(centre - score))) <= radius; });
}

// Of bins from `first` to `last` away from that in the middle, on either side.
static int64_t scoresInRings(const Gathering& g, double top, int middle, int first, int last) {
  const double begin = middle - last, end = middle + last + 1;
  const double innerBegin = middle - first + 1, innerEnd = middle + first;
  return gatherWhere(
      g, [=](double best) { return (top - best) * binsOfOne < end; },
      [=](double score) {
        const double at = (top - score) * binsOfOne;
        return (at >= begin) & (at < end) & ((at < innerBegin) | (at >= innerEnd));
      });
}

SOFTBOX_END
