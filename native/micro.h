// The innermost matrix product: a tile of R x (V·W) of C kept in registers, and the packing that feeds it.
#pragma once
#include "vectormath.h"

SOFTBOX_BEGIN

// 32 vector registers hold 14 x 2 accumulators; 16 hold 6 x 2.
constexpr int tileRows = SOFTBOX_VECTOR_BYTES == 64 ? 14 : 6;
constexpr int tileColumns = 2 * W;

// What a tile writes and how.
struct Output {
  float* c;
  int64_t ldc;
  bool accumulate;
  const float* bias;  // of the first column of c, or null
  int activation;
};

FORCE_INLINE vec activate(vec x, int activation) {
  switch (activation) {
    case activationRelu: return x < vec{} ? vec{} : x;
    case activationRelu6: x = x < vec{} ? vec{} : x; return x > all(6.0f) ? all(6.0f) : x;
    case activationElu: return x >= vec{} ? x : expOf(x) - all(1.0f);
    case activationSigmoid: return logisticOf(x);
    default: return x;
  }
}

// One row vector of C, `columns` of its lanes.
FORCE_INLINE void writeVector(const Output& out, float* c, int64_t column, vec x, int64_t columns) {
  const bool whole = columns >= W;
  if (out.accumulate) x += whole ? load(c) : loadPart(c, columns);
  if (out.bias) x += whole ? load(out.bias + column) : loadPart(out.bias + column, columns);
  if (out.activation) x = activate(x, out.activation);
  if (whole) store(c, x);
  else storePart(c, x, columns);
}

// Adds what is asked for to the sums of a tile and writes them; apart from the tile, which is compiled many times.
static __attribute__((noinline)) void writeTile(const Output& out, const float* sums, int64_t rows, int64_t step,
                                                int64_t columns) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j += W)
      writeVector(out, out.c + i * out.ldc + j, j, load(sums + i * step + j), columns - j);
}

// c[R, columns] = sum over k of a(i, k) · b(k, j). byRow: a(i, k) = a[i·stepA + k], otherwise a[k·stepA + i];
// b(k, j) = b[k·stepB + j], readable for V·W columns.
template <int R, int V, bool byRow>
static void microTile(int64_t depth, const float* a, int64_t stepA, const float* b, int64_t stepB, const Output& out,
                      int64_t columns) {
  vec sum[R][V];
#pragma GCC unroll 16
  for (int i = 0; i < R; i++)
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) sum[i][v] = vec{};
  for (int64_t k = 0; k < depth; k++) {
    vec right[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) right[v] = load(b + v * W);
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) {
      const vec left = all(byRow ? a[i * stepA] : a[i]);
#pragma GCC unroll 2
      for (int v = 0; v < V; v++) sum[i][v] += left * right[v];
    }
    a += byRow ? 1 : stepA;
    b += stepB;
  }
  const bool plain = columns == V * W && !out.accumulate && !out.bias && !out.activation;
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

// microTiles[byRow][vectors - 1][rows - 1].
#define SOFTBOX_TILES(V, byRow, R0) microTile<R0 + 1, V, byRow>, microTile<R0 + 2, V, byRow>
#define SOFTBOX_SIX(V, byRow) SOFTBOX_TILES(V, byRow, 0), SOFTBOX_TILES(V, byRow, 2), SOFTBOX_TILES(V, byRow, 4)
#if SOFTBOX_VECTOR_BYTES == 64
#define SOFTBOX_ROW(V, byRow) \
  { SOFTBOX_SIX(V, byRow), SOFTBOX_TILES(V, byRow, 6), SOFTBOX_TILES(V, byRow, 8), SOFTBOX_TILES(V, byRow, 10), \
    SOFTBOX_TILES(V, byRow, 12) }
#else
#define SOFTBOX_ROW(V, byRow) { SOFTBOX_SIX(V, byRow) }
#endif
static const MicroTile microTiles[2][2][tileRows] = {{SOFTBOX_ROW(1, false), SOFTBOX_ROW(2, false)},
                                                     {SOFTBOX_ROW(1, true), SOFTBOX_ROW(2, true)}};

// The rows of the left side, `depth` deep. Row panels share the rows evenly: with 64 rows, 5 panels of 12 or 13.
struct Left {
  const float* data;
  int64_t rows, depth;
  int64_t ld;         // of unpacked data
  enum Form { packed, rowMajor, depthMajor } form;
  int64_t panels() const { return ceilDiv(rows, tileRows); }
  int64_t panelStart(int64_t p) const { return rows * p / panels(); }
  // Where panel p lies in packed data; W floats of slack stand behind each panel.
  int64_t packedStart(int64_t p) const { return panelStart(p) * depth + p * W; }
  int64_t packedSize() const { return packedStart(panels()); }
};

// The columns of the right side, in panels of tileColumns.
struct Right {
  const float* data;
  int64_t columns, depth;
  int64_t ld;         // of unpacked data [depth, columns]; unused when packed
  bool packed;
  const float* tail;  // unpacked: the last, partial panel packed on its own
  int64_t panels() const { return ceilDiv(columns, tileColumns); }
};

