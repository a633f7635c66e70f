// Matrix products after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": both sides are
// packed into panels that fit the caches, unless they are used so little that reading them in place is cheaper.
#pragma once
#include "fewrows.h"

SOFTBOX_BEGIN

constexpr int64_t depthBlock = 384;        // words of one pass over C: a row panel of A stays in the first cache
constexpr int64_t depthSuper = 2304;       // words packed at once
constexpr int64_t packedLeftWords = 3 << 20;
constexpr int64_t packedRightWords = 1 << 20;
constexpr int64_t leastFlops = 1 << 20, mostFlops = 1 << 25;  // of a task: worth being handed over, soon done
constexpr int64_t mostInPlace = 512;       // rows or columns of the other side: each reads a side again that is not packed

static void finishEmpty(const Matmul& p) {
  for (int64_t i = 0; i < p.m; i++)
    for (int64_t j = 0; j < p.n; j += W) writeVector(outputOf(p), i * p.ldc + j, j, vec{}, p.n - j);
}

// ---- the general case

// What is packed at once: c rows [row, row + rows) x columns [column, column + columns), depth [depth, depth + deep), which is
// passed over in steps of `step`, an even number, so that pairs do not straddle passes.
struct Block {
  int64_t row, rows, column, columns, depth, deep, step;
  int64_t passes() const { return ceilDiv(deep, step); }
  int64_t from(int64_t pass) const { return depth + pass * step; }
  int64_t stepOf(int64_t pass) const { return least(step, deep - pass * step); }
};

static const float* leftAt(const Matmul& p, int64_t row, int64_t depth) {
  return p.ta ? p.a + depth * p.lda + row : p.a + row * p.lda + depth;
}
static const float* rightAt(const Matmul& p, int64_t depth, int64_t column) {
  return p.tb ? p.b + column * p.ldb + depth : p.b + depth * p.ldb + column;
}

// How a product is cut, and where its packed sides lie. Null buffers: that side is read in place.
template <class F>
struct Plan {
  int64_t superDepth, superRows, superColumns;
  float *left = nullptr, *right = nullptr, *tail = nullptr;

  explicit Plan(const Matmul& p) {
    superDepth = least(p.k, depthSuper / depthBlock * depthBlock * F::numbers);
    const int64_t deep = F::words(superDepth), passes = ceilDiv(superDepth, depthBlock * F::numbers);
    superRows = least(p.m, packedLeftWords / deep / tileRows<F> * tileRows<F>);
    superColumns = least(p.n, packedRightWords / deep / tileColumns * tileColumns);
    // Strides of whole pages put all rows of a tile into the same few sets of the first cache.
    const bool leftInPlace = !F::rounded && p.n <= mostInPlace && p.lda % 1024 != 0;
    const bool rightInPlace = !F::rounded && !p.tb && p.m <= mostInPlace && p.ldb % 1024 != 0;
    const int64_t words = F::words(stepFor(superDepth));
    if (!leftInPlace) left = scratch(slotPackA, passes * leftStride(superRows, words) + Left<F>::overrun(words));
    if (!rightInPlace) right = scratch(slotPackB, passes * rightStride(superColumns, words) + W);
    else tail = scratch(slotTail, tileColumns * superDepth + W);
  }

  // Passes are equally deep.
  static int64_t stepFor(int64_t deep) {
    return ceilDiv(ceilDiv(deep, ceilDiv(deep, depthBlock * F::numbers)), 2) * 2;
  }
  // Words from pass to pass.
  static int64_t leftStride(int64_t rows, int64_t words) { return rows * words + ceilDiv(rows, tileRows<F>) * W; }
  static int64_t rightStride(int64_t columns, int64_t words) {
    return ceilDiv(columns, tileColumns) * tileColumns * words;
  }

  // The sides of one pass.
  Left<F> leftSide(const Matmul& p, const Block& s, int64_t pass) const {
    if (left)
      return leftAtPanels<F>(left + pass * leftStride(s.rows, F::words(s.step)), s.rows, s.stepOf(pass), p.ta);
    const auto form = p.ta ? Left<F>::depthMajor : Left<F>::rowMajor;
    return {leftAt(p, s.row, s.from(pass)), s.rows, s.stepOf(pass), p.lda, form};
  }
  Right<F> rightSide(const Matmul& p, const Block& s, int64_t pass) const {
    const int64_t words = F::words(s.stepOf(pass));
    if (right) return {right + pass * rightStride(s.columns, F::words(s.step)), s.columns, words, 0, true, nullptr};
    return {rightAt(p, s.from(pass), s.column), s.columns, words, p.ldb, false, tail + pass * s.step * tileColumns};
  }
};

