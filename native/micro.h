// The innermost matrix product: a tile of R x (V·W) of C kept in registers, and what is added when it is written.
#pragma once
#include "tiles.h"

SOFTBOX_BEGIN

// What a tile writes and how: c (+)= sums, + bias; activation, whose slope is kept; + residual.
struct Output {
  float* c;
  int64_t ldc;
  bool accumulate = false;
  const float* bias = nullptr;      // of the first column of c
  int activation = activationNone;
  float* slope = nullptr;           // as c: takes the derivative of GELU, which is the activation then
  const float* residual = nullptr;  // as c
  bool plain() const { return !accumulate && !bias && !activation && !slope && !residual; }
  Output at(int64_t row, int64_t column) const {
    const int64_t offset = row * ldc + column;
    return {c + offset, ldc, accumulate, bias ? bias + column : nullptr, activation, slope ? slope + offset : nullptr,
            residual ? residual + offset : nullptr};
  }
};

FORCE_INLINE vec activate(vec x, int activation) {
  switch (activation) {
    case activationRelu: return x < vec{} ? vec{} : x;
    case activationRelu6: x = x < vec{} ? vec{} : x; return x > all(6.0f) ? all(6.0f) : x;
    case activationElu: return x >= vec{} ? x : expOf(x) - all(1.0f);
    case activationSigmoid: return logisticOf(x);
    case activationGelu: return geluOf(x);
    default: return x;
  }
}

// One row vector of C, `columns` of its lanes.
FORCE_INLINE void writeVector(const Output& out, int64_t offset, int64_t column, vec x, int64_t columns) {
  const bool whole = columns >= W;
  const auto get = [&](const float* p) { return whole ? load(p) : loadPart(p, columns); };
  const auto put = [&](float* p, vec v) { whole ? store(p, v) : storePart(p, v, columns); };
  if (out.accumulate) x += get(out.c + offset);
  if (out.bias) x += get(out.bias + column);
  if (out.slope) {
    const GeluAndSlope both = geluAndSlope(x);
    put(out.slope + offset, both.slope);
    x = both.value;
  } else if (out.activation) {
    x = activate(x, out.activation);
  }
  if (out.residual) x += get(out.residual + offset);
  put(out.c + offset, x);
}

// Adds what is asked for to the sums of a tile and writes them; apart from the tile, which is compiled many times.
static __attribute__((noinline)) void writeTile(const Output& out, const float* sums, int64_t rows, int64_t step,
                                                int64_t columns) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j += W)
      writeVector(out, i * out.ldc + j, j, load(sums + i * step + j), columns - j);
}

template <int R, int V>
FORCE_INLINE void addTile(vec (&sum)[R][V], const float* from, int64_t step) {
#pragma GCC unroll 16
  for (int i = 0; i < R; i++)
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) sum[i][v] += load(from + i * step + v * W);
}

// c[R, columns] = sum over w of a(i, w) · b(w, j). byRow: a(i, w) = a[i·stepA + w], otherwise a[w·stepA + i];
// b(w, j) = b[w·stepB + j], readable for V·W columns.
template <class F, int R, int V, bool byRow>
static void microTile(int64_t depth, const float* a, int64_t stepA, const float* b, int64_t stepB, const Output& out,
                      int64_t columns) {
  const bool plain = columns == V * W && !out.activation;
  vec sum[R][V];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++)
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) sum[i][v] = vec{};
  for (int64_t w = 0; w < depth; w++) {
    vec right[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) right[v] = load(b + v * W);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const vec left = all(byRow ? a[i * stepA] : a[i]);
#pragma GCC unroll 2
      for (int v = 0; v < V; v++) sum[i][v] = F::multiplyAdd(sum[i][v], left, right[v]);
    }
    a += byRow ? 1 : stepA;
    b += stepB;
  }
  if (plain && out.accumulate) addTile(sum, out.c, out.ldc);
  if (plain && out.bias) addTile(sum, out.bias, 0);
  if (plain && out.residual) addTile(sum, out.residual, out.ldc);
  float kept[R * V * W];
  float* const to = plain ? out.c : kept;
  const int64_t step = plain ? out.ldc : V * W;
