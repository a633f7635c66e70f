// Matrix products after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": both sides are
// packed into panels that fit the caches, unless they are used so little that reading them in place is cheaper.
#pragma once
#include "micro.h"

SOFTBOX_BEGIN

constexpr int64_t depthBlock = 384;        // of one pass over C: a row panel of A stays in the first cache
constexpr int64_t columnBlock = 2048;      // of B packed at once
constexpr int64_t depthSuper = 2304;       // of A packed at once: depthSuper x rowSuper floats
constexpr int64_t packedLeftFloats = 3 << 20;
constexpr int64_t flopsPerTask = 1 << 20;

static void finishEmpty(const Matmul& p) {
  const Output out{p.c, p.ldc, p.accumulate, p.bias, p.activation};
  for (int64_t i = 0; i < p.m; i++)
    for (int64_t j = 0; j < p.n; j += W) {
      Output at = out;
      writeVector(at, p.c + i * p.ldc + j, j, vec{}, p.n - j);
    }
}

// ---- few rows: bounded by reading B once

// c[i, n..n+3] = a_i · b_n for b stored [n, k].
template <int M>
static void dotColumns(const Matmul& p, const float* a, int64_t begin, int64_t end) {
  for (int64_t n = begin; n < end; n += 4) {
    const float* b[4];
    for (int j = 0; j < 4; j++) b[j] = p.b + least(n + j, end - 1) * p.ldb;
    vec sum[M][4];
    for (int i = 0; i < M; i++)
      for (int j = 0; j < 4; j++) sum[i][j] = vec{};
    int64_t k = 0;
    for (; k + W <= p.k; k += W)
#pragma GCC unroll 4
      for (int i = 0; i < M; i++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) sum[i][j] += load(a + i * p.k + k) * load(b[j] + k);
    if (k < p.k)
      for (int i = 0; i < M; i++)
        for (int j = 0; j < 4; j++) sum[i][j] += loadPart(a + i * p.k + k, p.k - k) * loadPart(b[j] + k, p.k - k);
    for (int i = 0; i < M; i++) {
      float lanes[W] = {};
      for (int j = 0; j < 4; j++) lanes[j] = sumLanes(sum[i][j]);
      const Output out{nullptr, p.ldc, p.accumulate, p.bias, p.activation};
      writeVector(out, p.c + i * p.ldc + n, n, load(lanes), least(least(4, W), end - n));
    }
  }
}

// c[i, n] = sum over k of a_ik · b[k, n], eight rows of b at a time; c's range stays in the first cache.
template <int M>
static void addRows(const Matmul& p, const float* a, int64_t begin, int64_t end) {
  constexpr int step = 8;
  if (!p.accumulate)
    for (int i = 0; i < M; i++) memset(p.c + i * p.ldc + begin, 0, (end - begin) * sizeof(float));
  for (int64_t k = 0; k < p.k; k += step) {
    const int64_t rows = least(step, p.k - k);
    for (int64_t n = begin; n < end; n += W) {
      const int64_t columns = end - n;
      vec sum[M];
      for (int i = 0; i < M; i++) {
        const float* c = p.c + i * p.ldc + n;
        sum[i] = columns >= W ? load(c) : loadPart(c, columns);
      }
      const float* b = p.b + k * p.ldb + n;
      if (rows == step && columns >= W) {
#pragma GCC unroll 8
        for (int r = 0; r < step; r++)
          for (int i = 0; i < M; i++) sum[i] += all(a[i * p.k + k + r]) * load(b + r * p.ldb);
      } else {
        for (int64_t r = 0; r < rows; r++) {
          const vec right = columns >= W ? load(b + r * p.ldb) : loadPart(b + r * p.ldb, columns);
          for (int i = 0; i < M; i++) sum[i] += all(a[i * p.k + k + r]) * right;
        }
      }
      for (int i = 0; i < M; i++) {
        float* c = p.c + i * p.ldc + n;
        if (columns >= W) store(c, sum[i]);
        else storePart(c, sum[i], columns);
      }
    }
  }
  if (!p.bias && !p.activation) return;
  const Output out{nullptr, p.ldc, true, p.bias, p.activation};
  for (int i = 0; i < M; i++)
    for (int64_t n = begin; n < end; n += W) writeVector(out, p.c + i * p.ldc + n, n, vec{}, end - n);
}

