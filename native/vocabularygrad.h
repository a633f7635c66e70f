// The gradient of the log-sum-exp over the vocabulary: each tile of logits is computed again and becomes, in place, the
// gradient dz, which meets the hidden rows (for dWeight) and the weights (for dHidden) while it is in the cache.
#pragma once
#include "vocabulary.h"

SOFTBOX_BEGIN

// The slope of a score's cap where the capped score is y: 1 - (y / c)².
FORCE_INLINE vec capSlope(vec y, float cap) { return cap > 0 ? all(1.0f) - (y / all(cap)) * (y / all(cap)) : all(1.0f); }

// The slope of what becomes of score z.
FORCE_INLINE vec formSlope(const Vocabulary& v, vec z) {
  const vec y = cappedOf(z, v.softcap), slope = capSlope(y, v.softcap);
  return v.form == formSigsoftmax ? slope * (all(2.0f) - logisticOf(y)) : slope;
}

// The gradient in score z without the target's own share; sum and mean are the gradients in the two results.
FORCE_INLINE vec formGrad(const Vocabulary& v, vec z, float sum, float mean, float logSumExp) {
  const vec y = cappedOf(z, v.softcap), slope = capSlope(y, v.softcap);
  if (v.form == formSigmoid) return slope * (all(sum) * logisticOf(y) + all(mean));
  const vec d = all(sum) * expOfNegative(formedOf(v.form, y) - all(logSumExp)) + all(mean);
  return v.form == formSigsoftmax ? slope * d * (all(2.0f) - logisticOf(y)) : slope * d;
}

static void formGradRow(const Vocabulary& v, int64_t n, int64_t from, int64_t columns, float* z) {
  const float sum = v.dLogSumExp[n], mean = v.dMean ? v.dMean[n] / static_cast<float>(v.vocab) : 0.0f;
  const int64_t target = v.targets[n] - from;
  const bool here = target >= 0 && target < columns;
  const float own = here ? v.dTarget[n] * formSlope(v, all(z[target]))[0] : 0.0f;
  const auto grad = [&](vec x) { return formGrad(v, x, sum, mean, v.logSumExp[n]); };
  int64_t j = 0;
  for (; j + W <= columns; j += W) store(z + j, grad(load(z + j)));
  if (j < columns) storePart(z + j, grad(loadPart(z + j, columns - j)), columns - j);
  if (here) z[target] += own;
}

// z becomes dz = dLogSumExp · e^(z - logSumExp) + dTarget · [v = target], and what the score's form makes of that.
static void logitGradRow(const Vocabulary& v, int64_t n, int64_t from, int64_t columns, float* z) {
  if (v.form != formPlain || v.softcap > 0 || v.dMean) return formGradRow(v, n, from, columns, z);
  const float slope = v.dLogSumExp[n], shift = v.logSumExp[n];
  if (slope == 0) {
    memset(z, 0, columns * sizeof(float));
  } else {
    int64_t j = 0;
    for (; j + W <= columns; j += W) store(z + j, all(slope) * expOfNegative(load(z + j) - all(shift)));
    if (j < columns)
      storePart(z + j, all(slope) * expOfNegative(loadPart(z + j, columns - j) - all(shift)), columns - j);
  }
  const int64_t target = v.targets[n] - from;
  if (target >= 0 && target < columns) z[target] += v.dTarget[n];
}

// dz holds the scores.
static void smallGradFrom(const Vocabulary& v, float* dz) {
  eachRow(v.tokens, v.vocab, [&](int64_t n) { logitGradRow(v, n, 0, v.vocab, dz + n * v.vocab); });
  const int64_t N = v.tokens, V = v.vocab, E = v.embed;
  matmul({dz, v.hidden, v.dWeight, V, E, N, V, E, E, true, false, false, nullptr, activationNone, v.rounded});
  matmul({dz, v.weight, v.dHidden, N, E, V, V, E, E, false, false, false, nullptr, activationNone, v.rounded});
  if (!v.dBias) return;
  memset(v.dBias, 0, V * sizeof(float));
  addColumns(dz, v.dBias, 0, N, V);
}

static void smallLogSumExpGrad(const Vocabulary& v) { smallGradFrom(v, allLogits(v)); }

// ---- one tile of dz, as the left side of both products

template <class F>
struct LogitGrads {
  Left<F> byToken;  // [tokens, columns]
  Left<F> byEntry;  // [columns, tokens]
};

