// The way back through a recurrent layer. One barrier a step: a task takes the product of the gradients behind it with its
// units' weights, and makes the gradients of its units' gates from it at once. Those of the weights are one product at the end.
#pragma once
#include "recurrent.h"
#include "rows.h"

SOFTBOX_BEGIN

// Gradients of what the weights' products gave, `[B·T, gates · U]`: dGates itself, or beside it where a gate scales its product.
template <class Cell>
static float* productGradients(const Recurrent& r) {
  return Cell::carriesHidden ? scratch(slotKeys, r.batch * r.time * Cell::gates * r.units) : r.dGates;
}

// One group's units at one step: `sums` hold the product with what came from behind, where there is one.
template <class Cell>
static void stepUnitsBack(const Recurrent& r, const float* sums, int64_t step, int64_t unit, int64_t units,
                          float* carried, float* next, float* products) {
  const int64_t U = r.units, ld = spacedRow(U), ldGates = spacedRow(Cell::gates * U);
  for (int64_t row = 0; row < r.batch; row++)
    for (int64_t j = 0; j < units; j += W) {
      const Units at{row, step, unit + j, {units - j}};
      float* const ownCarried = carried + row * ld + at.unit;
      vec dh = at.lanes.get(r.dOutput + at.token(r) * U + at.unit);
      if (sums) dh += load(sums + row * unitGroup + j);
      if (Cell::carriesHidden) dh += at.lanes.get(ownCarried);
      vec product[Cell::gates];
      Cell::backward(r, at, dh, ownCarried, product);
      for (int64_t gate = 0; gate < Cell::gates; gate++) {
        at.lanes.put(next + row * ldGates + gate * U + at.unit, product[gate]);
        if (Cell::carriesHidden)
          at.lanes.put(products + (at.token(r) * Cell::gates + gate) * U + at.unit, product[gate]);
      }
    }
}

// The state that every step started from, `[B·T, U]`.
static const float* previousStates(const Recurrent& r) {
  float* previous = scratch(slotRows, r.batch * r.time * r.units);
  for (int64_t row = 0; row < r.batch; row++) {
    float* to = previous + row * r.time * r.units;
    memcpy(to, r.hidden + row * r.units, r.units * sizeof(float));
    memcpy(to + r.units, r.output + row * r.time * r.units, (r.time - 1) * r.units * sizeof(float));
  }
  return previous;
}

static void weightGradient(const Recurrent& r, const float* products, int64_t width) {
  const int64_t tokens = r.batch * r.time;
  Matmul p{previousStates(r), products, r.dKernel, r.units, width, tokens, r.units, width, width, true, false, false};
  p.rounded = r.rounded;
  matmul(p);
}

template <class F, class Cell>
static void sequenceGrad(const Recurrent& r) {
  const int64_t U = r.units, width = Cell::gates * U, ld = spacedRow(U), ldGates = spacedRow(width);
  const int64_t words = F::words(width), panel = unitGroup * words;
  float* weights = scratch(slotPackB, ceilDiv(U, unitGroup) * panel + W);
  eachGroup(r, Cell::gates, [&](int64_t unit, int64_t units) {
    packRightPanel<F>(r.kernel + unit * width, width, true, units, width, weights + unit / unitGroup * panel);
  });
  float* products = productGradients<Cell>(r);
  float* carried = scratch(slotRows, r.batch * (ld + 2 * ldGates));
  float *behind = carried + r.batch * ld, *next = behind + r.batch * ldGates;
  memset(carried, 0, r.batch * ld * sizeof(float));
  float* packed = scratch(slotPackA, leftSize<F>(r.batch, width));
  const auto rightOfUnits = [&](int64_t unit) {
    return Right<F>{weights + unit / unitGroup * panel, unitGroup, words, 0, true, nullptr};
  };
  for (int64_t step = r.time - 1; step >= 0; step--) {
    const bool last = step == r.time - 1;
    const Left<F> left = last ? Left<F>{} : leftOf<F>(behind, ldGates, r.batch, width, packed);
    eachGroup(r, Cell::gates, [&](int64_t unit, int64_t units) {
      float* sums = scratch(slotTile, r.batch * unitGroup);
      if (!last) multiply(left, rightOfUnits(unit), {sums, unitGroup});
      stepUnitsBack<Cell>(r, last ? nullptr : sums, step, unit, units, carried, next, products);
    });
    float* const done = behind;
    behind = next, next = done;
  }
  const Left<F> left = leftOf<F>(behind, ldGates, r.batch, width, packed);
  eachGroup(r, Cell::gates, [&](int64_t unit, int64_t units) {
    float* sums = scratch(slotTile, r.batch * unitGroup);
    multiply(left, rightOfUnits(unit), {sums, unitGroup});
    for (int64_t row = 0; row < r.batch; row++)
      for (int64_t j = 0; j < units; j += W) {
        const Lanes lanes{units - j};
        const vec past = Cell::carriesHidden ? lanes.get(carried + row * ld + unit + j) : vec{};
        lanes.put(r.dHidden + row * U + unit + j, load(sums + row * unitGroup + j) + past);
      }
  });
  if (!Cell::carriesHidden) copySpaced(carried, ld, r.dCell, U, r.batch, U);
  if (r.dBias) reduceColumns(0, products, r.dBias, r.batch * r.time, width);
  weightGradient(r, products, width);
}

static void lstmGrad(const Recurrent& r) {
  r.rounded ? sequenceGrad<Rounded, Lstm>(r) : sequenceGrad<Exact, Lstm>(r);
}
static void gruGrad(const Recurrent& r) { r.rounded ? sequenceGrad<Rounded, Gru>(r) : sequenceGrad<Exact, Gru>(r); }

SOFTBOX_END
