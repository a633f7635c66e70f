// Matrix products after Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": both sides are
// packed into panels that fit the caches, unless they are used so little that reading them in place is cheaper.
#pragma once
#include "micro.h"

SOFTBOX_BEGIN

constexpr int64_t depthBlock = 384;        // words of one pass over C: a row panel of A stays in the first cache
constexpr int64_t columnBlock = 2048;      // of B packed at once
constexpr int64_t depthSuper = 2304;       // words of A packed at once: depthSuper x rowSuper
constexpr int64_t packedLeftWords = 3 << 20;
constexpr int64_t flopsPerTask = 1 << 20;

static Output outputOf(const Matmul& p) {
  return {p.c, p.ldc, p.accumulate, p.bias, p.activation, p.before, p.residual};
}

static void finishEmpty(const Matmul& p) {
  for (int64_t i = 0; i < p.m; i++)
    for (int64_t j = 0; j < p.n; j += W) writeVector(outputOf(p), i * p.ldc + j, j, vec{}, p.n - j);
}

// ---- few rows: bounded by reading B once, rounded on the way where that is asked for

template <class F>
FORCE_INLINE vec roundedAs(vec x) { return F::rounded ? toBfloat16(x) : x; }

// c[i, n..n+3] = a_i · b_n for b stored [n, k].
template <class F, int M>
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
        for (int j = 0; j < 4; j++) sum[i][j] += load(a + i * p.k + k) * roundedAs<F>(load(b[j] + k));
    if (k < p.k)
      for (int i = 0; i < M; i++)
        for (int j = 0; j < 4; j++) 
          sum[i][j] += loadPart(a + i * p.k + k, p.k - k) * roundedAs<F>(loadPart(b[j] + k, p.k - k));
    for (int i = 0; i < M; i++) {
      float lanes[W] = {};
      for (int j = 0; j < 4; j++) lanes[j] = sumLanes(sum[i][j]);
      writeVector(outputOf(p), i * p.ldc + n, n, load(lanes), least(least(4, W), end - n));
    }
  }
}

// c[i, n] = sum over k of a_ik · b[k, n], eight rows of b at a time; c's range stays in the first cache.
template <class F, int M>
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
          for (int i = 0; i < M; i++) sum[i] += all(a[i * p.k + k + r]) * roundedAs<F>(load(b + r * p.ldb));
      } else {
        for (int64_t r = 0; r < rows; r++) {
          const vec right = roundedAs<F>(columns >= W ? load(b + r * p.ldb) : loadPart(b + r * p.ldb, columns));
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
  Output out = outputOf(p);
  out.accumulate = false;
  if (out.plain()) return;
  out.accumulate = true;
  for (int i = 0; i < M; i++)
    for (int64_t n = begin; n < end; n += W) writeVector(out, i * p.ldc + n, n, vec{}, end - n);
}

template <class F, int M>
static void fewRowsOf(const Matmul& p, const float* a) {
  const int64_t grain = p.tb ? most(16, least(2048, (1 << 16) / p.k)) / 4 * 4
                             : most(4 * W, least(4096, p.n / 8 / (4 * W) * (4 * W)));
  parallelRanges(p.n, p.n * p.k < (1 << 15) ? p.n : grain, [&](int64_t begin, int64_t end) {
    if (p.tb) dotColumns<F, M>(p, a, begin, end);
    else addRows<F, M>(p, a, begin, end);
  });
}

template <class F>
static void fewRows(const Matmul& p) {
  const float* a = p.a;
  const bool inPlace = p.m == 1 ? !p.ta || p.lda == 1 : !p.ta && p.lda == p.k;
  if (!inPlace || F::rounded) {
    float* copy = scratch(slotSmall, p.m * p.k);
    for (int64_t i = 0; i < p.m; i++)
      for (int64_t k = 0; k < p.k; k++) {
        const float x = p.ta ? p.a[k * p.lda + i] : p.a[i * p.lda + k];
        copy[i * p.k + k] = F::rounded ? toBfloat16(all(x))[0] : x;
      }
    a = copy;
  }
  switch (p.m) {
    case 1: return fewRowsOf<F, 1>(p, a);
    case 2: return fewRowsOf<F, 2>(p, a);
    case 3: return fewRowsOf<F, 3>(p, a);
    default: return fewRowsOf<F, 4>(p, a);
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
    const bool leftInPlace =
        !F::rounded && (p.ta ? p.n <= 2 * tileColumns : p.n <= 3 * tileColumns && p.lda % 512 != 0);
    const bool rightInPlace = !F::rounded && !p.tb && p.m <= 4 * tileRows<F>;
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
  if (p.m <= 4) return fewRows<F>(p);
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