#pragma GCC unroll 16
  for (int i = 0; i < R; i++)
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) store(to + i * step + v * W, sum[i][v]);
  if (!plain) writeTile(out, kept, R, V * W, columns);
}

using MicroTile = void (*)(int64_t, const float*, int64_t, const float*, int64_t, const Output&, int64_t);

// microTiles<F>[byRow][vectors - 1][rows - 1].
#define SOFTBOX_TWO(V, byRow, R0) microTile<F, R0 + 1, V, byRow>, microTile<F, R0 + 2, V, byRow>
#define SOFTBOX_SIX(V, byRow) SOFTBOX_TWO(V, byRow, 0), SOFTBOX_TWO(V, byRow, 2), SOFTBOX_TWO(V, byRow, 4)
#if SOFTBOX_VECTOR_BYTES == 64
#define SOFTBOX_ROW(V, byRow) \
  { SOFTBOX_SIX(V, byRow), SOFTBOX_TWO(V, byRow, 6), SOFTBOX_TWO(V, byRow, 8), SOFTBOX_TWO(V, byRow, 10), \
    SOFTBOX_TWO(V, byRow, 12) }
#elif defined(__wasm__)
#define SOFTBOX_ROW(V, byRow) { SOFTBOX_TWO(V, byRow, 0), SOFTBOX_TWO(V, byRow, 2) }
#else
#define SOFTBOX_ROW(V, byRow) { SOFTBOX_SIX(V, byRow) }
#endif
template <class F>
static const MicroTile microTiles[2][2][vectorTileRows] = {{SOFTBOX_ROW(1, false), SOFTBOX_ROW(2, false)},
                                                           {SOFTBOX_ROW(1, true), SOFTBOX_ROW(2, true)}};

template <class F, int64_t numbers>
struct TileFormatOf { using type = F; };
template <class F>
struct TileFormatOf<F, 1> { using type = Exact; };
template <class F>
using TileFormat = typename TileFormatOf<F, F::numbers>::type;

// One panel of the left side times one of the right.
template <class F>
static FORCE_INLINE void multiplyTile(const Left<F>& left, const float* a, int64_t rows, const float* b, int64_t stepB,
                                      const Output& out, int64_t columns) {
#if SOFTBOX_TILES
  if constexpr (F::rounded) {
    float sums[32 * 32];
    multiplyOnTiles(left.depth, a, left.step(rows), b, sums);
    return writeTile(out, sums, rows, 32, columns);
  } else
#endif
  // Words of one number, rounded or not, multiply alike.
  microTiles<TileFormat<F>>[left.byRow()][columns > W][rows - 1](left.depth, a, left.step(rows), b, stepB, out, columns);
}

// Computes panels [rowBegin, rowEnd) x [columnBegin, columnEnd) of c = left · right; out.c is the whole c's corner.
template <class F>
static void multiplyPanels(const Left<F>& left, const Right<F>& right, const Output& out, int64_t rowBegin,
                           int64_t rowEnd, int64_t columnBegin, int64_t columnEnd) {
  for (int64_t j = columnBegin; j < columnEnd; j++) {
    const int64_t columns = least(tileColumns, right.columns - j * tileColumns);
    const bool tail = !right.packed && columns < tileColumns;
    const bool packedPanel = right.packed || tail;
    const float* b = right.packed ? right.data + j * tileColumns * right.depth : tail ? right.tail
                                                                                : right.data + j * tileColumns;
    const int64_t stepB = packedPanel ? tileColumns : right.ld;
    for (int64_t p = rowBegin; p < rowEnd; p++) {
      const int64_t start = left.start(p), rows = left.start(p + 1) - start;
      multiplyTile(left, left.panel(p), rows, b, stepB, out.at(start, j * tileColumns), columns);
    }
  }
}

template <class F>
static FORCE_INLINE void multiply(const Left<F>& left, const Right<F>& right, const Output& out) {
  multiplyPanels(left, right, out, 0, left.count(), 0, right.count());
}

SOFTBOX_END
