// What turns attention scores into weights: the softmax and what has been tried in its place.
import * as tf from "@tensorflow/tfjs";
import { entmax15, softmax, sparsemax, useEngine } from "softbox";

await useEngine("cpu");
const values = (x: tf.Tensor): Float32Array => x.dataSync<"float32">();
const logSeen = (scores: readonly number[]): number => Math.log(scores.length);

const normalisers: Readonly<Record<string, (scores: number[]) => ArrayLike<number>>> = {
  softmax: (scores) => softmax(scores),
  softmax1: (scores) => softmax([...scores, 0]).slice(0, -1), // one more position that holds nothing
  sigmoid: (scores) => scores.map((score) => 1 / (1 + Math.exp(logSeen(scores) - score))),
  sparsemax: (scores) => tf.tidy(() => values(sparsemax(tf.tensor1d(scores)))),
  entmax15: (scores) => tf.tidy(() => values(entmax15(tf.tensor1d(scores)))),
};

const heads: Readonly<Record<string, number[]>> = {
  "one key fits": [4, 0.5, 0, -0.5, -1, -2],
  "two keys fit": [2, 1.8, 0, -0.5, -1, -2],
  "all alike": [0.1, 0, 0, 0.1, 0, 0],
  "none fits": [-6, -6.5, -7, -6, -8, -7],
};
for (const [name, scores] of Object.entries(heads)) {
  console.log(`${name.padEnd(12)}${scores.map((score) => score.toFixed(1).padStart(7)).join("")}     sum  zeros`);
  for (const [kind, normalise] of Object.entries(normalisers)) {
    const weights = Array.from(normalise(scores));
    const sum = weights.reduce((a, b) => a + b, 0).toFixed(3);
    const zeros = weights.filter((weight) => weight === 0).length;
    console.log(
      `  ${kind.padEnd(10)}${weights.map((w) => w.toFixed(3).padStart(7)).join("")}  ${sum.padStart(6)}  ${zeros}`,
    );
  }
}
