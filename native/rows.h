// Reductions and normalisations: softmax, layer norm, sums, means and maxima over rows or columns.
#pragma once
#include "vectormath.h"

SOFTBOX_BEGIN

constexpr int64_t rowWork = 1 << 14;  // elements a task

enum Reduction { reduceSum, reduceMean, reduceMax };

// ---- one row

FORCE_INLINE float rowSum(const float* x, int64_t n) {
  vec sum[4] = {};
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W)
#pragma GCC unroll 4
    for (int u = 0; u < 4; u++) sum[u] += load(x + i + u * W);
  for (; i + W <= n; i += W) sum[0] += load(x + i);
  if (i < n) sum[1] += loadPart(x + i, n - i);
  return sumLanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// NaN wherever there is one, as tfjs does.
FORCE_INLINE float rowMax(const float* x, int64_t n) {
  vec top = all(-__builtin_inff());
  ivec bad = {};
  int64_t i = 0;
  for (; i + W <= n; i += W) {
    const vec v = load(x + i);
    top = v > top ? v : top;
    bad |= (v != v);
  }
  if (i < n) {
    const vec v = loadPart(x + i, n - i, -__builtin_inff());
    top = v > top ? v : top;
    bad |= (v != v);
  }
  return anyLane(bad) ? __builtin_nanf("") : maxLanes(top);
}

// y = e^(x - shift); returns the sum. x may be y.
FORCE_INLINE float rowExp(const float* x, float* y, int64_t n, float shift) {
  vec sum = {};
  int64_t i = 0;
  for (; i + W <= n; i += W) {
    const vec e = expOfNegative(load(x + i) - all(shift));
    store(y + i, e);
    sum += e;
  }
  if (i < n) {
    const vec e = expOfNegative(loadPart(x + i, n - i, -__builtin_inff()) - all(shift));
    storePart(y + i, e, n - i);
    sum += e;
  }
  return sumLanes(sum);
}

// The sum of rowExp without storing.
FORCE_INLINE float rowExpSum(const float* x, int64_t n, float shift) {
  vec sum = {};
  int64_t i = 0;
  for (; i + W <= n; i += W) sum += expOfNegative(load(x + i) - all(shift));
  if (i < n) sum += expOfNegative(loadPart(x + i, n - i, -__builtin_inff()) - all(shift));
  return sumLanes(sum);
}

FORCE_INLINE void rowScale(float* y, int64_t n, float scale) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, load(y + i) * all(scale));
  for (; i < n; i++) y[i] *= scale;
}

template <class F>
static void eachRow(int64_t rows, int64_t columns, const F& body) {
  parallelRanges(rows, most(1, rowWork / most(1, columns)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) body(i);
  });
}

// ---- softmax

static void softmax(const float* x, float* y, int64_t rows, int64_t columns, bool logarithm) {
  eachRow(rows, columns, [=](int64_t i) {
    const float* from = x + i * columns;
    float* to = y + i * columns;
    const float top = rowMax(from, columns);
    if (!logarithm) return rowScale(to, columns, 1.0f / rowExp(from, to, columns, top));
    const float logSum = __builtin_logf(rowExpSum(from, columns, top));
    // As tfjs: (x - max) - log sum.
    for (int64_t j = 0; j < columns; j++) to[j] = (from[j] - top) - logSum;
  });
}

// ---- reductions

static float reduceRow(int operation, const float* x, int64_t n) {
  if (operation == reduceMax) return rowMax(x, n);
  const float sum = rowSum(x, n);
  return operation == reduceMean ? sum / static_cast<float>(n) : sum;
}

// One long row: partial results of fixed pieces, combined in order in float64.
static float reduceLong(int operation, const float* x, int64_t n) {
  const int64_t pieces = ceilDiv(n, rowWork);
  float* partial = scratch(slotPartial, pieces);
  parallelRanges(n, rowWork, [=](int64_t begin, int64_t end) {
    partial[begin / rowWork] = reduceRow(operation == reduceMax ? reduceMax : reduceSum, x + begin, end - begin);
  });
  if (operation == reduceMax) return rowMax(partial, pieces);
  double sum = 0;
  for (int64_t i = 0; i < pieces; i++) sum += partial[i];
  return static_cast<float>(operation == reduceMean ? sum / static_cast<double>(n) : sum);
}

static void reduceRows(int operation, const float* x, float* y, int64_t rows, int64_t columns) {
  if (rows == 1) {
    y[0] = reduceLong(operation, x, columns);
    return;
  }
  eachRow(rows, columns, [=](int64_t i) { y[i] = reduceRow(operation, x + i * columns, columns); });
}