// Computes panels [rowBegin, rowEnd) x [columnBegin, columnEnd) of c = left · right; out.c is the whole c's corner.
static void multiplyPanels(const Left& left, const Right& right, const Output& out, int64_t rowBegin, int64_t rowEnd,
                           int64_t columnBegin, int64_t columnEnd) {
  for (int64_t j = columnBegin; j < columnEnd; j++) {
    const int64_t columns = least(tileColumns, right.columns - j * tileColumns);
    const bool tail = !right.packed && columns < tileColumns;
    const bool packedPanel = right.packed || tail;
    const float* b = right.packed ? right.data + j * tileColumns * right.depth : tail ? right.tail
                                                                                : right.data + j * tileColumns;
    const int64_t stepB = packedPanel ? tileColumns : right.ld;
    for (int64_t p = rowBegin; p < rowEnd; p++) {
      const int64_t start = left.panelStart(p), rows = left.panelStart(p + 1) - start;
      const float* a = left.form == Left::packed     ? left.data + left.packedStart(p)
                       : left.form == Left::rowMajor ? left.data + start * left.ld
                                                     : left.data + start;
      const int64_t stepA = left.form == Left::packed ? rows : left.ld;
      Output tile = out;
      tile.c = out.c + start * out.ldc + j * tileColumns;
      if (out.bias) tile.bias = out.bias + j * tileColumns;
      microTiles[left.form == Left::rowMajor][columns > W][rows - 1](left.depth, a, stepA, b, stepB, tile, columns);
    }
  }
}

static FORCE_INLINE void multiply(const Left& left, const Right& right, const Output& out) {
  multiplyPanels(left, right, out, 0, left.panels(), 0, right.panels());
}

// ---- packing

template <int... I>
FORCE_INLINE vec interleaveLow(vec a, vec b, Indices<I...>) {
  return SHUFFLE_LANES(a, b, (I / 2 + (I % 2) * W)...);
}
template <int... I>
FORCE_INLINE vec interleaveHigh(vec a, vec b, Indices<I...>) {
  return SHUFFLE_LANES(a, b, (W / 2 + I / 2 + (I % 2) * W)...);
}

// Transposes a W x W block held in registers: log2(W) rounds of interleaving row i with row i + W / 2.
FORCE_INLINE void transposeBlock(vec (&rows)[W]) {
#pragma GCC unroll 4
  for (int round = 1; round < W; round *= 2) {
    vec mixed[W];
#pragma GCC unroll 8
    for (int i = 0; i < W / 2; i++) {
      mixed[2 * i] = interleaveLow(rows[i], rows[i + W / 2], EachLane{});
      mixed[2 * i + 1] = interleaveHigh(rows[i], rows[i + W / 2], EachLane{});
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) rows[i] = mixed[i];
  }
}

// to[k·step + i] = from[i·ld + k] for i < rows <= W, k < depth. Writes W floats at each k, so `to` needs room for that;
// lanes from `rows` on are zero until the next k overwrites them.
static void packTransposed(const float* from, int64_t ld, int64_t rows, int64_t depth, float* to, int64_t step) {
  int64_t k = 0;
  for (; k + W <= depth; k += W) {
    vec block[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) block[i] = i < rows ? load(from + i * ld + k) : vec{};
    transposeBlock(block);
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) store(to + (k + i) * step, block[i]);
  }
  for (; k < depth; k++) {
    float lanes[W];
    for (int i = 0; i < W; i++) lanes[i] = i < rows ? from[i * ld + k] : 0;
    store(to + k * step, load(lanes));
  }
}

// Packs one row panel of the left side to [depth][rows]; may write W floats of slack behind it.
static void packLeftPanel(const float* from, int64_t ld, bool transposed, int64_t rows, int64_t depth, float* to) {
  if (transposed) {
    for (int64_t k = 0; k < depth; k++)
      for (int64_t i = 0; i < rows; i++) to[k * rows + i] = from[k * ld + i];
    return;
  }
  if (rows <= W) return packTransposed(from, ld, rows, depth, to, rows);
  // Narrow vectors: a panel is wider than one. Full vectors are written to a row of their own first.
  for (int64_t k = 0; k < depth; k++)
    for (int64_t i = 0; i < rows; i++) to[k * rows + i] = from[i * ld + k];
}

// Packs one column panel of the right side to [depth][tileColumns], zeros behind the last column.
static void packRightPanel(const float* from, int64_t ld, bool transposed, int64_t columns, int64_t depth, float* to) {
  if (transposed) {
    packTransposed(from, ld, least(columns, W), depth, to, tileColumns);
    packTransposed(from + W * ld, ld, columns > W ? columns - W : 0, depth, to + W, tileColumns);
    return;
  }
  for (int64_t k = 0; k < depth; k++, from += ld, to += tileColumns) {
    if (columns == tileColumns) {
      store(to, load(from));
      store(to + W, load(from + W));
    } else {
      for (int64_t j = 0; j < tileColumns; j++) to[j] = j < columns ? from[j] : 0;
    }
  }
}

// Packs all columns of b ([depth, columns], or [columns, depth] when transposed).
static void packRight(const float* b, int64_t ld, bool transposed, int64_t columns, int64_t depth, float* to) {
  for (int64_t j = 0; j < columns; j += tileColumns)
    packRightPanel(transposed ? b + j * ld : b + j, ld, transposed, least(tileColumns, columns - j), depth,
                   to + j * depth);
}

constexpr int64_t packedRightSize(int64_t columns, int64_t depth) {
  return ceilDiv(columns, tileColumns) * tileColumns * depth;
}

// A right side that is read where it lies; only its last, partial panel is packed into `tail`
// (tileColumns · depth floats).
static Right rightInPlace(const float* b, int64_t ld, int64_t columns, int64_t depth, float* tail) {
  const int64_t rest = columns % tileColumns;
  if (rest) packRightPanel(b + columns - rest, ld, false, rest, depth, tail);
  return {b, columns, depth, ld, false, tail};
}

SOFTBOX_END
