// The affine map of a layer, y = x · kernel + bias, with GELU or a residual sum in its last step; all its gradients at once.
#pragma once
#include "matmul.h"
#include "rows.h"

SOFTBOX_BEGIN

static Matmul productOf(const Linear& l, const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k) {
  Matmul p{a, b, c, m, n, k, k, n, n, false, false, false};
  p.rounded = l.rounded;
  return p;
}

// slope: y goes through GELU, whose derivative is kept.
static void linear(const Linear& l) {
  Matmul p = productOf(l, l.x, l.kernel, l.y, l.rows, l.outputs, l.inputs);
  p.bias = l.bias;
  p.residual = l.residual;
  p.slope = l.slope;
  if (l.slope) p.activation = activationGelu;
  matmul(p);
}

// du = dy · slope, a row; adds it to the column sums where they are wanted.
static void slopedRow(const float* dy, const float* slope, float* du, float* sum, int64_t n) {
  for (int64_t j = 0; j < n; j += W) {
    const bool whole = n - j >= W;
    const auto get = [&](const float* p) { return whole ? load(p + j) : loadPart(p + j, n - j); };
    const vec d = get(dy) * get(slope);
    whole ? store(du + j, d) : storePart(du + j, d, n - j);
    if (!sum) continue;
    const vec s = get(sum) + d;
    whole ? store(sum + j, s) : storePart(sum + j, s, n - j);
  }
}

// The gradient before the activation, and its column sums; `dy` itself where there is no activation.
static const float* outputGrad(const Linear& l) {
  if (!l.slope && !l.dBias) return l.dy;
  const int64_t pieces = rowPieces(l.rows, l.outputs), columns = l.outputs;
  float* du = l.slope ? scratch(slotRows, l.rows * columns) : nullptr;
  float* partial = scratch(slotPartial, pieces * columns);
  parallel(pieces, [=](int64_t piece) {
    float* sum = partial + piece * columns;
    const int64_t begin = l.rows * piece / pieces, end = l.rows * (piece + 1) / pieces;
    memset(sum, 0, columns * sizeof(float));
    if (!l.slope) return addColumns(l.dy, sum, begin, end, columns);
    for (int64_t i = begin * columns; i < end * columns; i += columns)
      slopedRow(l.dy + i, l.slope + i, du + i, l.dBias ? sum : nullptr, columns);
  });
  if (l.dBias) combinePieces(partial, pieces, l.dBias, columns, 1.0f);
  return l.slope ? du : l.dy;
}

static void linearGrad(const Linear& l) {
  const float* du = outputGrad(l);
  Matmul dx = productOf(l, du, l.kernel, l.dx, l.rows, l.inputs, l.outputs);
  dx.tb = true;
  dx.ldb = l.outputs;
  matmul(dx);
  Matmul dKernel = productOf(l, l.x, du, l.dKernel, l.inputs, l.outputs, l.rows);
  dKernel.ta = true;
  dKernel.lda = l.inputs;
  matmul(dKernel);
}

SOFTBOX_END
