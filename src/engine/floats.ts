/** @file Arrays for large tensors that JavaScript fills, such as weights, where the active engine reads them fastest. */
import * as tf from "@tensorflow/tfjs";

/** A backend that has memory of its own to offer. */
interface Roomy {
  /** @see newFloats */
  allocateFloats?(count: number): Float32Array;
}

/**
 * An array of arbitrary contents; a tensor made of it (`tf.tensor(values, shape)`) takes it as it is. An array of V8's would be
 * copied when a kernel first meets it, and stay beside its copy until it is collected.
 */
export const newFloats = (count: number): Float32Array =>
  (tf.backend() as Roomy).allocateFloats?.(count) ?? new Float32Array(count);