// Packs both sides of all passes, as far as they are not read in place or, the left one, there already.
template <class F>
static void packBlock(const Matmul& p, const Plan<F>& plan, const Block& s) {
  const int64_t leftPanels = plan.left && s.column == 0 ? ceilDiv(s.rows, tileRows<F>) : 0;
  const int64_t rightPanels = plan.right ? ceilDiv(s.columns, tileColumns) : 0;
  const int64_t group = most(1, (1 << 15) / (F::words(s.step) * tileColumns));
  const int64_t leftTasks = ceilDiv(leftPanels, group), rightTasks = ceilDiv(rightPanels, group);
  const int64_t each = leftTasks + rightTasks;
  if (each > 0)
    parallel(each * s.passes(), [&](int64_t task) {
      const int64_t pass = task / each, at = task % each, from = s.from(pass), deep = s.stepOf(pass);
      if (at < leftTasks) {
        const Left<F> left = plan.leftSide(p, s, pass);
        for (int64_t i = at * group; i < least(leftPanels, (at + 1) * group); i++)
          packLeft(left, i, leftAt(p, s.row, from), p.lda, p.ta, deep);
        return;
      }
      const Right<F> right = plan.rightSide(p, s, pass);
      for (int64_t j = (at - leftTasks) * group; j < least(rightPanels, (at - leftTasks + 1) * group); j++)
        packRightPanel<F>(rightAt(p, from, s.column + j * tileColumns), p.ldb, p.tb,
                          least(tileColumns, s.columns - j * tileColumns), deep,
                          const_cast<float*>(right.data) + j * tileColumns * right.depth);
    });
  const int64_t rest = s.columns % tileColumns;
  if (plan.tail && rest)
    packRightPanel<F>(rightAt(p, s.depth, s.column + s.columns - rest), p.ldb, false, rest, s.deep, plan.tail);
}

// A task makes all passes over its part of C, which meanwhile stays in its second cache.
template <class F>
static void computeBlock(const Matmul& p, const Plan<F>& plan, const Block& s) {
  const Output whole = outputOf(p).at(s.row, s.column), sums{whole.c, whole.ldc};
  int64_t rowGroup = 8, columnGroup = 8;
  const int64_t rowPanels = ceilDiv(s.rows, tileRows<F>), columnPanels = ceilDiv(s.columns, tileColumns);
  const auto flops = [&] { return rowGroup * columnGroup * 2 * tileRows<F> * tileColumns * s.deep; };
  const auto tasks = [&] { return ceilDiv(rowPanels, rowGroup) * ceilDiv(columnPanels, columnGroup); };
  while (rowGroup * columnGroup > 1 && flops() > (tasks() < 16 ? leastFlops : mostFlops))
    (rowGroup > columnGroup ? rowGroup : columnGroup) /= 2;
  const int64_t rowTasks = ceilDiv(rowPanels, rowGroup);
  parallel(tasks(), [&](int64_t task) {
    const int64_t i = task % rowTasks * rowGroup, j = task / rowTasks * columnGroup;
    for (int64_t pass = 0; pass < s.passes(); pass++) {
      Output out = s.from(pass) + s.stepOf(pass) == p.k ? whole : sums;
      out.accumulate = p.accumulate || s.from(pass) > 0;
      multiplyPanels(plan.leftSide(p, s, pass), plan.rightSide(p, s, pass), out, i, least(rowPanels, i + rowGroup), j,
                     least(columnPanels, j + columnGroup));
    }
  });
}

template <class F>
static void blockedMatmul(const Matmul& p) {
  const Plan<F> plan(p);
  for (int64_t depth = 0; depth < p.k; depth += plan.superDepth) {
    const int64_t deep = least(plan.superDepth, p.k - depth);
    for (int64_t row = 0; row < p.m; row += plan.superRows)
      for (int64_t column = 0; column < p.n; column += plan.superColumns) {
        const Block s{row,  least(plan.superRows, p.m - row), column, least(plan.superColumns, p.n - column), depth,
                      deep, Plan<F>::stepFor(deep)};
        packBlock(p, plan, s);
        computeBlock(p, plan, s);
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
  if (batch >= 8 || flops < leastFlops) {
    const int64_t grain = most(1, (1 << 18) / most(1, flops));
    return parallelRanges(batch, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) one(i);
    });
  }
  for (int64_t i = 0; i < batch; i++) one(i);
}

SOFTBOX_END
