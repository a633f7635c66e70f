// The two sides of a product as the register tiles read them, and the packing that brings them into that form.
#pragma once
#include "bfloat16.h"

SOFTBOX_BEGIN

// 32 vector registers hold 14 x 2 accumulators; 16 hold 6 x 2, but only 4 x 2 by V8's compiler. Tile registers hold 32 x 32.
#if defined(__wasm__)
constexpr int vectorTileRows = 4;
#else
constexpr int vectorTileRows = SOFTBOX_VECTOR_BYTES == 64 ? 14 : 6;
#endif
constexpr int tileColumns = 2 * W;
template <class F>
constexpr int tileRows = SOFTBOX_TILES && F::rounded ? 32 : vectorTileRows;

// The rows of the left side, `depth` words deep. Row panels share the rows evenly: with 64 rows, 5 panels of 12 or 13.
template <class F>
struct Left {
  const float* data;
  int64_t rows, depth;
  int64_t ld;  // words between rows (rowMajor) or between depths (depthMajor) of data that are not in panels
  // Panels of [depth][rows], panels of [rows][depth], or a matrix that lies elsewhere.
  enum Form { panels, rowPanels, rowMajor, depthMajor } form;
  bool byRow() const { return form == rowPanels || form == rowMajor; }
  int64_t count() const { return ceilDiv(rows, tileRows<F>); }
  int64_t start(int64_t panel) const { return rows * panel / count(); }
  // Where a panel lies in packed data; W words of slack stand behind each.
  int64_t packedStart(int64_t panel) const { return start(panel) * depth + panel * W; }
  // Tile registers read whole tiles, rows behind the last one included.
  static constexpr int64_t overrun(int64_t depth) { return SOFTBOX_TILES && F::rounded ? 32 * depth : 0; }
  int64_t packedSize() const { return packedStart(count()) + overrun(depth); }
  const float* panel(int64_t p) const {
    if (form == rowMajor) return data + start(p) * ld;
    return data + (form == depthMajor ? start(p) : packedStart(p));
  }
  int64_t step(int64_t panelRows) const { return form == panels ? panelRows : form == rowPanels ? depth : ld; }
};

// The columns of the right side, `depth` words deep, in panels of [depth][tileColumns], or [depth, columns] in place.
// A left side of less depth meets the first words of each panel.
template <class F>
struct Right {
  const float* data;
  int64_t columns, depth;
  int64_t ld;         // in place
  bool packed;
  const float* tail;  // in place: the last, partial panel packed on its own
  int64_t count() const { return ceilDiv(columns, tileColumns); }
};

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

// to[w·step + i] = word w of row i of `from`, for i < rows <= W. Writes W words at each w, so `to` needs room for that;
// lanes from `rows` on are zero until the next w overwrites them.
template <class F>
static void packTransposed(const float* from, int64_t ld, int64_t rows, int64_t depth, float* to, int64_t step) {
  int64_t k = 0;
  for (; k + F::numbers * W <= depth; k += F::numbers * W, to += W * step) {
    vec block[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) block[i] = i < rows ? F::along(from + i * ld + k) : vec{};
    transposeBlock(block);
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) store(to + i * step, block[i]);
  }
  if (k == depth) return;
  vec block[W];
  for (int i = 0; i < W; i++) block[i] = i < rows ? F::alongPart(from + i * ld + k, depth - k) : vec{};
  transposeBlock(block);
  const int64_t rest = F::words(depth - k);
  for (int64_t i = 0; i < rest; i++) store(to + i * step, block[i]);
}

// to[w·step + j] = word w of column j of `from` [depth, columns], for `words` words; whole vectors are written.
template <class F>
static void packAcross(const float* from, int64_t ld, int64_t columns, int64_t depth, int64_t words, float* to,
                       int64_t step) {
  for (int64_t w = 0; w < words; w++, to += step) {
    const int64_t k = w * F::numbers;
    const float *first = from + k * ld, *second = first + ld;
    const bool both = F::numbers == 2 && k + 1 < depth;
    for (int64_t j = 0; j < columns; j += W) {
      const int64_t n = columns - j;
      const vec a = k >= depth ? vec{} : n >= W ? load(first + j) : loadPart(first + j, n);
      const vec b = !both ? vec{} : n >= W ? load(second + j) : loadPart(second + j, n);
      store(to + j, F::across(a, b));
    }
  }
}

// to[i·step + w] = word w of row i; whole vectors are written, in the order of the rows. `to` may be `from`.
template <class F>
static void packRows(const float* from, int64_t ld, int64_t rows, int64_t depth, float* to, int64_t step) {
  const int64_t words = F::words(depth);
  for (int64_t i = 0; i < rows; i++, from += ld, to += step) {
    int64_t w = 0;
    for (; (w + W) * F::numbers <= depth; w += W) store(to + w, F::along(from + w * F::numbers));
    if (w < words) store(to + w, F::alongPart(from + w * F::numbers, depth - w * F::numbers));
  }
}

// Transposes words [depth][rows] to [rows][depth], whole blocks: for tile registers, whose left sides lie by row.
static void transposeWords(const float* from, int64_t fromStep, int64_t rows, int64_t depth, float* to, int64_t step) {
  for (int64_t i = 0; i < rows; i += W)
    for (int64_t w = 0; w < depth; w += W) {
      vec block[W];
      for (int u = 0; u < W; u++) block[u] = w + u < depth ? load(from + (w + u) * fromStep + i) : vec{};
      transposeBlock(block);
      for (int64_t u = 0; u < least(W, rows - i); u++) store(to + (i + u) * step + w, block[u]);
    }
}

