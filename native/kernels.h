// What every instruction set offers: one table of plain functions over pointers and sizes. All checked by the callers
// in TypeScript; matrices are row-major float32. Results depend on shapes only, never on the number of threads.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace softbox {

enum Activation { activationNone, activationRelu, activationRelu6, activationElu, activationSigmoid, activationGelu };

// c[m, n] (+)= a · b (+ bias over columns); then the activation, whose slope is kept; then + residual.
// ta: a is stored [k, m]; tb: b is stored [n, k].
struct Matmul {
  const float *a, *b;
  float* c;
  int64_t m, n, k, lda, ldb, ldc;
  bool ta, tb, accumulate;
  const float* bias = nullptr;
  int activation = activationNone;
  bool rounded = false;  // a and b to bfloat16; sums stay float32, here and below
  float* slope = nullptr;           // [m, n] as c: derivative of GELU, the activation then; or null
  const float* residual = nullptr;  // [m, n] as c, or null
};

// One side of a binary operation over [rows, columns]: strides are 0 where that axis is broadcast.
struct Operand {
  const float* data;
  int64_t rowStride, columnStride;
};

// y [rows, outputs] = x [rows, inputs] · kernel [inputs, outputs] + bias, and what is null or not beside it.
struct Linear {
  const float *x, *kernel, *bias;
  const float* residual;  // added to y
  float* slope;           // derivative of the GELU that y went through; a result forward, an input backward
  float* y;
  const float* dy;  // backward only, as what follows
  float *dx, *dKernel, *dBias;
  int64_t rows, inputs, outputs;
  bool rounded;
};

struct Attention {
  const float* qkv;      // [B, T, 3E]
  const float* dOut;     // [B, T, E], backward only
  float* out;            // [B, T, E]
  float* logSumExp;      // [B, H, T]
  float* dqkv;           // [B, T, 3E], backward only
  int64_t batch, time, embed, heads;
  bool rounded;
};

// Turns pairs (i, i + D / 2) of queries and keys by angles of their position; values are copied.
struct Rotary {
  const float* qkv;     // [B, T, 3E]
  const float* angles;  // [T, D]: cosines, then sines, of D / 2 angles a position
  float* out;           // [B, T, 3E]
  int64_t batch, time, embed, heads;
  bool inverse;  // turns back
};

// What becomes of a score z, after the cap c·tanh(z / c): z itself, or z + log sigmoid(z), each for a log-sum-exp over the
// vocabulary; or z for a sum of softplus(z).
enum ScoreForm { formPlain, formSigsoftmax, formSigmoid };

// New positions beside keys and values that are kept, each [B, H, room, D]; the first of them is position `start`.
struct AttentionStep {
  const float* qkv;  // [B, T, 3E]
  float *keys, *values;
  float* out;        // [B, T, E], or null: keys and values are kept, and that is all
  int64_t batch, time, heads, size, start, room;
};

struct Vocabulary {
  const float *hidden, *weight, *bias;  // [N, E], [V, E], [V] or null
  const int32_t* targets;               // [N]
  int64_t tokens, embed, vocab;
  float *targetLogit, *logSumExp, *mean;     // [N]: results forward, mean or null; logSumExp is an input backward
  const float *dTarget, *dLogSumExp, *dMean; // [N]; dMean or null
  float *dHidden, *dWeight, *dBias;          // results; dBias null without bias
  int form;
  float softcap;  // 0: none
  bool rounded;
};

// A recurrent layer over whole sequences; G gates a unit side by side, 4 in an LSTM, 3 in a GRU.
struct Recurrent {
  const float *gates, *kernel, *bias;  // [B, T, G·U] from the inputs, [U, G·U], [G·U] (GRU)
  const float *hidden, *cell;          // [B, U] before the first step; cell: LSTM
  float *output, *finalCell;           // [B, T, U], an input backward; [B, U] (LSTM)
  float* trace;                        // [B, T, 5U] (LSTM), [B, T, 4U] (GRU): activations for the way back
  const float* dOutput;                // backward only, as what follows
  float *dGates, *dKernel, *dBias, *dHidden, *dCell;
  int64_t batch, time, units;
  bool rounded;
};

struct AdamW {
  float** p;
  const float** g;
  float **m, **v;
  const double *sizes, *weightDecay;  // of each parameter; sizes are whole numbers
  int64_t count;
  double step, learningRate, beta1, beta2, epsilon, clipNorm;
};

struct Sgd {
  float** p;
  const float** g;
  float** average;                      // null where none is kept
  const double *sizes, *weightDecay;  // of each parameter
  int64_t count;
  double learningRate, clipNorm, share;  // share: weight of the new parameters in the average
};

