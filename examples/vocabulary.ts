// What a large vocabulary costs: the loss over all scores at once, and the same walked over in tiles.
import * as tf from "@tensorflow/tfjs";
import { linearCrossEntropy, useEngine } from "softbox";

console.log(`engine: ${(await useEngine()).description}`);
const [N, E] = [128, 64]; // tokens, features

/** The whole matrix of scores, as most libraries do it. */
const atOnce = (hidden: tf.Tensor2D, table: tf.Tensor2D, targets: tf.Tensor1D): tf.Scalar => {
  const scores = tf.matMul(hidden, table, false, true); // [N, V]
  const right = tf.sum(tf.mul(hidden, tf.gather(table, targets)), 1); // [N]
  return tf.mean(tf.sub(tf.logSumExp(scores, 1), right)) as tf.Scalar;
};
const inTiles = (hidden: tf.Tensor2D, table: tf.Tensor2D, targets: tf.Tensor1D): tf.Scalar =>
  tf.mean(linearCrossEntropy(hidden, table, targets)) as tf.Scalar;

/** Loss, gradient and milliseconds of a way, and the MiB that its largest tensor takes. */
function measured(way: typeof atOnce, V: number): string {
  const table = tf.randomNormal<tf.Rank.R2>([V, E], 0, 0.3, "float32", 1);
  const hidden = tf.randomNormal<tf.Rank.R2>([N, E], 0, 1, "float32", 2);
  const targets = tf.tensor1d(Int32Array.from({ length: N }, (_, n) => (n * 7919) % V));
  const valueAndGradients = () =>
    tf.valueAndGrads((h: tf.Tensor, W: tf.Tensor) => way(h as tf.Tensor2D, W as tf.Tensor2D, targets))([hidden, table]);
  tf.dispose(valueAndGradients()); // the first call finds its memory
  const start = performance.now();
  const { value, grads } = valueAndGradients();
  const [loss, milliseconds] = [value.dataSync()[0]!, performance.now() - start];
  const norm = Math.hypot(...grads[0]!.dataSync());
  tf.dispose([table, hidden, targets, value, grads]);
  const matrix = way === atOnce ? `${((4 * N * V) / 2 ** 20).toFixed(1)} MiB of scores` : "no matrix of scores";
  return `loss ${loss.toFixed(4)}  gradient ${norm.toFixed(4)}  ${milliseconds.toFixed(0).padStart(5)} ms  ${matrix}`;
}

for (const V of [1000, 10_000, 50_257]) {
  console.log(`\n${V.toLocaleString("en-US")} tokens in the vocabulary`);
  console.log(`  at once   ${measured(atOnce, V)}`);
  console.log(`  in tiles  ${measured(inTiles, V)}`);
}