// The form in which a left side is packed: rounded numbers that lie by row stay so (a copy), others by depth.
template <class F>
constexpr bool packsByRow(bool transposed) { return F::rounded && F::numbers == 2 && (SOFTBOX_TILES || !transposed); }

// Packs one row panel of the left side; may write W words of slack behind it.
template <class F>
static void packLeftPanel(const float* from, int64_t ld, bool transposed, int64_t rows, int64_t depth, float* to) {
  if (packsByRow<F>(transposed) && transposed) {
    float* words = scratch(slotTile2, F::words(depth) * tileColumns);
    packAcross<F>(from, ld, rows, depth, F::words(depth), words, tileColumns);
    return transposeWords(words, tileColumns, rows, F::words(depth), to, F::words(depth));
  }
  if (packsByRow<F>(transposed)) return packRows<F>(from, ld, rows, depth, to, F::words(depth));
  if (transposed) return packAcross<F>(from, ld, rows, depth, F::words(depth), to, rows);
  if (rows <= W) return packTransposed<F>(from, ld, rows, depth, to, rows);
  if constexpr (F::numbers == 1)  // narrow vectors: a panel is wider than one
    for (int64_t k = 0; k < depth; k++)
      for (int64_t i = 0; i < rows; i++) to[k * rows + i] = F::one(from[i * ld + k]);
}

// Packs one column panel of the right side, zeros behind the last column.
template <class F>
static void packRightPanel(const float* from, int64_t ld, bool transposed, int64_t columns, int64_t depth, float* to) {
  if (transposed) {
    packTransposed<F>(from, ld, least(columns, W), depth, to, tileColumns);
    return packTransposed<F>(from + W * ld, ld, columns > W ? columns - W : 0, depth, to + W, tileColumns);
  }
  packAcross<F>(from, ld, columns, depth, F::words(depth), to, tileColumns);
  if (columns > W) return;
  for (int64_t w = 0; w < F::words(depth); w++) store(to + w * tileColumns + W, vec{});
}

template <class F>
constexpr int64_t packedRightSize(int64_t columns, int64_t depth) {
  return ceilDiv(columns, tileColumns) * tileColumns * F::words(depth);
}

// Packs all columns of b ([depth, columns], or [columns, depth] when transposed).
template <class F>
static Right<F> packRight(const float* b, int64_t ld, bool transposed, int64_t columns, int64_t depth, float* to) {
  const int64_t words = F::words(depth);
  for (int64_t j = 0; j < columns; j += tileColumns)
    packRightPanel<F>(transposed ? b + j * ld : b + j, ld, transposed, least(tileColumns, columns - j), depth,
                      to + j * words);
  return {to, columns, words, 0, true, nullptr};
}

// A left side of `rows` x `depth` numbers whose panels will lie at `to`.
template <class F>
static Left<F> leftAtPanels(const float* to, int64_t rows, int64_t depth, bool transposed) {
  return {to, rows, F::words(depth), 0, packsByRow<F>(transposed) ? Left<F>::rowPanels : Left<F>::panels};
}

// Packs panel p of a left side.
template <class F>
static void packLeft(const Left<F>& left, int64_t p, const float* a, int64_t ld, bool transposed, int64_t depth) {
  const int64_t start = left.start(p);
  packLeftPanel<F>(transposed ? a + start : a + start * ld, ld, transposed, left.start(p + 1) - start, depth,
                   const_cast<float*>(left.panel(p)));
}

// Rows of a matrix as a left side: read where they lie, or rounded into panels at `to`.
template <class F>
static Left<F> leftOf(const float* x, int64_t ld, int64_t rows, int64_t depth, float* to) {
  if constexpr (!F::rounded) return {x, rows, depth, ld, Left<F>::rowMajor};
  const Left<F> left = leftAtPanels<F>(to, rows, depth, false);
  for (int64_t p = 0; p < left.count(); p++) packLeft(left, p, x, ld, false, depth);
  return left;
}
template <class F>
constexpr int64_t leftSize(int64_t rows, int64_t depth) {
  return F::rounded ? rows * F::words(depth) + ceilDiv(rows, tileRows<F>) * W + Left<F>::overrun(F::words(depth)) : 0;
}

// A matrix [depth, columns] as a right side: read where it lies but for its last, partial panel, or all packed, at `to`.
template <class F>
static Right<F> rightOf(const float* x, int64_t ld, int64_t columns, int64_t depth, float* to) {
  if constexpr (F::rounded) return packRight<F>(x, ld, false, columns, depth, to);
  const int64_t rest = columns % tileColumns;
  if (rest) packRightPanel<F>(x + columns - rest, ld, false, rest, depth, to);
  return {x, columns, depth, ld, false, to};
}
template <class F>
constexpr int64_t rightSize(int64_t columns, int64_t depth) {
  return F::rounded ? packedRightSize<F>(columns, depth) : tileColumns * depth;
}

// The whole of a tile that lies by row, rounded in place.
template <class F>
static Left<F> roundedInPlace(float* x, int64_t ld, int64_t rows, int64_t depth) {
  if (F::rounded) packRows<F>(x, ld, rows, depth, x, ld);
  return {x, rows, F::words(depth), ld, Left<F>::rowMajor};
}

SOFTBOX_END
