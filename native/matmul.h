// Matrix products after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": both sides are
// packed into panels that fit the caches, unless they are used so little that reading them in place is cheaper.
#pragma once
#include "fewrows.h"

SOFTBOX_BEGIN

constexpr int64_t depthBlock = 384;        // words of one pass over C: a row panel of A stays in the first cache
constexpr int64_t columnBlock = 2048;      // of B packed at once
constexpr int64_t depthSuper = 2304;       // words of A packed at once: depthSuper x rowSuper
constexpr int64_t packedLeftWords = 3 << 20;
constexpr int64_t flopsPerTask = 1 << 20;
constexpr int64_t mostInPlace = 512;       // rows or columns of the other side: each reads a side again that is not packed

static void finishEmpty(const Matmul& p) {
  for (int64_t i = 0; i < p.m; i++)
    for (int64_t j = 0; j < p.n; j += W) writeVector(outputOf(p), i * p.ldc + j, j, vec{}, p.n - j);
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

// Packs what `left` and `right` point to, where they are given.
template <class F>
static void packBoth(const Matmul& p, const Pass& s, const Left<F>* left, const Right<F>* right) {
  const int64_t leftPanels = left ? left->count() : 0, rightPanels = right ? right->count() : 0;
  const int64_t words = F::words(s.deep), group = most(1, (1 << 15) / (words * tileColumns));
  const int64_t leftTasks = ceilDiv(leftPanels, group), rightTasks = ceilDiv(rightPanels, group);
  if (leftTasks + rightTasks == 0) return;
  parallel(leftTasks + rightTasks, [&](int64_t task) {
    if (task < leftTasks) {
      for (int64_t i = task * group; i < least(leftPanels, (task + 1) * group); i++)
        packLeft(*left, i, leftAt(p, s.row, s.depth), p.lda, p.ta, s.deep);
      return;
    }
    for (int64_t j = (task - leftTasks) * group; j < least(rightPanels, (task - leftTasks + 1) * group); j++)
      packRightPanel<F>(rightAt(p, s.depth, s.column + j * tileColumns), p.ldb, p.tb,
                        least(tileColumns, s.columns - j * tileColumns), s.deep,
                        const_cast<float*>(right->data) + j * tileColumns * words);
  });
}

template <class F>
static void computePass(const Matmul& p, const Pass& s, const Left<F>& left, const Right<F>& right) {
  const bool first = s.depth == 0, last = s.depth + s.deep == p.k;
  Output out = outputOf(p).at(s.row, s.column);
  out.accumulate = p.accumulate || !first;
  if (!last) out = {out.c, out.ldc, out.accumulate};
  int64_t rowGroup = 8, columnGroup = 8;
  const int64_t rowPanels = left.count(), columnPanels = right.count();
  const int64_t tileFlops = 2 * tileRows<F> * tileColumns * s.deep;
  while (ceilDiv(rowPanels, rowGroup) * ceilDiv(columnPanels, columnGroup) < 16 &&
         rowGroup * columnGroup * tileFlops > flopsPerTask && rowGroup * columnGroup > 1)
    (rowGroup > columnGroup ? rowGroup : columnGroup) /= 2;
  const int64_t rowTasks = ceilDiv(rowPanels, rowGroup), columnTasks = ceilDiv(columnPanels, columnGroup);
  parallel(rowTasks * columnTasks, [&](int64_t task) {
    const int64_t i = task % rowTasks * rowGroup, j = task / rowTasks * columnGroup;
    multiplyPanels(left, right, out, i, least(rowPanels, i + rowGroup), j, least(columnPanels, j + columnGroup));
  });
}

// How a product is cut, and where its packed sides lie. Null buffers: that side is read in place.
template <class F>
struct Plan {
  int64_t superDepth, superRows, passDepth, slack;
  float *left = nullptr, *right = nullptr, *tail = nullptr;

  explicit Plan(const Matmul& p) {
    const int64_t mostDeep = depthSuper / depthBlock * depthBlock * F::numbers;
    passDepth = depthBlock * F::numbers;
    superDepth = least(p.k, mostDeep);
    superRows = least(p.m, packedLeftWords / F::words(superDepth) / tileRows<F> * tileRows<F>);
    slack = ceilDiv(superRows, tileRows<F>) * W;  // of one pass, see Left::packedStart
    // Strides of whole pages put all rows of a tile into the same few sets of the first cache.
    const bool leftInPlace = !F::rounded && p.n <= mostInPlace && p.lda % 1024 != 0;
    const bool rightInPlace = !F::rounded && !p.tb && p.m <= mostInPlace && p.ldb % 1024 != 0;
    const int64_t passes = ceilDiv(superDepth, passDepth), words = F::words(least(p.k, passDepth));
    if (!leftInPlace)
      left = scratch(slotPackA, (superRows * words + slack) * passes + Left<F>::overrun(words));
    if (!rightInPlace) right = scratch(slotPackB, ceilDiv(least(p.n, columnBlock), tileColumns) * tileColumns * words + W);
    else tail = scratch(slotTail, tileColumns * depthBlock + W);
  }
};

// One pass: packs what is not there yet, then multiplies.
template <class F>
static void runPass(const Matmul& p, const Plan<F>& plan, const Pass& s, int64_t leftOffset) {
  const bool packsLeft = plan.left && s.column == 0;
  Left<F> left = leftAtPanels<F>(plan.left + leftOffset, s.rows, s.deep, p.ta);
  Right<F> right{plan.right, s.columns, F::words(s.deep), 0, true, nullptr};
  if constexpr (!F::rounded) {
    if (!plan.left)
      left = {leftAt(p, s.row, s.depth), s.rows, s.deep, p.lda, p.ta ? Left<F>::depthMajor : Left<F>::rowMajor};
    if (!plan.right) right = rightOf<F>(rightAt(p, s.depth, s.column), p.ldb, s.columns, s.deep, plan.tail);
  }
  packBoth(p, s, packsLeft ? &left : nullptr, plan.right ? &right : nullptr);
  computePass(p, s, left, right);
}

template <class F>
static void blockedMatmul(const Matmul& p) {
  const Plan<F> plan(p);
  for (int64_t deep0 = 0; deep0 < p.k; deep0 += plan.superDepth) {
    const int64_t deepAll = least(plan.superDepth, p.k - deep0), passes = ceilDiv(deepAll, plan.passDepth);
    // An even number deep, so that pairs do not straddle passes.
    const int64_t deepEach = ceilDiv(ceilDiv(deepAll, passes), 2) * 2;
    for (int64_t row = 0; row < p.m; row += plan.superRows) {
      const int64_t rows = least(plan.superRows, p.m - row);
      for (int64_t column = 0; column < p.n; column += columnBlock)
        for (int64_t pass = 0; pass * deepEach < deepAll; pass++) {
          const int64_t from = pass * deepEach, deep = least(deepEach, deepAll - from);
          const Pass s{row, rows, column, least(columnBlock, p.n - column), deep0 + from, deep};
          runPass(p, plan, s, pass * (rows * F::words(deepEach) + plan.slack));
        }
    }
  }
}

// ---- entry points

template <class F>
static void matmulAs(const Matmul& p) {
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0) return finishEmpty(p);
  if (p.n == 1 && p.m > 4 && p.ldc == 1 && !p.bias && !p.activation && !p.residual) {
    // A column is a row of the transposed product.
    return fewRows<F>({p.b, p.a, p.c, 1, p.m, p.k, p.ldb, p.lda, p.m, !p.tb, !p.ta, p.accumulate, nullptr, 0});
  }
  if (p.m <= mostFewRows) return fewRows<F>(p);
  blockedMatmul<F>(p);
}

static void matmul(const Matmul& p) { p.rounded ? matmulAs<Rounded>(p) : matmulAs<Exact>(p); }

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