// sum (+)= the columns of x over rows [begin, end).
static void addColumns(const float* x, float* sum, int64_t begin, int64_t end, int64_t columns) {
  for (int64_t i = begin; i < end; i++) {
    const float* row = x + i * columns;
    int64_t j = 0;
    for (; j + W <= columns; j += W) store(sum + j, load(sum + j) + load(row + j));
    for (; j < columns; j++) sum[j] += row[j];
  }
}

// Pieces of rows whose partial column sums are combined in order.
constexpr int64_t rowPieces(int64_t rows, int64_t columns) {
  return most(1, least(least(64, ceilDiv(rows, 16)), rows * columns / (1 << 13)));
}

// y = the sum of `pieces` rows of `partial`, in order, times scale.
static void combinePieces(const float* partial, int64_t pieces, float* y, int64_t columns, float scale) {
  memcpy(y, partial, columns * sizeof(float));
  addColumns(partial, y, 1, pieces, columns);
  if (scale != 1.0f) rowScale(y, columns, scale);
}

static void maxColumns(const float* x, float* y, int64_t rows, int64_t columns) {
  memcpy(y, x, columns * sizeof(float));
  for (int64_t i = 1; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      const float v = x[i * columns + j];
      y[j] = v > y[j] || v != v ? v : y[j];
    }
}

static void reduceColumns(int operation, const float* x, float* y, int64_t rows, int64_t columns) {
  if (operation == reduceMax) return maxColumns(x, y, rows, columns);
  const int64_t pieces = rowPieces(rows, columns);
  float* partial = scratch(slotPartial, pieces * columns);
  parallel(pieces, [=](int64_t piece) {
    float* sum = partial + piece * columns;
    memset(sum, 0, columns * sizeof(float));
    addColumns(x, sum, rows * piece / pieces, rows * (piece + 1) / pieces, columns);
  });
  combinePieces(partial, pieces, y, columns, operation == reduceMean ? 1.0f / static_cast<float>(rows) : 1.0f);
}

// ---- layer norm (Ba, Kiros and Hinton 2016)

struct Moments {
  float mean, inverse;  // inverse standard deviation
};

FORCE_INLINE Moments rowMoments(const float* x, int64_t n, float epsilon) {
  const float mean = rowSum(x, n) / static_cast<float>(n);
  vec sum = {};
  int64_t i = 0;
  for (; i + W <= n; i += W) {
    const vec d = load(x + i) - all(mean);
    sum += d * d;
  }
  if (i < n) {
    const vec d = loadPart(x + i, n - i, mean) - all(mean);
    sum += d * d;
  }
  return {mean, 1.0f / __builtin_sqrtf(sumLanes(sum) / static_cast<float>(n) + epsilon)};
}

static void layerNorm(const float* x, const float* gain, const float* bias, float* y, int64_t rows, int64_t columns,
                      float epsilon) {
  eachRow(rows, columns, [=](int64_t i) {
    const float* from = x + i * columns;
    float* to = y + i * columns;
    const Moments m = rowMoments(from, columns, epsilon);
    int64_t j = 0;
    for (; j + W <= columns; j += W)
      store(to + j, (load(from + j) - all(m.mean)) * all(m.inverse) * load(gain + j) + load(bias + j));
    for (; j < columns; j++) to[j] = (from[j] - m.mean) * m.inverse * gain[j] + bias[j];
  });
}

// dx = inverse · (g - mean(g) - z · mean(g z)), g = dy · gain, z = (x - mean) · inverse; adds to dgain and dbias.
static void layerNormGradRow(const float* dy, const float* x, const float* gain, float* dx, float* dgain, float* dbias,
                             int64_t n, float epsilon) {
  const Moments m = rowMoments(x, n, epsilon);
  vec sumG = {}, sumGz = {};
  const auto visit = [&](int64_t j, int64_t lanes, bool whole) {
    const vec d = whole ? load(dy + j) : loadPart(dy + j, lanes);
    const vec z = ((whole ? load(x + j) : loadPart(x + j, lanes, m.mean)) - all(m.mean)) * all(m.inverse);
    const vec g = d * (whole ? load(gain + j) : loadPart(gain + j, lanes));
    sumG += g;
    sumGz += g * z;
    if (whole) {
      store(dgain + j, load(dgain + j) + d * z);
      store(dbias + j, load(dbias + j) + d);
    } else {
      storePart(dgain + j, loadPart(dgain + j, lanes) + d * z, lanes);
      storePart(dbias + j, loadPart(dbias + j, lanes) + d, lanes);
    }
  };
  int64_t j = 0;
  for (; j + W <= n; j += W) visit(j, W, true);
  if (j < n) visit(j, n - j, false);
  const float meanG = sumLanes(sumG) / static_cast<float>(n), meanGz = sumLanes(sumGz) / static_cast<float>(n);
  for (j = 0; j + W <= n; j += W) {
    const vec z = (load(x + j) - all(m.mean)) * all(m.inverse);
    store(dx + j, all(m.inverse) * (load(dy + j) * load(gain + j) - all(meanG) - z * all(meanGz)));
  }
  for (; j < n; j++) {
    const float z = (x[j] - m.mean) * m.inverse;
    dx[j] = m.inverse * (dy[j] * gain[j] - meanG - z * meanGz);
  }
}