// Where pairs of tokens lie side by side: words of [tokens / 2][columns] (and the same by row, for tile registers).
template <class F>
struct EntryWords {
  int64_t step, words;
  float *data = nullptr, *turned = nullptr;

  EntryWords(int64_t tokens, int64_t entries) : step(ceilDiv(entries, W) * W + W), words(F::words(tokens)) {
    if (F::numbers == 1) return;
    data = scratch(slotTile2, words * step + (SOFTBOX_TILES ? (entries + 2 * W) * (words + W) + Left<F>::overrun(words) : 0));
    turned = data + words * step;
  }
};

// Turns `count` rows of logits into gradients, two at a time while they are in the first cache.
template <class F>
static LogitGrads<F> logitGrads(const Vocabulary& v, int64_t token, int64_t count, int64_t from, int64_t columns,
                                float* z, int64_t ld, const EntryWords<F>& pairs) {
  for (int64_t i = 0; i < count; i += 2) {
    const int64_t rows = least(2, count - i);
    for (int64_t r = i; r < i + rows; r++) {
      logitGradRow(v, token + r, from, columns, z + r * ld);
      if (v.dBias) addColumns(z + r * ld, v.dBias + from, 0, 1, columns);
    }
    if (F::numbers == 2)
      packAcross<F>(z + i * ld, ld, columns, rows, 1, pairs.data + i / 2 * pairs.step, pairs.step);
    roundedInPlace<F>(z + i * ld, ld, rows, columns);
  }
  const Left<F> byToken{z, count, F::words(columns), ld, Left<F>::rowMajor};
  if (F::numbers == 1) return {byToken, {z, columns, count, ld, Left<F>::depthMajor}};
  const int64_t words = F::words(count);
  if (!SOFTBOX_TILES) return {byToken, {pairs.data, columns, words, pairs.step, Left<F>::depthMajor}};
  transposeWords(pairs.data, pairs.step, columns, ceilDiv(count, 2), pairs.turned, words);
  return {byToken, {pairs.turned, columns, words, words, Left<F>::rowMajor}};
}

// ---- the right sides: hidden rows of a group of tokens, weights of a tile

// Words between the packed hidden rows of two groups.
template <class F>
static int64_t hiddenStep(const Vocabulary& v) {
  return packedRightSize<F>(v.embed, tokenPanels<F>(v.embed) * tileRows<F>);
}

// Rounded: packs hidden for dWeight, a group of tokens at a time, in parallel. Exact: nothing, it is read in place.
template <class F>
static const float* packHidden(const Vocabulary& v, const Left<F>& tokens, int64_t block) {
  if (!F::rounded) return nullptr;
  const int64_t group = tokenPanels<F>(v.embed), groups = ceilDiv(tokens.count(), group);
  float* packed = scratch(slotRows, groups * hiddenStep<F>(v));
  parallel(groups, [&](int64_t g) {
    const int64_t first = tokens.start(g * group), last = tokens.start(least(tokens.count(), (g + 1) * group));
    packRight<F>(v.hidden + (block + first) * v.embed, v.embed, false, v.embed, last - first,
                 packed + g * hiddenStep<F>(v));
  });
  return packed;
}

template <class F>
static Right<F> hiddenOf(const Vocabulary& v, const float* packed, int64_t group, int64_t token, int64_t count,
                         float* tail) {
  if constexpr (F::rounded)
    return {packed + group * hiddenStep<F>(v), v.embed, F::words(count), 0, true, nullptr};
  else
    return rightOf<F>(v.hidden + token * v.embed, v.embed, v.embed, count, tail);
}

