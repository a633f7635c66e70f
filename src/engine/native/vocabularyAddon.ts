/** @file The native functions of the log-sum-exp over the vocabulary, argument by argument as native/entries.h reads them. */

export interface VocabularyAddon {
  /** `form` as in native/kernels.h (0 plain, 1 sigsoftmax, 2 sigmoid); `softcap` 0 = none; `mean` null = not wanted. */
  linearLogSumExp(
    hidden: Float32Array,
    weight: Float32Array,
    bias: Float32Array | null,
    targets: Int32Array,
    targetLogit: Float32Array,
    logSumExp: Float32Array,
    mean: Float32Array | null,
    tokens: number,
    embed: number,
    vocab: number,
    form: number,
    softcap: number,
  ): void;
  /** `dMean`, `dBias`: null where there is no such result or bias. */
  linearLogSumExpGrad(
    dTarget: Float32Array,
    dLogSumExp: Float32Array,
    dMean: Float32Array | null,
    hidden: Float32Array,
    weight: Float32Array,
    bias: Float32Array | null,
    targets: Int32Array,
    logSumExp: Float32Array,
    dHidden: Float32Array,
    dWeight: Float32Array,
    dBias: Float32Array | null,
    tokens: number,
    embed: number,
    vocab: number,
    form: number,
    softcap: number,
  ): void;
  /** Results and gradients at once, of plain scores; `dTarget` and `dLogSumExp` are inputs. */
  linearCrossEntropy(
    dTarget: Float32Array,
    dLogSumExp: Float32Array,
    hidden: Float32Array,
    weight: Float32Array,
    bias: Float32Array | null,
    targets: Int32Array,
    targetLogit: Float32Array,
    logSumExp: Float32Array,
    dHidden: Float32Array,
    dWeight: Float32Array,
    dBias: Float32Array | null,
    tokens: number,
    embed: number,
    vocab: number,
  ): void;
}