template <int M>
static void fewRowsOf(const Matmul& p, const float* a) {
  const int64_t grain = p.tb ? most(16, least(2048, (1 << 16) / p.k)) / 4 * 4
                             : most(4 * W, least(4096, p.n / 8 / (4 * W) * (4 * W)));
  parallelRanges(p.n, p.n * p.k < (1 << 15) ? p.n : grain, [&](int64_t begin, int64_t end) {
    if (p.tb) dotColumns<M>(p, a, begin, end);
    else addRows<M>(p, a, begin, end);
  });
}

static void fewRows(const Matmul& p) {
  const float* a = p.a;
  const bool inPlace = p.m == 1 ? !p.ta || p.lda == 1 : !p.ta && p.lda == p.k;
  if (!inPlace) {
    float* copy = scratch(slotSmall, p.m * p.k);
    for (int64_t i = 0; i < p.m; i++)
      for (int64_t k = 0; k < p.k; k++) copy[i * p.k + k] = p.ta ? p.a[k * p.lda + i] : p.a[i * p.lda + k];
    a = copy;
  }
  switch (p.m) {
    case 1: return fewRowsOf<1>(p, a);
    case 2: return fewRowsOf<2>(p, a);
    case 3: return fewRowsOf<3>(p, a);
    default: return fewRowsOf<4>(p, a);
  }
}

// ---- the general case

// Blocks of one pass: c rows [row, row + rows) x columns [column, column + columns), depth [depth, depth + deep).
struct Pass {
  int64_t row, rows, column, columns, depth, deep;
};

static const float* leftAt(const Matmul& p, int64_t row, int64_t depth) {
  return p.ta ? p.a + depth * p.lda + row : p.a + row * p.lda + depth;
}
static const float* rightAt(const Matmul& p, int64_t depth, int64_t column) {
  return p.tb ? p.b + column * p.ldb + depth : p.b + depth * p.ldb + column;
}

static void packBoth(const Matmul& p, const Pass& s, const Left* left, float* leftTo, const Right* right,
                     float* rightTo) {
  const int64_t leftPanels = left ? left->panels() : 0, rightPanels = right ? right->panels() : 0;
  const int64_t panelFloats = s.deep * tileColumns;
  const int64_t group = most(1, (1 << 15) / panelFloats);
  const int64_t leftTasks = ceilDiv(leftPanels, group), rightTasks = ceilDiv(rightPanels, group);
  if (leftTasks + rightTasks == 0) return;
  parallel(leftTasks + rightTasks, [&](int64_t task) {
    if (task < leftTasks) {
      for (int64_t i = task * group; i < least(leftPanels, (task + 1) * group); i++) {
        const int64_t start = left->panelStart(i), rows = left->panelStart(i + 1) - start;
        packLeftPanel(leftAt(p, s.row + start, s.depth), p.lda, p.ta, rows, s.deep, leftTo + left->packedStart(i));
      }
      return;
    }
    for (int64_t j = (task - leftTasks) * group; j < least(rightPanels, (task - leftTasks + 1) * group); j++)
      packRightPanel(rightAt(p, s.depth, s.column + j * tileColumns), p.ldb, p.tb,
                     least(tileColumns, s.columns - j * tileColumns), s.deep, rightTo + j * tileColumns * s.deep);
  });
}

static void computePass(const Matmul& p, const Pass& s, const Left& left, const Right& right) {
  const bool first = s.depth == 0, last = s.depth + s.deep == p.k;
  const Output out{p.c + s.row * p.ldc + s.column, p.ldc, p.accumulate || !first,
                   last && p.bias ? p.bias + s.column : nullptr, last ? p.activation : activationNone};
  int64_t rowGroup = 8, columnGroup = 8;
  const int64_t rowPanels = left.panels(), columnPanels = right.panels();
  const int64_t tileFlops = 2 * tileRows * tileColumns * s.deep;
  while (ceilDiv(rowPanels, rowGroup) * ceilDiv(columnPanels, columnGroup) < 16 &&
         rowGroup * columnGroup * tileFlops > flopsPerTask && rowGroup * columnGroup > 1)
    (rowGroup > columnGroup ? rowGroup : columnGroup) /= 2;
  const int64_t rowTasks = ceilDiv(rowPanels, rowGroup), columnTasks = ceilDiv(columnPanels, columnGroup);
  parallel(rowTasks * columnTasks, [&](int64_t task) {
    const int64_t i = task % rowTasks * rowGroup, j = task / rowTasks * columnGroup;
    multiplyPanels(left, right, out, i, least(rowPanels, i + rowGroup), j, least(columnPanels, j + columnGroup));
  });
}