// Σ e^((s - top) · inverse) and Σ of that times its distance, over the scores of a vocabulary.
struct ScoreSums {
  const float* scores;  // [n]
  double* runs;         // [n / 256 rounded up]: the sum of the powers before each run of 256
  double* bins;         // [1841] by distance, 46 a unit, or null
  double* result;       // [2]
  int64_t n;
  double top, inverse;
};

// Places that are wanted, rising, and their scores.
struct Gathering {
  const float* scores;  // [n]
  const float* maxima;  // [n / 128 rounded up]: the highest score of each block of 128
  int32_t* places;      // [n + 1], as kept: one more than there may be
  float* kept;
  int64_t n;
};

constexpr int maxRank = 8;
// A copy of 4-byte items over an index space with one stride a side and axis.
struct StridedCopy {
  const uint32_t* from;
  uint32_t* to;
  int64_t rank;
  int64_t shape[maxRank], fromStride[maxRank], toStride[maxRank];
};

struct Kernels {
  const char* name;
  void (*matmul)(const Matmul&);
  void (*matmulHalves)(const Matmul&, const uint16_t* b);  // at most 8 rows, b stored as bfloat16
  void (*toHalves)(const float* x, uint16_t* y, int64_t n);
  void (*matmulBatch)(const Matmul&, int64_t batch, int64_t strideA, int64_t strideB, int64_t strideC);
  void (*linear)(const Linear&);
  void (*linearGrad)(const Linear&);
  void (*unary)(int operation, const float* x, float* y, int64_t n);
  void (*binary)(int operation, const Operand& a, const Operand& b, float* y, int64_t rows, int64_t columns);
  void (*softmax)(const float* x, float* y, int64_t rows, int64_t columns, bool logarithm);
  void (*reduceRows)(int operation, const float* x, float* y, int64_t rows, int64_t columns);
  void (*reduceColumns)(int operation, const float* x, float* y, int64_t rows, int64_t columns);
  void (*layerNorm)(const float* x, const float* gain, const float* bias, float* y, int64_t rows, int64_t columns,
                    float epsilon);
  void (*layerNormGrad)(const float* dy, const float* x, const float* gain, float* dx, float* dgain, float* dbias,
                        int64_t rows, int64_t columns, float epsilon);
  void (*rmsNorm)(const float* x, const float* gain, float* y, int64_t rows, int64_t columns, float epsilon);
  void (*rmsNormGrad)(const float* dy, const float* x, const float* gain, float* dx, float* dgain, int64_t rows,
                      int64_t columns, float epsilon);
  void (*swiglu)(const float* x, float* y, int64_t rows, int64_t columns);  // x [rows, 2 · columns]: gate, then up
  void (*swigluGrad)(const float* dy, const float* x, float* dx, int64_t rows, int64_t columns);
  void (*rotary)(const Rotary&);
  void (*gelu)(const float* x, float* y, int64_t n);
  void (*geluGrad)(const float* dy, const float* x, float* dx, int64_t n);
  void (*gather)(const float* table, const int32_t* ids, float* y, int64_t n, int64_t columns);
  void (*scatterAdd)(const float* dy, const int32_t* ids, float* table, int64_t n, int64_t rows, int64_t columns,
                     bool clear);
  void (*dropout)(const float* x, float* y, int64_t n, double rate, uint32_t key0, uint32_t key1);
  void (*attention)(const Attention&);
  void (*attentionGrad)(const Attention&);
  void (*attentionStep)(const AttentionStep&);
  void (*linearLogSumExp)(const Vocabulary&);
  void (*linearLogSumExpGrad)(const Vocabulary&);
  void (*linearCrossEntropy)(const Vocabulary&);  // both at once; scores in their plain form, uncapped, without mean
  void (*lstm)(const Recurrent&);
  void (*lstmGrad)(const Recurrent&);
  void (*gru)(const Recurrent&);
  void (*gruGrad)(const Recurrent&);
  double (*adamW)(const AdamW&);
  double (*sgd)(const Sgd&);
  void (*copyStrided)(const StridedCopy&);
  void (*scoreSums)(const ScoreSums&);
  void (*blockMaxima)(const float* scores, float* maxima, int64_t n);
  int64_t (*scoresFrom)(const Gathering&, double threshold);  // these return how many
  int64_t (*scoresWithin)(const Gathering&, double centre, double radius);
  int64_t (*scoresInRings)(const Gathering&, double top, int middle, int first, int last);
};

const Kernels* portableKernels();
const Kernels* avx2Kernels();
const Kernels* avx512Kernels();
const Kernels* avx512bf16Kernels();
const Kernels* amxKernels();
const Kernels* amxEmulatedKernels();  // only where SOFTBOX_EMULATE_AMX asked for it

}  // namespace softbox
