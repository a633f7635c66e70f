// Recurrent layers over whole sequences. The weights are packed once a sequence; a step is one product per gate and group of
// units, followed at once by what the cell makes of it. Groups are tasks, each with all its gates, so steps need one barrier.
#pragma once
#include "matmul.h"

SOFTBOX_BEGIN

// The first n lanes of vectors in memory, or all of them.
struct Lanes {
  int64_t n;
  FORCE_INLINE vec get(const float* p) const { return n >= W ? load(p) : loadPart(p, n); }
  FORCE_INLINE void put(float* p, vec v) const { n >= W ? store(p, v) : storePart(p, v, n); }
};

// W units of one row at one step.
struct Units {
  int64_t row, step, unit;
  Lanes lanes;
  int64_t token(const Recurrent& r) const { return row * r.time + step; }
};

// i, f, g, o of a unit; the trace of a step is i, f, g, o, c.
struct Lstm {
  static constexpr int64_t gates = 4, parts = 5;

  static const float* cellBefore(const Recurrent& r, const Units& at) {
    if (at.step == 0) return r.cell + at.row * r.units + at.unit;
    return r.trace + ((at.token(r) - 1) * parts + 4) * r.units + at.unit;
  }

  // h from the product of the state with each gate's weights.
  static FORCE_INLINE vec forward(const Recurrent& r, const Units& at, const vec (&product)[gates]) {
    const int64_t U = r.units;
    const float* x = r.gates + at.token(r) * gates * U + at.unit;
    float* trace = r.trace + at.token(r) * parts * U + at.unit;
    const vec i = logisticOf(at.lanes.get(x) + product[0]);
    const vec f = logisticOf(at.lanes.get(x + U) + product[1]);
    const vec g = tanhOf(at.lanes.get(x + 2 * U) + product[2]);
    const vec o = logisticOf(at.lanes.get(x + 3 * U) + product[3]);
    const vec c = f * at.lanes.get(cellBefore(r, at)) + i * g;
    const vec kept[parts] = {i, f, g, o, c};
    for (int64_t part = 0; part < parts; part++) at.lanes.put(trace + part * U, kept[part]);
    return o * tanhOf(c);
  }

  // Gradients of the gates from dh; `carried` is dc on its way back.
  static FORCE_INLINE void backward(const Recurrent& r, const Units& at, vec dh, float* carried, vec (&product)[gates]) {
    const int64_t U = r.units;
    const float* trace = r.trace + at.token(r) * parts * U + at.unit;
    const vec one = all(1.0f);
    const vec i = at.lanes.get(trace), f = at.lanes.get(trace + U), g = at.lanes.get(trace + 2 * U);
    const vec o = at.lanes.get(trace + 3 * U), tanhCell = tanhOf(at.lanes.get(trace + 4 * U));
    const vec dc = at.lanes.get(carried) + dh * o * (one - tanhCell * tanhCell);
    product[0] = dc * g * i * (one - i);
    product[1] = dc * at.lanes.get(cellBefore(r, at)) * f * (one - f);
    product[2] = dc * i * (one - g * g);
    product[3] = dh * tanhCell * o * (one - o);
    at.lanes.put(carried, dc * f);
    float* dx = r.dGates + at.token(r) * gates * U + at.unit;
    for (int64_t gate = 0; gate < gates; gate++) at.lanes.put(dx + gate * U, product[gate]);
  }

  static constexpr bool carriesHidden = false;  // `carried` is no part of dh
};

// r, z, n of a unit; the trace of a step is r, z, n, q_n with q = h · kernel + bias.
struct Gru {
  static constexpr int64_t gates = 3, parts = 4;

  static const float* hiddenBefore(const Recurrent& r, const Units& at) {
    return (at.step == 0 ? r.hidden + at.row * r.units : r.output + (at.token(r) - 1) * r.units) + at.unit;
  }

  static FORCE_INLINE vec forward(const Recurrent& r, const Units& at, const vec (&product)[gates]) {
    const int64_t U = r.units;
    const float *x = r.gates + at.token(r) * gates * U + at.unit, *bias = r.bias + at.unit;
    float* trace = r.trace + at.token(r) * parts * U + at.unit;
    const vec reset = logisticOf(at.lanes.get(x) + (product[0] + at.lanes.get(bias)));
    const vec z = logisticOf(at.lanes.get(x + U) + (product[1] + at.lanes.get(bias + U)));
    const vec q = product[2] + at.lanes.get(bias + 2 * U);
    const vec n = tanhOf(at.lanes.get(x + 2 * U) + reset * q);
    const vec kept[parts] = {reset, z, n, q};
    for (int64_t part = 0; part < parts; part++) at.lanes.put(trace + part * U, kept[part]);
    return n + z * (at.lanes.get(hiddenBefore(r, at)) - n);
  }

