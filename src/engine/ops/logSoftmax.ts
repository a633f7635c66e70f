/**
 * @file `log softmax` over the last axis. tfjs makes it of five kernels; where an engine has tfjs's own kernel of that name, one does.
 * The gradient is tfjs's.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFused } from "../fused.ts";

/**
 * `z − logsumexp z`, row by row.
 *
 * @param logits - any shape of rank 1 or more; the last axis is normalised. Not disposed.
 * @returns same shape, owned by the caller.
 */
export const logSoftmax = <T extends tf.Tensor>(logits: T): T => runFused<T>("LogSoftmax", { logits }, { axis: -1 });

export const logSoftmaxKernels: readonly FusedKernel[] = [
  { name: "LogSoftmax", composite: ({ logits }) => tf.logSoftmax(logits!) },
];
