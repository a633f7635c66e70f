// All kernels for one instruction set. Compiled once a set with SOFTBOX_ISA (its name) and SOFTBOX_VECTOR_BYTES.
#include "adamw.h"
#include "attentionstep.h"
#include "attentiongrad.h"
#include "elementwise.h"
#include "linear.h"
#include "matmul.h"
#include "recurrentgrad.h"
#include "rotary.h"
#include "rows.h"
#include "scores.h"
#include "sgd.h"
#include "tables.h"
#include "vocabularygrad.h"

#define SOFTBOX_JOIN(a, b) a##b
#define SOFTBOX_GETTER(isa) SOFTBOX_JOIN(isa, Kernels)
#define SOFTBOX_QUOTE(x) #x
#define SOFTBOX_NAME(isa) SOFTBOX_QUOTE(isa)

namespace softbox {

const Kernels* SOFTBOX_GETTER(SOFTBOX_ISA)() {
  using namespace SOFTBOX_ISA;
  static const Kernels table = {SOFTBOX_NAME(SOFTBOX_ISA),
                                matmul,
                                matmulHalves,
                                toHalves,
                                matmulBatch,
                                linear,
                                linearGrad,
                                unary,
                                binary,
                                softmax,
                                reduceRows,
                                reduceColumns,
                                layerNorm,
                                layerNormGrad,
                                rmsNorm,
                                rmsNormGrad,
                                swiglu,
                                swigluGrad,
                                rotary,
                                gelu,
                                geluGrad,
                                gather,
                                scatterAdd,
                                dropout,
                                attention,
                                attentionGrad,
                                attentionStep,
                                linearLogSumExp,
                                linearLogSumExpGrad,
                                linearCrossEntropy,
                                lstm,
                                lstmGrad,
                                gru,
                                gruGrad,
                                adamW,
                                sgd,
                                copyStrided,
                                scoreSums,
                                blockMaxima,
                                scoresFrom,
                                scoresWithin,
                                scoresInRings};
  return &table;
}

}  // namespace softbox