  // Gradients of q from dh; `carried` is what of dh goes past the gates.
  static FORCE_INLINE void backward(const Recurrent& r, const Units& at, vec dh, float* carried, vec (&product)[gates]) {
    const int64_t U = r.units;
    const float* trace = r.trace + at.token(r) * parts * U + at.unit;
    const vec one = all(1.0f);
    const vec reset = at.lanes.get(trace), z = at.lanes.get(trace + U), n = at.lanes.get(trace + 2 * U);
    const vec dn = dh * (one - z) * (one - n * n);
    product[0] = dn * at.lanes.get(trace + 3 * U) * reset * (one - reset);
    product[1] = dh * (at.lanes.get(hiddenBefore(r, at)) - n) * z * (one - z);
    product[2] = dn * reset;
    at.lanes.put(carried, dh * z);
    float* dx = r.dGates + at.token(r) * gates * U + at.unit;
    at.lanes.put(dx, product[0]);
    at.lanes.put(dx + U, product[1]);
    at.lanes.put(dx + 2 * U, dn);
  }

  static constexpr bool carriesHidden = true;
};

constexpr int64_t unitGroup = tileColumns;

// Floats between rows of a small matrix that serves as a left side: never whole pages, see matmul.h.
static int64_t spacedRow(int64_t columns) { return ceilDiv(columns, W) * W + W; }

// Groups of units that are worth a task.
static int64_t groupsPerTask(const Recurrent& r, int64_t gates) {
  return most(1, (1 << 18) / most(1, 2 * r.batch * r.units * gates * unitGroup));
}

// Calls body(group's first unit, its units) for every group, shared among threads.
template <class F>
static void eachGroup(const Recurrent& r, int64_t gates, const F& body) {
  parallelRanges(ceilDiv(r.units, unitGroup), groupsPerTask(r, gates), [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; group++)
      body(group * unitGroup, least(unitGroup, r.units - group * unitGroup));
  });
}

static void copySpaced(const float* from, int64_t ldFrom, float* to, int64_t ldTo, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++) memcpy(to + i * ldTo, from + i * ldFrom, columns * sizeof(float));
}

// What the cell makes of a group's products at one step, row by row; `next` receives h.
template <class Cell>
static void stepUnits(const Recurrent& r, const float* sums, int64_t step, int64_t unit, int64_t units, float* next) {
  const int64_t ld = spacedRow(r.units), gateSize = r.batch * unitGroup;
  for (int64_t row = 0; row < r.batch; row++)
    for (int64_t j = 0; j < units; j += W) {
      const Units at{row, step, unit + j, {units - j}};
      vec product[Cell::gates];
      for (int64_t gate = 0; gate < Cell::gates; gate++)
        product[gate] = load(sums + gate * gateSize + row * unitGroup + j);
      const vec h = Cell::forward(r, at, product);
      at.lanes.put(r.output + at.token(r) * r.units + at.unit, h);
      at.lanes.put(next + row * ld + at.unit, h);
    }
}

template <class F, class Cell>
static void sequence(const Recurrent& r) {
  const int64_t U = r.units, ld = spacedRow(U), words = F::words(U), panel = unitGroup * words;
  float* weights = scratch(slotPackB, ceilDiv(U, unitGroup) * Cell::gates * panel + W);
  eachGroup(r, Cell::gates, [&](int64_t unit, int64_t units) {
    float* to = weights + unit / unitGroup * Cell::gates * panel;
    for (int64_t gate = 0; gate < Cell::gates; gate++)
      packRightPanel<F>(r.kernel + gate * U + unit, Cell::gates * U, false, units, U, to + gate * panel);
  });
  float *now = scratch(slotRows, 2 * r.batch * ld), *next = now + r.batch * ld;
  copySpaced(r.hidden, U, now, ld, r.batch, U);
  float* packed = scratch(slotPackA, leftSize<F>(r.batch, U));
  for (int64_t step = 0; step < r.time; step++) {
    const Left<F> left = leftOf<F>(now, ld, r.batch, U, packed);
    eachGroup(r, Cell::gates, [&](int64_t unit, int64_t units) {
      float* sums = scratch(slotTile, Cell::gates * r.batch * unitGroup);
      const float* from = weights + unit / unitGroup * Cell::gates * panel;
      for (int64_t gate = 0; gate < Cell::gates; gate++)
        multiply(left, Right<F>{from + gate * panel, unitGroup, words, 0, true, nullptr},
                 {sums + gate * r.batch * unitGroup, unitGroup});
      stepUnits<Cell>(r, sums, step, unit, units, next);
    });
    float* const done = now;
    now = next, next = done;
  }
}

static void lstm(const Recurrent& r) {
  r.rounded ? sequence<Rounded, Lstm>(r) : sequence<Exact, Lstm>(r);
  const float* last = r.trace + ((r.time - 1) * Lstm::parts + 4) * r.units;
  copySpaced(last, r.time * Lstm::parts * r.units, r.finalCell, r.units, r.batch, r.units);
}

static void gru(const Recurrent& r) { r.rounded ? sequence<Rounded, Gru>(r) : sequence<Exact, Gru>(r); }

SOFTBOX_END
