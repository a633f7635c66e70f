// Products of at most eight rows, as when a text is written token by token. Their time is that of reading the right side
// once, so it is read as it lies, in long runs: float32, rounded on the way where that is asked for, or stored as bfloat16.
// Hardware foresees no task's end, so the rows that come next are asked for ahead of time: up to twice as fast.
#pragma once
#include "micro.h"

SOFTBOX_BEGIN

constexpr int64_t mostFewRows = 8;
constexpr int64_t runNumbers = 1 << 16;  // of the right side a task
constexpr int64_t mostRuns = 16;         // whose partial sums are combined in order

static Output outputOf(const Matmul& p) {
  return {p.c, p.ldc, p.accumulate, p.bias, p.activation, p.slope, p.residual};
}

typedef uint16_t halves __attribute__((vector_size(SOFTBOX_VECTOR_BYTES / 2)));
typedef uint16_t halvesInMemory __attribute__((vector_size(SOFTBOX_VECTOR_BYTES / 2), aligned(2), may_alias));

// The right side of a product, number by number. `soon` asks for what is read later; the address need not exist.
template <class F>
struct WideRight {
  const float* data;
  FORCE_INLINE vec rounded(vec x) const { return F::rounded ? toBfloat16(x) : x; }
  FORCE_INLINE vec at(int64_t i) const { return rounded(load(data + i)); }
  FORCE_INLINE void soon(int64_t i) const { __builtin_prefetch(data + i, 0, 2); }
  FORCE_INLINE vec part(int64_t i, int64_t n) const { return rounded(loadPart(data + i, n)); }
};
struct HalfRight {
  const uint16_t* data;
  static FORCE_INLINE vec wide(halves h) { return asFloat(__builtin_convertvector(h, uvec) << 16); }
  FORCE_INLINE vec at(int64_t i) const { return wide(*reinterpret_cast<const halvesInMemory*>(data + i)); }
  FORCE_INLINE void soon(int64_t i) const { __builtin_prefetch(data + i, 0, 2); }
  FORCE_INLINE vec part(int64_t i, int64_t n) const {
    halves h = {};
    for (int lane = 0; lane < W && lane < n; lane++) h[lane] = data[i + lane];
    return wide(h);
  }
};

// y = x as bfloat16, nearest even.
static void toHalves(const float* x, uint16_t* y, int64_t n) {
  parallelRanges(n, 1 << 16, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += W) {
      const uvec words = asWords(toBfloat16(loadPart(x + i, end - i)));
      for (int lane = 0; lane < W && i + lane < end; lane++) y[i + lane] = static_cast<uint16_t>(words[lane] >> 16);
    }
  });
}

// One row of b at a time is what hardware foresees best; more than four rows of a would then be read, or written, too often.

// c[i, n] = a_i · b_n for columns [begin, end), b stored [n, k].
template <class B, int M>
static void dotColumns(const Matmul& p, const B& b, const float* a, int64_t begin, int64_t end) {
  constexpr int step = M > 4 ? 2 : 1, written = 4;
  for (int64_t n = begin; n < end; n += written) {
    float lanes[M][W] = {};
    for (int64_t first = 0; first < least(written, end - n); first += step) {
      int64_t row[step];
      for (int j = 0; j < step; j++) row[j] = least(n + first + j, end - 1) * p.ldb;
      vec sum[M][step];
      for (int i = 0; i < M; i++)
        for (int j = 0; j < step; j++) sum[i][j] = vec{};
      int64_t k = 0;
      for (; k + W <= p.k; k += W) {
        vec right[step];
#pragma GCC unroll 2
        for (int j = 0; j < step; j++) {
          right[j] = b.at(row[j] + k);
          b.soon(row[j] + step * p.ldb + k);
        }
#pragma GCC unroll 8
        for (int i = 0; i < M; i++)
#pragma GCC unroll 2
          for (int j = 0; j < step; j++) sum[i][j] += load(a + i * p.k + k) * right[j];
      }
      if (k < p.k)
        for (int i = 0; i < M; i++)
          for (int j = 0; j < step; j++) sum[i][j] += loadPart(a + i * p.k + k, p.k - k) * b.part(row[j] + k, p.k - k);
      for (int i = 0; i < M; i++)
        for (int j = 0; j < step; j++) lanes[i][first + j] = sumLanes(sum[i][j]);
    }
    for (int i = 0; i < p.m; i++) writeVector(outputOf(p), i * p.ldc + n, n, load(lanes[i]), least(written, end - n));
  }
}

