/** @file Registers our fused operations with TensorFlow's backend. */

/** Call it once the package is loaded; again, it does nothing. */
export function registerTensorflowKernels(): void {}
