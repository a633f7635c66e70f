// The kernels as JavaScript calls them: one function each, its arguments read by position in the order of addon.ts.
// `A` is how a binding hands arguments over: Node-API's (binding.cc) or WebAssembly's (wasm/wasm.cc).
#pragma once
#include "kernels.h"

namespace softbox {
namespace entries {

#define SOFTBOX_ENTRY(result, name) \
  template <class A>                \
  result name(const Kernels& kernels, const A& a)

// Every entry below, for the bindings.
#define SOFTBOX_ENTRIES(each)                                                                                      \
  each(matmul) each(unary) each(binary) each(softmax) each(reduceRows) each(reduceColumns) each(layerNorm)         \
  each(layerNormGrad) each(rmsNorm) each(rmsNormGrad) each(swiglu) each(swigluGrad) each(rotary) each(gelu)        \
  each(geluGrad) each(gather) each(scatterAdd) each(dropout) each(attention) each(attentionGrad)                   \
  each(linearLogSumExp) each(linearLogSumExpGrad) each(linearCrossEntropy) each(adamW) each(copyStrided)           \
  each(linear) each(linearGrad) each(lstm) each(lstmGrad) each(gru) each(gruGrad) each(sgd) each(setRounding)      \
  each(rounds) each(matmulHalves) each(linearHalves) each(toHalves) each(attentionStep) each(blockMaxima)          \
  each(scoreSums) each(scoresFrom) each(scoresWithin) each(scoresInRings)

// Whether products round their inputs to bfloat16: one choice for the process.
inline int rounding = 0;  // no STL here: WebAssembly has none
inline bool isRounding() { return __atomic_load_n(&rounding, __ATOMIC_RELAXED) != 0; }
SOFTBOX_ENTRY(void, setRounding) {
  (void)kernels;
  __atomic_store_n(&rounding, a.flag(0) ? 1 : 0, __ATOMIC_RELAXED);
}
SOFTBOX_ENTRY(double, rounds) {
  (void)kernels, (void)a;
  return isRounding();
}

SOFTBOX_ENTRY(void, matmul) {
  Matmul p{};
  p.a = a.floats(0);
  p.b = a.floats(1);
  p.c = a.floats(2);
  p.m = a.size(3);
  p.n = a.size(4);
  p.k = a.size(5);
  p.ta = a.flag(6);
  p.tb = a.flag(7);
  p.lda = p.ta ? p.m : p.k;
  p.ldb = p.tb ? p.k : p.n;
  p.ldc = p.n;
  p.bias = a.floats(8);
  p.activation = a.integer(9);
  p.rounded = isRounding();
  const int64_t batch = a.size(10);
  if (batch == 1) kernels.matmul(p);
  else kernels.matmulBatch(p, batch, a.size(11), a.size(12), p.m * p.n);
}
// linear(x, kernel, bias, residual, slope, y, rows, inputs, outputs)
SOFTBOX_ENTRY(void, linear) {
  Linear p{};
  p.x = a.floats(0);
  p.kernel = a.floats(1);
  p.bias = a.floats(2);
  p.residual = a.floats(3);
  p.slope = a.floats(4);
  p.y = a.floats(5);
  p.rows = a.size(6);
  p.inputs = a.size(7);
  p.outputs = a.size(8);
  p.rounded = isRounding();
  kernels.linear(p);
}
// matmulHalves(a, b, c, m, n, k, transposeB, bias): b stored as bfloat16, m at most 8
SOFTBOX_ENTRY(void, matmulHalves) {
  Matmul p{};
  p.a = a.floats(0);
  p.c = a.floats(2);
  p.m = a.size(3);
  p.n = a.size(4);
  p.k = a.size(5);
  p.tb = a.flag(6);
  p.lda = p.k;
  p.ldb = p.tb ? p.k : p.n;
  p.ldc = p.n;
  p.bias = a.floats(7);
  kernels.matmulHalves(p, static_cast<const uint16_t*>(a.pointer(1)));
}
// linearHalves(x, kernel, bias, residual, slope, y, rows, inputs, outputs): as linear, the kernel stored as bfloat16
SOFTBOX_ENTRY(void, linearHalves) {
  Matmul p{};
  p.a = a.floats(0);
  p.bias = a.floats(2);
  p.residual = a.floats(3);
  p.slope = a.floats(4);
  p.activation = p.slope ? activationGelu : activationNone;
  p.c = a.floats(5);
  p.m = a.size(6);
  p.k = p.lda = a.size(7);
  p.n = p.ldb = p.ldc = a.size(8);
  kernels.matmulHalves(p, static_cast<const uint16_t*>(a.pointer(1)));
}
SOFTBOX_ENTRY(void, toHalves) { kernels.toHalves(a.floats(0), static_cast<uint16_t*>(a.pointer(1)), a.size(2)); }
// attentionStep(qkv, keys, values, out, batch, time, heads, size, start, room)
SOFTBOX_ENTRY(void, attentionStep) {
  AttentionStep p{};
  p.qkv = a.floats(0);
  p.keys = a.floats(1);
  p.values = a.floats(2);
  p.out = a.floats(3);
  p.batch = a.size(4);
  p.time = a.size(5);
  p.heads = a.size(6);
  p.size = a.size(7);
  p.start = a.size(8);
  p.room = a.size(9);
  kernels.attentionStep(p);
}
// linearGrad(dy, x, kernel, slope, dx, dKernel, dBias, rows, inputs, outputs)
SOFTBOX_ENTRY(void, linearGrad) {
  Linear p{};
  p.dy = a.floats(0);
  p.x = a.floats(1);
  p.kernel = a.floats(2);
  p.slope = a.floats(3);
  p.dx = a.floats(4);
  p.dKernel = a.floats(5);
  p.dBias = a.floats(6);
  p.rows = a.size(7);
  p.inputs = a.size(8);
  p.outputs = a.size(9);
  p.rounded = isRounding();
  kernels.linearGrad(p);
}
SOFTBOX_ENTRY(void, unary) { kernels.unary(a.integer(0), a.floats(1), a.floats(2), a.size(3)); }
SOFTBOX_ENTRY(void, binary) {
  kernels.binary(a.integer(0), {a.floats(1), a.size(2), a.size(3)}, {a.floats(4), a.size(5), a.size(6)}, a.floats(7),
                 a.size(8), a.size(9));
}
SOFTBOX_ENTRY(void, softmax) { kernels.softmax(a.floats(0), a.floats(1), a.size(2), a.size(3), a.flag(4)); }
SOFTBOX_ENTRY(void, reduceRows) {
  kernels.reduceRows(a.integer(0), a.floats(1), a.floats(2), a.size(3), a.size(4));
}
SOFTBOX_ENTRY(void, reduceColumns) {
  kernels.reduceColumns(a.integer(0), a.floats(1), a.floats(2), a.size(3), a.size(4));
}
SOFTBOX_ENTRY(void, layerNorm) {
  kernels.layerNorm(a.floats(0), a.floats(1), a.floats(2), a.floats(3), a.size(4), a.size(5),
                    static_cast<float>(a.number(6)));
}
SOFTBOX_ENTRY(void, layerNormGrad) {
  kernels.layerNormGrad(a.floats(0), a.floats(1), a.floats(2), a.floats(3), a.floats(4), a.floats(5), a.size(6),
                        a.size(7), static_cast<float>(a.number(8)));
}
SOFTBOX_ENTRY(void, rmsNorm) {
  kernels.rmsNorm(a.floats(0), a.floats(1), a.floats(2), a.size(3), a.size(4), static_cast<float>(a.number(5)));
}
SOFTBOX_ENTRY(void, rmsNormGrad) {
  kernels.rmsNormGrad(a.floats(0), a.floats(1), a.floats(2), a.floats(3), a.floats(4), a.size(5), a.size(6),
                      static_cast<float>(a.number(7)));
}
SOFTBOX_ENTRY(void, swiglu) { kernels.swiglu(a.floats(0), a.floats(1), a.size(2), a.size(3)); }
SOFTBOX_ENTRY(void, swigluGrad) { kernels.swigluGrad(a.floats(0), a.floats(1), a.floats(2), a.size(3), a.size(4)); }
// rotary(qkv, angles, out, batch, time, embed, heads, inverse)
SOFTBOX_ENTRY(void, rotary) {
  kernels.rotary({a.floats(0), a.floats(1), a.floats(2), a.size(3), a.size(4), a.size(5), a.size(6), a.flag(7)});
}
SOFTBOX_ENTRY(void, gelu) { kernels.gelu(a.floats(0), a.floats(1), a.size(2)); }
SOFTBOX_ENTRY(void, geluGrad) { kernels.geluGrad(a.floats(0), a.floats(1), a.floats(2), a.size(3)); }
SOFTBOX_ENTRY(void, gather) { kernels.gather(a.floats(0), a.ints(1), a.floats(2), a.size(3), a.size(4)); }
SOFTBOX_ENTRY(void, scatterAdd) {
  kernels.scatterAdd(a.floats(0), a.ints(1), a.floats(2), a.size(3), a.size(4), a.size(5), a.flag(6));
}
SOFTBOX_ENTRY(void, dropout) {
  kernels.dropout(a.floats(0), a.floats(1), a.size(2), a.number(3), static_cast<uint32_t>(a.size(4)),
                  static_cast<uint32_t>(a.size(5)));
}
SOFTBOX_ENTRY(void, attention) {
  Attention p{};
  p.qkv = a.floats(0);
  p.out = a.floats(1);
  p.logSumExp = a.floats(2);
  p.batch = a.size(3);
  p.time = a.size(4);
  p.embed = a.size(5);
  p.heads = a.size(6);
  p.rounded = isRounding();
  kernels.attention(p);
}
SOFTBOX_ENTRY(void, attentionGrad) {
  Attention p{};
  p.dOut = a.floats(0);
  p.qkv = a.floats(1);
  p.out = a.floats(2);
  p.logSumExp = a.floats(3);
  p.dqkv = a.floats(4);
  p.batch = a.size(5);
  p.time = a.size(6);
  p.embed = a.size(7);
  p.heads = a.size(8);
  p.rounded = isRounding();
  kernels.attentionGrad(p);
}
// hidden, weight, bias and targets from argument `arrays` on; tokens, embed and vocab from `sizes` on.
template <class A>
Vocabulary vocabulary(const A& a, int arrays, int sizes) {
  Vocabulary p{};
  p.hidden = a.floats(arrays);
  p.weight = a.floats(arrays + 1);
  p.bias = a.floats(arrays + 2);
  p.targets = a.ints(arrays + 3);
  p.tokens = a.size(sizes);
  p.embed = a.size(sizes + 1);
  p.vocab = a.size(sizes + 2);
  p.form = formPlain;
  p.rounded = isRounding();
  return p;
}
// dHidden, dWeight and dBias from argument `at` on.
template <class A>
void vocabularyGrads(const A& a, int at, Vocabulary& p) {
  p.dHidden = a.floats(at);
  p.dWeight = a.floats(at + 1);
  p.dBias = a.floats(at + 2);
}
// linearLogSumExp(hidden, weight, bias, targets, targetLogit, logSumExp, mean, tokens, embed, vocab, form, softcap)
SOFTBOX_ENTRY(void, linearLogSumExp) {
  Vocabulary p = vocabulary(a, 0, 7);
  p.targetLogit = a.floats(4);
  p.logSumExp = a.floats(5);
  p.mean = a.floats(6);
  p.form = a.integer(10);
  p.softcap = static_cast<float>(a.number(11));
  kernels.linearLogSumExp(p);
}
// linearLogSumExpGrad(dTarget, dLogSumExp, dMean, hidden, weight, bias, targets, logSumExp, dHidden, dWeight, dBias,
//                     tokens, embed, vocab, form, softcap)
SOFTBOX_ENTRY(void, linearLogSumExpGrad) {
  Vocabulary p = vocabulary(a, 3, 11);
  p.dTarget = a.floats(0);
  p.dLogSumExp = a.floats(1);
  p.dMean = a.floats(2);
  p.logSumExp = a.floats(7);
  vocabularyGrads(a, 8, p);
  p.form = a.integer(14);
  p.softcap = static_cast<float>(a.number(15));
  kernels.linearLogSumExpGrad(p);
}
// linearCrossEntropy(dTarget, dLogSumExp, hidden, weight, bias, targets, targetLogit, logSumExp, dHidden, dWeight, dBias,
//                    tokens, embed, vocab)
SOFTBOX_ENTRY(void, linearCrossEntropy) {
  Vocabulary p = vocabulary(a, 2, 11);
  p.dTarget = a.floats(0);
  p.dLogSumExp = a.floats(1);
  p.targetLogit = a.floats(6);
  p.logSumExp = a.floats(7);
  vocabularyGrads(a, 8, p);
  kernels.linearCrossEntropy(p);
}

// The sizes behind the arrays, from argument `at` on.
template <class A>
Recurrent recurrent(const A& a, int at) {
  Recurrent p{};
  p.batch = a.size(at);
  p.time = a.size(at + 1);
  p.units = a.size(at + 2);
  p.rounded = isRounding();
  return p;
}
// lstm(gates, kernel, hidden, cell, output, finalCell, trace, batch, time, units)
SOFTBOX_ENTRY(void, lstm) {
  Recurrent p = recurrent(a, 7);
  p.gates = a.floats(0);
  p.kernel = a.floats(1);
  p.hidden = a.floats(2);
  p.cell = a.floats(3);
  p.output = a.floats(4);
  p.finalCell = a.floats(5);
  p.trace = a.floats(6);
  kernels.lstm(p);
}
// lstmGrad(dOutput, kernel, hidden, cell, output, trace, dGates, dKernel, dHidden, dCell, batch, time, units)
SOFTBOX_ENTRY(void, lstmGrad) {
  Recurrent p = recurrent(a, 10);
  p.dOutput = a.floats(0);
  p.kernel = a.floats(1);
  p.hidden = a.floats(2);
  p.cell = a.floats(3);
  p.output = a.floats(4);
  p.trace = a.floats(5);
  p.dGates = a.floats(6);
  p.dKernel = a.floats(7);
  p.dHidden = a.floats(8);
  p.dCell = a.floats(9);
  kernels.lstmGrad(p);
}
// gru(gates, kernel, bias, hidden, output, trace, batch, time, units)
SOFTBOX_ENTRY(void, gru) {
  Recurrent p = recurrent(a, 6);
  p.gates = a.floats(0);
  p.kernel = a.floats(1);
  p.bias = a.floats(2);
  p.hidden = a.floats(3);
  p.output = a.floats(4);
  p.trace = a.floats(5);
  kernels.gru(p);
}
// gruGrad(dOutput, kernel, hidden, output, trace, dGates, dKernel, dBias, dHidden, batch, time, units)
SOFTBOX_ENTRY(void, gruGrad) {
  Recurrent p = recurrent(a, 9);
  p.dOutput = a.floats(0);
  p.kernel = a.floats(1);
  p.hidden = a.floats(2);
  p.output = a.floats(3);
  p.trace = a.floats(4);
  p.dGates = a.floats(5);
  p.dKernel = a.floats(6);
  p.dBias = a.floats(7);
  p.dHidden = a.floats(8);
  kernels.gruGrad(p);
}

// adamW(arrays: p..., g..., m..., v..., sizes, weightDecay, step, learningRate, beta1, beta2, epsilon, clipNorm)
SOFTBOX_ENTRY(double, adamW) {
  const auto arrays = a.list(0);
  const int64_t count = arrays.count / 4;
  AdamW p{};
  p.p = arrays.data;
  p.g = const_cast<const float**>(arrays.data + count);
  p.m = arrays.data + 2 * count;
  p.v = arrays.data + 3 * count;
  p.sizes = a.doubles(1);
  p.weightDecay = a.doubles(2);
  p.count = count;
  p.step = a.number(3);
  p.learningRate = a.number(4);
  p.beta1 = a.number(5);
  p.beta2 = a.number(6);
  p.epsilon = a.number(7);
  p.clipNorm = a.number(8);
  return kernels.adamW(p);
}

// sgd(arrays: p..., g..., and averages... or none, sizes, weightDecay, count, learningRate, clipNorm, share)
SOFTBOX_ENTRY(double, sgd) {
  const auto arrays = a.list(0);
  const int64_t count = a.size(3);
  Sgd p{};
  p.p = arrays.data;
  p.g = const_cast<const float**>(arrays.data + count);
  p.average = arrays.count == 3 * count ? arrays.data + 2 * count : nullptr;
  p.sizes = a.doubles(1);
  p.weightDecay = a.doubles(2);
  p.count = count;
  p.learningRate = a.number(4);
  p.clipNorm = a.number(5);
  p.share = a.number(6);
  return kernels.sgd(p);
}

// copyStrided(from, fromOffset, to, toOffset, layout): layout holds the shape, the strides of `from`, those of `to`.
SOFTBOX_ENTRY(void, copyStrided) {
  StridedCopy c{};
  c.from = static_cast<const uint32_t*>(a.pointer(0)) + a.size(1);
  c.to = static_cast<uint32_t*>(a.pointer(2)) + a.size(3);
  const double* layout = a.doubles(4);
  c.rank = a.size(5);
  for (int64_t i = 0; i < c.rank; i++) {
    c.shape[i] = static_cast<int64_t>(layout[i]);
    c.fromStride[i] = static_cast<int64_t>(layout[c.rank + i]);
    c.toStride[i] = static_cast<int64_t>(layout[2 * c.rank + i]);
  }
  kernels.copyStrided(c);
}

// blockMaxima(scores, maxima, n)
SOFTBOX_ENTRY(void, blockMaxima) { kernels.blockMaxima(a.floats(0), a.floats(1), a.size(2)); }
// scoreSums(scores, runs, bins, result, n, top, inverse)
SOFTBOX_ENTRY(void, scoreSums) {
  kernels.scoreSums({a.floats(0), a.doubles(1), a.doubles(2), a.doubles(3), a.size(4), a.number(5), a.number(6)});
}
// Arguments of the three below begin with: scores, maxima, places, kept, n.
template <class A>
Gathering gathering(const A& a) {
  return {a.floats(0), a.floats(1), a.ints(2), a.floats(3), a.size(4)};
}
// scoresFrom(..., threshold)
SOFTBOX_ENTRY(double, scoresFrom) { return static_cast<double>(kernels.scoresFrom(gathering(a), a.number(5))); }
// scoresWithin(..., centre, radius)
SOFTBOX_ENTRY(double, scoresWithin) {
  return static_cast<double>(kernels.scoresWithin(gathering(a), a.number(5), a.number(6)));
}
// scoresInRings(..., top, middle, first, last)
SOFTBOX_ENTRY(double, scoresInRings) {
  return static_cast<double>(
      kernels.scoresInRings(gathering(a), a.number(5), a.integer(6), a.integer(7), a.integer(8)));
}

}  // namespace entries
}  // namespace softbox
