// Functions of one element, or of two with broadcasting over [rows, columns].
#pragma once
#include "vectormath.h"

SOFTBOX_BEGIN

constexpr int64_t elementGrain = 1 << 14;

template <class F>
static void mapUnary(const float* x, float* y, int64_t n, const F& f) {
  parallelRanges(n, elementGrain, [&](int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + W <= end; i += W) store(y + i, f(load(x + i)));
    if (i < end) storePart(y + i, f(loadPart(x + i, end - i)), end - i);
  });
}

FORCE_INLINE vec squareRoot(vec x) {
#if defined(__wasm__)
  return __builtin_wasm_sqrt_f32x4(x);
#else
  vec y;
  for (int i = 0; i < W; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
#endif
}

// The numbers are known to kernels-elementwise.ts.
static void unary(int operation, const float* x, float* y, int64_t n) {
  switch (operation) {
    case 0: return mapUnary(x, y, n, [](vec v) { return expOf(v); });
    case 1: return mapUnary(x, y, n, [](vec v) { return logOf(v); });
    case 2: return mapUnary(x, y, n, [](vec v) { return tanhOf(v); });
    case 3: return mapUnary(x, y, n, [](vec v) { return logisticOf(v); });
    case 4: return mapUnary(x, y, n, [](vec v) { return v * v; });
    case 5: return mapUnary(x, y, n, [](vec v) { return squareRoot(v); });
    case 6: return mapUnary(x, y, n, [](vec v) { return all(1.0f) / squareRoot(v); });
    case 7: return mapUnary(x, y, n, [](vec v) { return -v; });
    case 8: return mapUnary(x, y, n, [](vec v) { return v < vec{} ? vec{} : v; });
    case 9: return mapUnary(x, y, n, [](vec v) { return all(1.0f) / v; });
  }
}

template <class F>
static void binaryRow(const float* a, int64_t strideA, const float* b, int64_t strideB, float* y, int64_t n,
                      const F& f) {
  const vec a0 = all(*a), b0 = all(*b);
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, f(strideA ? load(a + i) : a0, strideB ? load(b + i) : b0));
  if (i < n)
    storePart(y + i, f(strideA ? loadPart(a + i, n - i) : a0, strideB ? loadPart(b + i, n - i, 1) : b0), n - i);
}

template <class F>
static void mapBinary(const Operand& a, const Operand& b, float* y, int64_t rows, int64_t columns, const F& f) {
  if (rows == 1) {
    return parallelRanges(columns, elementGrain, [&](int64_t begin, int64_t end) {
      binaryRow(a.data + begin * a.columnStride, a.columnStride, b.data + begin * b.columnStride, b.columnStride,
                y + begin, end - begin, f);
    });
  }
  parallelRanges(rows, most(1, elementGrain / columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      binaryRow(a.data + i * a.rowStride, a.columnStride, b.data + i * b.rowStride, b.columnStride, y + i * columns,
                columns, f);
  });
}

static void binary(int operation, const Operand& a, const Operand& b, float* y, int64_t rows, int64_t columns) {
  switch (operation) {
    case 0: return mapBinary(a, b, y, rows, columns, [](vec l, vec r) { return l + r; });
    case 1: return mapBinary(a, b, y, rows, columns, [](vec l, vec r) { return l - r; });
    case 2: return mapBinary(a, b, y, rows, columns, [](vec l, vec r) { return l * r; });
    case 3: return mapBinary(a, b, y, rows, columns, [](vec l, vec r) { return l / r; });
  }
}

static void gelu(const float* x, float* y, int64_t n) {
  mapUnary(x, y, n, [](vec v) { return geluOf(v); });
}

static void geluGrad(const float* dy, const float* x, float* dx, int64_t n) {
  const Operand left{dy, 0, 1}, right{x, 0, 1};
  mapBinary(left, right, dx, 1, n, [](vec d, vec v) { return d * geluSlope(v); });
}

// ---- SwiGLU (Shazeer 2020): a row is a gate g and as many values u; y = g · σ(g) · u

static void swiglu(const float* x, float* y, int64_t rows, int64_t columns) {
  parallelRanges(rows, most(1, elementGrain / most(1, columns)), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      for (int64_t j = 0; j < columns; j += W) {
        const float *gate = x + 2 * i * columns + j, *up = gate + columns;
        float* to = y + i * columns + j;
        const int64_t n = columns - j;
        if (n >= W) store(to, load(gate) * logisticOf(load(gate)) * load(up));
        else storePart(to, loadPart(gate, n) * logisticOf(loadPart(gate, n)) * loadPart(up, n), n);
      }
  });
}

static void swigluGrad(const float* dy, const float* x, float* dx, int64_t rows, int64_t columns) {
  parallelRanges(rows, most(1, elementGrain / most(1, columns)), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      for (int64_t j = 0; j < columns; j += W) {
        const int64_t at = 2 * i * columns + j, n = columns - j;
        const auto get = [&](const float* p) { return n >= W ? load(p) : loadPart(p, n); };
        const auto put = [&](float* p, vec v) { n >= W ? store(p, v) : storePart(p, v, n); };
        const vec gate = get(x + at), up = get(x + at + columns), d = get(dy + i * columns + j);
        const vec s = logisticOf(gate);
        put(dx + at, d * up * s * (all(1.0f) + gate * (all(1.0f) - s)));
        put(dx + at + columns, d * gate * s);
      }
  });
}

SOFTBOX_END
