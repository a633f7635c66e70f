// Moving data: embedding rows gathered and their gradients scattered, strided copies, dropout.
#pragma once
#include "simd.h"

SOFTBOX_BEGIN

// ---- embedding

static void gather(const float* table, const int32_t* ids, float* y, int64_t n, int64_t columns) {
  parallelRanges(n, most(1, (1 << 14) / most(1, columns)), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      memcpy(y + i * columns, table + static_cast<int64_t>(ids[i]) * columns, columns * sizeof(float));
  });
}

// table[ids[i]] += dy[i] in the order of i, after table = 0 where it is to be cleared; ids outside the table are skipped. A
// task owns a range of the table's rows.
static void scatterAdd(const float* dy, const int32_t* ids, float* table, int64_t n, int64_t rows, int64_t columns,
                       bool clear) {
  const int64_t ranges = most(1, least(16, least(rows, rows * columns / (1 << 14))));
  parallel(ranges, [=](int64_t range) {
    const int64_t begin = rows * range / ranges, end = rows * (range + 1) / ranges;
    if (clear) memset(table + begin * columns, 0, (end - begin) * columns * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
      if (ids[i] < begin || ids[i] >= end) continue;
      float* to = table + ids[i] * columns;
      const float* from = dy + i * columns;
      int64_t j = 0;
      for (; j + W <= columns; j += W) store(to + j, load(to + j) + load(from + j));
      for (; j < columns; j++) to[j] += from[j];
    }
  });
}

// ---- strided copies: transpose, slice, concat

// to[j, i] = from[i, j] in square blocks, so that both sides are read and written by the cache line.
static void copyPlaneTransposed(const uint32_t* from, uint32_t* to, int64_t rows, int64_t columns, int64_t fromRow,
                                int64_t toColumn) {
  constexpr int64_t block = 16;
  for (int64_t i0 = 0; i0 < rows; i0 += block)
    for (int64_t j0 = 0; j0 < columns; j0 += block)
      for (int64_t j = j0; j < least(columns, j0 + block); j++)
        for (int64_t i = i0; i < least(rows, i0 + block); i++) to[j * toColumn + i] = from[i * fromRow + j];
}

static void copyPlane(const uint32_t* from, uint32_t* to, const int64_t* shape, const int64_t* fromStride,
                      const int64_t* toStride) {
  if (fromStride[1] == 1 && toStride[1] == 1) {
    for (int64_t i = 0; i < shape[0]; i++)
      memcpy(to + i * toStride[0], from + i * fromStride[0], shape[1] * sizeof(uint32_t));
  } else if (fromStride[1] == 1 && toStride[0] == 1) {
    copyPlaneTransposed(from, to, shape[0], shape[1], fromStride[0], toStride[1]);
  } else if (fromStride[0] == 1 && toStride[1] == 1) {
    copyPlaneTransposed(from, to, shape[1], shape[0], fromStride[1], toStride[0]);
  } else {
    for (int64_t i = 0; i < shape[0]; i++)
      for (int64_t j = 0; j < shape[1]; j++)
        to[i * toStride[0] + j * toStride[1]] = from[i * fromStride[0] + j * fromStride[1]];
  }
}

// One plane, in bands of rows.
static void copyBands(const StridedCopy& c) {
  const int64_t axis = c.rank - 2;
  const int64_t grain = most(16, (1 << 15) / most(1, c.shape[axis + 1]) / 16 * 16);
  parallelRanges(c.shape[axis], grain, [&](int64_t begin, int64_t end) {
    const int64_t shape[2] = {end - begin, c.shape[axis + 1]};
    copyPlane(c.from + begin * c.fromStride[axis], c.to + begin * c.toStride[axis], shape, c.fromStride + axis,
              c.toStride + axis);
  });
}

// rank >= 2. Planes of the last two axes, one or several a task.
static void copyStrided(const StridedCopy& c) {
  int64_t planes = 1;
  for (int64_t axis = 0; axis < c.rank - 2; axis++) planes *= c.shape[axis];
  const int64_t* shape = c.shape + c.rank - 2;
  const int64_t grain = most(1, (1 << 15) / most(1, shape[0] * shape[1]));
  if (planes == 1) return copyBands(c);
  parallelRanges(planes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; plane++) {
      int64_t rest = plane, from = 0, to = 0;
      for (int64_t axis = c.rank - 3; axis >= 0; axis--) {
        const int64_t index = rest % c.shape[axis];
        rest /= c.shape[axis];
        from += index * c.fromStride[axis];
        to += index * c.toStride[axis];
      }
      copyPlane(c.from + from, c.to + to, shape, c.fromStride + c.rank - 2, c.toStride + c.rank - 2);
    }
  });
}

// ---- dropout

FORCE_INLINE uvec rotate(uvec x, int bits) { return x << bits | x >> (32 - bits); }

// Threefry-2x32, 20 rounds (Salmon et al. 2011), on W counters at once; src/engine/random.ts has the same.
FORCE_INLINE void threefry(uvec& x0, uvec& x1, uint32_t key0, uint32_t key1) {
  constexpr int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const uint32_t keys[3] = {key0, key1, 0x1bd11bdau ^ key0 ^ key1};
  x0 += allWord(keys[0]);
  x1 += allWord(keys[1]);
#pragma GCC unroll 20
  for (int round = 0; round < 20; round++) {
    x0 += x1;
    x1 = rotate(x1, rotations[round % 8]) ^ x0;
    if (round % 4 == 3) {
      const uint32_t injection = (round + 1) / 4;
      x0 += allWord(keys[injection % 3]);
      x1 += allWord(keys[(injection + 1) % 3] + injection);
    }
  }
}

static void dropout(const float* x, float* y, int64_t n, double rate, uint32_t key0, uint32_t key1) {
  const double exact = rate * 4294967296.0;
  const uint32_t threshold = static_cast<uint32_t>(exact < 4294967295.0 ? exact : 4294967295.0);
  const float scale = static_cast<float>(1.0 / (1.0 - rate));
  const auto keep = [=](vec v, vec words) { return asWords(words) >= allWord(threshold) ? v * all(scale) : vec{}; };
  parallelRanges(n, 1 << 14, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += 2 * W) {
      uvec word0 = allWord(static_cast<uint32_t>(i / 2)), word1 = {};
      word0 += asWords(laneNumbers(EachLane{}));
      threefry(word0, word1, key0, key1);
      // Words alternate: element 2c takes word 0 of counter c, element 2c + 1 word 1.
      const vec low = interleaveLow(asFloat(word0), asFloat(word1), EachLane{});
      const vec high = interleaveHigh(asFloat(word0), asFloat(word1), EachLane{});
      const int64_t rest = end - i;
      if (rest >= 2 * W) {
        store(y + i, keep(load(x + i), low));
        store(y + i + W, keep(load(x + i + W), high));
      } else {
        storePart(y + i, keep(loadPart(x + i, least(rest, W)), low), least(rest, W));
        if (rest > W) storePart(y + i + W, keep(loadPart(x + i + W, rest - W), high), rest - W);
      }
    }
  });
}

SOFTBOX_END
