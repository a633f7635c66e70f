/** @file Fresh parameters. Each is a pure function of (seed, its own name), so adding a layer changes no other. */
import * as tf from "@tensorflow/tfjs";
import type { LinearParams } from "../attention/selfAttention.ts";
import { newFloats } from "../engine/floats.ts";
import { createRandomStream, randomKey } from "../engine/random.ts";

/** Makes the variables of one model. */
export interface Initializer {
  /** N(0, deviation²). */
  normal<R extends tf.Rank>(name: string, shape: tf.ShapeMap[R], deviation: number): tf.Variable<R>;
  constant<R extends tf.Rank>(shape: tf.ShapeMap[R], value: number): tf.Variable<R>;
  given<R extends tf.Rank>(values: Float32Array, shape: tf.ShapeMap[R]): tf.Variable<R>;
  /** Kernel N(0, deviation²) of shape `[I, O]`, bias 0. */
  linear(name: string, inputs: number, outputs: number, deviation: number): LinearParams;
}

/** GPT-2's standard deviation for every weight that feeds no residual sum (Radford et al. 2019). */
export const standardDeviation = 0.02;

function normals(count: number, deviation: number, seed: number, name: string): Float32Array {
  const random = createRandomStream(randomKey(seed, `init/${name}`));
  const values = newFloats(count);
  for (let i = 0; i < count; i++) values[i] = deviation * random.normal();
  return values;
}

const variable = <R extends tf.Rank>(values: Float32Array, shape: tf.ShapeMap[R]): tf.Variable<R> =>
  tf.tidy(() => tf.variable(tf.tensor(values, shape)));
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** An initializer whose values depend on `seed` and each parameter's name alone. */
export const createInitializer = (seed: number): Initializer =>
  assembleInitializer((name, count, deviation) => normals(count, deviation, seed, name));

/** For parameters that are about to be read from a file: zeros, whose memory the system gives only when it is written. */
export const createBlankInitializer = (): Initializer => assembleInitializer((_, count) => new Float32Array(count));

function assembleInitializer(draw: (name: string, count: number, deviation: number) => Float32Array): Initializer {
  const initializer: Initializer = {
    normal: (name, shape, deviation) => variable(draw(name, size(shape), deviation), shape),
    constant: (shape, value) => variable(newFloats(size(shape)).fill(value), shape),
    given: variable,
    linear: (name, inputs, outputs, deviation) => ({
      kernel: initializer.normal(`${name}.kernel`, [inputs, outputs], deviation),
      bias: initializer.constant([outputs], 0),
    }),
  };
  return initializer;
}