// One vocabulary tile: its dWeight and dBias over the tokens of the block, and what it adds to dHidden. Scores that were kept
// [tokens, ld] are not computed again.
template <class F>
static void vocabularyTileGrad(const Vocabulary& v, const Left<F>& tokens, const float* hidden, int64_t block,
                               int64_t from, int64_t columns, int64_t ld, float* kept, float* dHidden) {
  const int64_t panels = tokenPanels<F>(v.embed), rows = panels * tileRows<F>;
  float* hiddenTail = scratch(slotTail, tileColumns * rows);
  float* weightAt = scratch(slotKeys, rightSize<F>(v.embed, columns));
  const Right<F> weight = rightOf<F>(v.weight + from * v.embed, v.embed, v.embed, columns, weightAt);
  if (v.dBias && block == 0) memset(v.dBias + from, 0, columns * sizeof(float));
  const EntryWords<F> pairs(rows, columns);
  int64_t group = 0;
  const auto differentiate = [&](int64_t first, int64_t count, float* z) {
    const LogitGrads<F> dz = logitGrads<F>(v, block + first, count, from, columns, z, ld, pairs);
    multiply(dz.byEntry, hiddenOf<F>(v, hidden, group++, block + first, count, hiddenTail),
             {v.dWeight + from * v.embed, v.embed, block + first > 0});
    multiply(dz.byToken, weight, {dHidden + first * v.embed, v.embed, true});
  };
  if (!kept) return eachLogitTile(v, tokens, panels, from, columns, ld, nullptr, differentiate);
  for (int64_t p = 0; p < tokens.count(); p += panels) {
    const int64_t first = tokens.start(p), last = tokens.start(least(tokens.count(), p + panels));
    differentiate(first, last - first, kept + first * ld);
  }
}

// Tokens [block, block + rows), whose scores are in `kept` or computed again.
template <class F>
static void blockLogSumExpGrad(const Vocabulary& v, const Tiles& tiles, const Left<F>& tokens, int64_t block,
                               int64_t rows, float* kept) {
  const int64_t chunks = least(tiles.count, vocabularyChunks), floats = rows * v.embed;
  float* partial = scratch(slotPartial, chunks * floats);
  const float* hidden = packHidden(v, tokens, block);
  parallel(chunks, [&](int64_t chunk) {
    float* dHidden = partial + chunk * floats;
    memset(dHidden, 0, floats * sizeof(float));
    for (int64_t t = tiles.count * chunk / chunks; t < tiles.count * (chunk + 1) / chunks; t++)
      vocabularyTileGrad(v, tokens, hidden, block, t * tiles.columns, least(tiles.columns, v.vocab - t * tiles.columns),
                         tiles.ld, kept ? kept + t * rows * tiles.ld : nullptr, dHidden);
  });
  parallelRanges(floats, 1 << 13, [&](int64_t begin, int64_t end) {
    float* to = v.dHidden + block * v.embed + begin;
    memcpy(to, partial + begin, (end - begin) * sizeof(float));
    for (int64_t chunk = 1; chunk < chunks; chunk++) addColumns(partial + chunk * floats + begin, to, 0, 1, end - begin);
  });
}

template <class F>
static void tiledLogSumExpGrad(const Vocabulary& v) {
  const Tiles tiles(v);
  const int64_t blockRows = tokenBlock(v);
  for (int64_t block = 0; block < v.tokens; block += blockRows) {
    const int64_t rows = least(blockRows, v.tokens - block);
    blockLogSumExpGrad<F>(v, tiles, packTokens<F>(v, block, block + rows), block, rows, nullptr);
  }
}

static void linearLogSumExpGrad(const Vocabulary& v) {
  if (isSmall(v)) return smallLogSumExpGrad(v);
  v.rounded ? tiledLogSumExpGrad<Rounded>(v) : tiledLogSumExpGrad<Exact>(v);
}

// ---- both at once, where the gradients in the results are known before: scores of a block of tokens are kept meanwhile

constexpr int64_t keptFloats = 4 << 20;

// Plain scores alone: other forms are made in place, and the way back needs what they were made from.
template <class F>
static void tiledCrossEntropy(const Vocabulary& v) {
  const Tiles tiles(v);
  const int64_t fitting = least(tokenBlock(v), most(1, keptFloats / tiles.floats(1)));
  const int64_t each = ceilDiv(v.tokens, ceilDiv(v.tokens, fitting));
  float* kept = scratch(slotScores, tiles.floats(each));
  for (int64_t block = 0; block < v.tokens; block += each) {
    const int64_t rows = least(each, v.tokens - block);
    const Left<F> tokens = packTokens<F>(v, block, block + rows);
    blockLogSumExp<F>(v, tiles, tokens, block, rows, kept);
    blockLogSumExpGrad<F>(v, tiles, tokens, block, rows, kept);
  }
}

static void linearCrossEntropy(const Vocabulary& v) {
  if (isSmall(v)) return smallGradFrom(v, smallLogSumExp(v));
  v.rounded ? tiledCrossEntropy<Rounded>(v) : tiledCrossEntropy<Exact>(v);
}

SOFTBOX_END
