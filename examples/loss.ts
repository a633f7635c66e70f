// The loss −log p and its gradient in the scores: p − 1 for the right class, p for the others.
import * as tf from "@tensorflow/tfjs";
import { logSumExp, softmax, useEngine } from "softbox";

await useEngine("cpu");
const scores = [2, 1, 0.5, -1];
const right = 1;

/** −log softmax(z)_right, as logsumexp z − z_right. */
const loss = (z: readonly number[]): number => logSumExp(z) - z[right]!;
const step = 1e-6;
const moved = (by: number, v: number): number[] => scores.map((score, i) => (i === v ? score + by : score));

const byFormula = softmax(scores).map((p, v) => p - (v === right ? 1 : 0));
const byDifference = scores.map((_, v) => (loss(moved(step, v)) - loss(moved(-step, v))) / (2 * step));
const byTape = tf.tidy(() => {
  const lossOf = (z: tf.Tensor) => tf.sub(tf.logSumExp(z), tf.slice1d(z as tf.Tensor1D, right, 1).asScalar());
  return tf.grad(lossOf)(tf.tensor1d(scores)).dataSync();
});

const show = (values: ArrayLike<number>): string =>
  Array.from(values, (value) => value.toFixed(4).padStart(9)).join("");
console.log(`scores            ${show(scores)}   loss ${loss(scores).toFixed(4)} nats`);
console.log(`p                 ${show(softmax(scores))}`);
console.log(`p − 1 where right ${show(byFormula)}   sum ${Math.abs(byFormula.reduce((a, b) => a + b, 0)).toFixed(4)}`);
console.log(`by difference     ${show(byDifference)}`);
console.log(`by tfjs's tape    ${show(byTape)}`);

let z = scores;
console.log("\nten steps down the gradient, rate 1:");
for (let i = 1; i <= 10; i++) {
  const p = softmax(z);
  z = z.map((score, v) => score - (p[v]! - (v === right ? 1 : 0)));
  console.log(`${String(i).padStart(2)}  loss ${loss(z).toFixed(4)}  p ${show(softmax(z))}`);
}