// sums[i, n] = the sum over k in [begin, end) of a_ik · b[k, n]; the sums stay in the first cache.
template <class B, int M>
static void addRows(const Matmul& p, const B& b, const float* a, int64_t begin, int64_t end, float* sums) {
  constexpr int step = M > 4 ? 8 : 1;
  memset(sums, 0, M * p.n * sizeof(float));
  for (int64_t k = begin; k < end; k += step) {
    const int64_t rows = least(step, end - k);
    int64_t n = 0;
    for (; rows == step && n + W <= p.n; n += W) {
      vec sum[M];
#pragma GCC unroll 8
      for (int i = 0; i < M; i++) sum[i] = load(sums + i * p.n + n);
#pragma GCC unroll 8
      for (int r = 0; r < step; r++) {
        const vec right = b.at((k + r) * p.ldb + n);
        b.soon((k + step + r) * p.ldb + n);
#pragma GCC unroll 8
        for (int i = 0; i < M; i++) sum[i] += all(a[i * p.k + k + r]) * right;
      }
#pragma GCC unroll 8
      for (int i = 0; i < M; i++) store(sums + i * p.n + n, sum[i]);
    }
    for (; n < p.n; n += W) {
      const int64_t columns = p.n - n;
      for (int i = 0; i < M; i++) {
        vec sum = loadPart(sums + i * p.n + n, columns);
        for (int64_t r = 0; r < rows; r++) sum += all(a[i * p.k + k + r]) * b.part((k + r) * p.ldb + n, columns);
        storePart(sums + i * p.n + n, sum, columns);
      }
    }
  }
}

// Whole rows of b are shared out, not columns: every task reads one run of memory.
template <class B, int M>
static void sumRows(const Matmul& p, const B& b, const float* a) {
  const int64_t runs = most(1, least(least(mostRuns, ceilDiv(p.k, 8)), p.n * p.k / runNumbers));
  const int64_t each = ceilDiv(ceilDiv(p.k, runs), 8) * 8, size = M * p.n, count = ceilDiv(p.k, each);
  float* partial = scratch(slotPackA, count * size);  // no caller of a product holds that
  parallelRanges(p.k, each, [&](int64_t begin, int64_t end) {
    addRows<B, M>(p, b, a, begin, end, partial + begin / each * size);
  });
  for (int i = 0; i < p.m; i++)
    for (int64_t n = 0; n < p.n; n += W) {
      const int64_t columns = p.n - n;
      vec sum = {};
      for (int64_t run = 0; run < count; run++) sum += loadPart(partial + run * size + i * p.n + n, columns);
      writeVector(outputOf(p), i * p.ldc + n, n, sum, columns);
    }
}

template <class B, int M>
static void fewRowsOf(const Matmul& p, const B& b, const float* a) {
  if (!p.tb) return sumRows<B, M>(p, b, a);
  const int64_t grain = p.n * p.k < (1 << 15) ? p.n : most(16, least(2048, runNumbers / p.k)) / 4 * 4;
  parallelRanges(p.n, grain, [&](int64_t begin, int64_t end) { dotColumns<B, M>(p, b, a, begin, end); });
}

// Rows that a product is compiled for: 1, 2, 4 or 8. Where there are fewer, zeros stand for the others.
static int64_t compiledRows(int64_t m) { return m <= 2 ? m : m <= 4 ? 4 : 8; }

// The left side by row, one behind the other; rounded where products round.
template <class F>
static const float* leftRows(const Matmul& p) {
  const int64_t rows = compiledRows(p.m);
  const bool inPlace = p.m == 1 ? !p.ta || p.lda == 1 : !p.ta && p.lda == p.k;
  if (inPlace && !F::rounded && rows == p.m) return p.a;
  float* copy = scratch(slotSmall, rows * p.k);
  memset(copy + p.m * p.k, 0, (rows - p.m) * p.k * sizeof(float));
  for (int64_t i = 0; i < p.m; i++)
    for (int64_t k = 0; k < p.k; k++) {
      const float x = p.ta ? p.a[k * p.lda + i] : p.a[i * p.lda + k];
      copy[i * p.k + k] = F::rounded ? toBfloat16(all(x))[0] : x;
    }
  return copy;
}

template <class B>
static void fewRowsFrom(const Matmul& p, const B& b, const float* a) {
  switch (compiledRows(p.m)) {
    case 1: return fewRowsOf<B, 1>(p, b, a);
    case 2: return fewRowsOf<B, 2>(p, b, a);
    case 4: return fewRowsOf<B, 4>(p, b, a);
    default: return fewRowsOf<B, 8>(p, b, a);
  }
}

template <class F>
static void fewRows(const Matmul& p) { fewRowsFrom(p, WideRight<F>{p.b}, leftRows<F>(p)); }

// At most eight rows; b, as p.b would lie, is stored as bfloat16.
static void matmulHalves(const Matmul& p, const uint16_t* b) { fewRowsFrom(p, HalfRight{b}, leftRows<Rounded>(p)); }

SOFTBOX_END
