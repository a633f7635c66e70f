/** @file How fast the active engine multiplies: what `softbox doctor` prints beside an engine's name. */
import * as tf from "@tensorflow/tfjs";

/** The probe: float32 matmuls of this size until about so much time has gone. */
export const probeSize = 512;
const probeMilliseconds = 500;

/** GFLOP/s of float32 matmul on the active engine, to a tenth; one to warm up, then as many as fit the time. */
export async function measureEngine(): Promise<number> {
  const a = tf.randomUniform<tf.Rank.R2>([probeSize, probeSize], -1, 1, "float32", 1);
  const multiply = async (): Promise<void> => {
    const product = tf.matMul(a, a);
    await product.data();
    product.dispose();
  };
  await multiply();
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < probeMilliseconds; count++) await multiply();
  const seconds = (performance.now() - start) / 1000;
  a.dispose();
  return Math.round((10 * (count * 2 * probeSize ** 3)) / seconds / 1e9) / 10;
}
