/** @file What every optimiser offers, and what they share. */
import * as tf from "@tensorflow/tfjs";

/** Whoever made it disposes it. */
export interface Optimizer {
  /** All that it knows besides the parameters, by name; saved with every checkpoint. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  /**
   * One update from gradients of the same order as the parameters. Does not dispose them.
   *
   * @param step - from 1.
   * @returns the global gradient norm before clipping; where it is not finite nothing was changed.
   */
  update(step: number, learningRate: number, gradients: readonly tf.Tensor[]): tf.Scalar;
  /**
   * Exchanges the parameters that are trained for those that are to be used, evaluated and saved (a running average, where one is
   * kept), and back again.
   */
  swap(): void;
  /** Told of the validation loss, in nats, at every scheduled evaluation. */
  evaluated(nats: number, step: number): void;
  dispose(): void;
}

/** Weight decay applies to matrices, not to gains and biases. */
export const decayOf = (parameter: tf.Variable, weightDecay: number): number => (parameter.rank > 1 ? weightDecay : 0);

/** A variable of a tensor's shape, filled with one value. */
export const variableLike = (x: tf.Tensor, value: number): tf.Variable =>
  tf.tidy(() => tf.variable(tf.fill(x.shape, value), false));