static void blockedMatmul(const Matmul& p) {
  // Strides of whole pages put all rows of a tile into the same few sets of the first cache.
  const bool leftInPlace = p.ta ? p.n <= 2 * tileColumns : p.n <= 3 * tileColumns && p.lda % 512 != 0;
  const bool rightDirect = !p.tb && p.m <= 4 * tileRows;
  const int64_t superDepth = p.k <= depthSuper ? p.k : depthSuper / depthBlock * depthBlock;
  const int64_t superRows = least(p.m, packedLeftFloats / least(superDepth, p.k) / tileRows * tileRows);
  const int64_t slack = ceilDiv(superRows, tileRows) * W;  // of one pass, see Left::packedStart
  const int64_t leftFloats = superRows * superDepth + ceilDiv(superDepth, depthBlock) * slack;
  float* const leftBuffer = leftInPlace ? nullptr : scratch(slotPackA, leftFloats);
  float* const rightBuffer =
      rightDirect ? nullptr : scratch(slotPackB, packedRightSize(least(p.n, columnBlock), least(p.k, depthBlock)) + W);
  float* const tail = rightDirect ? scratch(slotTail, tileColumns * depthBlock + W) : nullptr;

  for (int64_t deep0 = 0; deep0 < p.k; deep0 += superDepth) {
    const int64_t deepAll = least(superDepth, p.k - deep0), passes = ceilDiv(deepAll, depthBlock);
    for (int64_t row = 0; row < p.m; row += superRows) {
      const int64_t rows = least(superRows, p.m - row);
      for (int64_t column = 0; column < p.n; column += columnBlock) {
        for (int64_t pass = 0; pass < passes; pass++) {
          const int64_t from = deepAll * pass / passes, deep = deepAll * (pass + 1) / passes - from;
          const Pass s{row, rows, column, least(columnBlock, p.n - column), deep0 + from, deep};
          float* const leftTo = leftBuffer + rows * from + pass * slack;
          Left left{leftTo, rows, deep, 0, Left::packed};
          if (leftInPlace) left = {leftAt(p, row, s.depth), rows, deep, p.lda, p.ta ? Left::depthMajor : Left::rowMajor};
          Right right{rightBuffer, s.columns, deep, 0, true, nullptr};
          if (rightDirect) right = rightInPlace(rightAt(p, s.depth, column), p.ldb, s.columns, deep, tail);
          packBoth(p, s, leftInPlace || column > 0 ? nullptr : &left, leftTo, rightDirect ? nullptr : &right, rightBuffer);
          computePass(p, s, left, right);
        }
      }
    }
  }
}

// ---- entry points

static void matmul(const Matmul& p) {
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0) return finishEmpty(p);
  if (p.n == 1 && p.m > 4 && p.ldc == 1 && !p.bias && !p.activation) {
    // A column is a row of the transposed product.
    return fewRows({p.b, p.a, p.c, 1, p.m, p.k, p.ldb, p.lda, p.m, !p.tb, !p.ta, p.accumulate, nullptr, 0});
  }
  if (p.m <= 4) return fewRows(p);
  blockedMatmul(p);
}

static void matmulBatch(const Matmul& p, int64_t batch, int64_t strideA, int64_t strideB, int64_t strideC) {
  const auto one = [&](int64_t i) {
    Matmul at = p;
    at.a += i * strideA;
    at.b += i * strideB;
    at.c += i * strideC;
    matmul(at);
  };
  const int64_t flops = 2 * p.m * p.n * p.k;
  if (batch >= 8 || flops < flopsPerTask) {
    const int64_t grain = most(1, (1 << 18) / most(1, flops));
    return parallelRanges(batch, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) one(i);
    });
  }
  for (int64_t i = 0; i < batch; i++) one(i);
}

SOFTBOX_END