static void layerNormGrad(const float* dy, const float* x, const float* gain, float* dx, float* dgain, float* dbias,
                          int64_t rows, int64_t columns, float epsilon) {
  const int64_t pieces = rowPieces(rows, columns);
  float* partial = scratch(slotPartial, 2 * pieces * columns);
  parallel(pieces, [=](int64_t piece) {
    float* pieceGain = partial + piece * columns;
    float* pieceBias = pieceGain + pieces * columns;
    memset(pieceGain, 0, columns * sizeof(float));
    memset(pieceBias, 0, columns * sizeof(float));
    for (int64_t i = rows * piece / pieces; i < rows * (piece + 1) / pieces; i++)
      layerNormGradRow(dy + i * columns, x + i * columns, gain, dx + i * columns, pieceGain, pieceBias, columns,
                       epsilon);
  });
  combinePieces(partial, pieces, dgain, columns, 1.0f);
  combinePieces(partial + pieces * columns, pieces, dbias, columns, 1.0f);
}

// ---- RMS norm (Zhang and Sennrich 2019)

// 1 / √(mean of squares + ε).
FORCE_INLINE float rowInverseRms(const float* x, int64_t n, float epsilon) {
  vec sum = {};
  int64_t i = 0;
  for (; i + W <= n; i += W) sum += load(x + i) * load(x + i);
  if (i < n) {
    const vec rest = loadPart(x + i, n - i);
    sum += rest * rest;
  }
  return 1.0f / __builtin_sqrtf(sumLanes(sum) / static_cast<float>(n) + epsilon);
}

static void rmsNorm(const float* x, const float* gain, float* y, int64_t rows, int64_t columns, float epsilon) {
  eachRow(rows, columns, [=](int64_t i) {
    const float* from = x + i * columns;
    float* to = y + i * columns;
    const float inverse = rowInverseRms(from, columns, epsilon);
    int64_t j = 0;
    for (; j + W <= columns; j += W) store(to + j, load(from + j) * all(inverse) * load(gain + j));
    for (; j < columns; j++) to[j] = from[j] * inverse * gain[j];
  });
}

// dx = inverse · (g - z · mean(g z)), g = dy · gain, z = x · inverse; adds dy · z to dgain.
static void rmsNormGradRow(const float* dy, const float* x, const float* gain, float* dx, float* dgain, int64_t n,
                           float epsilon) {
  const float inverse = rowInverseRms(x, n, epsilon);
  vec sumGz = {};
  for (int64_t j = 0; j < n; j += W) {
    const bool whole = n - j >= W;
    const auto get = [&](const float* p) { return whole ? load(p + j) : loadPart(p + j, n - j); };
    const vec dz = get(dy) * (get(x) * all(inverse)), sum = get(dgain) + dz;
    sumGz += dz * get(gain);
    whole ? store(dgain + j, sum) : storePart(dgain + j, sum, n - j);
  }
  const float meanGz = sumLanes(sumGz) / static_cast<float>(n);
  int64_t j = 0;
  for (; j + W <= n; j += W)
    store(dx + j, all(inverse) * (load(dy + j) * load(gain + j) - load(x + j) * all(inverse * meanGz)));
  for (; j < n; j++) dx[j] = inverse * (dy[j] * gain[j] - x[j] * (inverse * meanGz));
}

static void rmsNormGrad(const float* dy, const float* x, const float* gain, float* dx, float* dgain, int64_t rows,
                        int64_t columns, float epsilon) {
  const int64_t pieces = rowPieces(rows, columns);
  float* partial = scratch(slotPartial, pieces * columns);
  parallel(pieces, [=](int64_t piece) {
    float* pieceGain = partial + piece * columns;
    memset(pieceGain, 0, columns * sizeof(float));
    for (int64_t i = rows * piece / pieces; i < rows * (piece + 1) / pieces; i++)
      rmsNormGradRow(dy + i * columns, x + i * columns, gain, dx + i * columns, pieceGain, columns, epsilon);
  });
  combinePieces(partial, pieces, dgain, columns, 1.0f);
}

SOFTBOX_END
