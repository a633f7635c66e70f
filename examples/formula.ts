// The softmax from its formula: why the largest score is taken out first, what temperature does, what a mask is.
import { logSoftmax, softmax } from "softbox";

/** As the formula is written. */
const written = (scores: readonly number[]): number[] => {
  const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  return scores.map((score) => Math.exp(score) / total);
};
const show = (values: ArrayLike<number>): string =>
  Array.from(values, (value) => value.toFixed(4).padStart(11)).join("");

const scores = [2, 1, 0.5];
console.log(`scores             ${show(scores)}`);
console.log(`as it is written   ${show(written(scores))}`);
console.log(`softbox            ${show(softmax(scores))}`);

const large = scores.map((score) => score + 1000);
console.log(`\nall 1000 higher    ${show(large)}`);
console.log(`as it is written   ${show(written(large))}   exp(1000) is infinite`);
console.log(`softbox            ${show(softmax(large))}   exp(z − max z) is at most 1`);

console.log("");
for (const temperature of [0.25, 0.5, 1, 2, 4])
  console.log(`temperature ${temperature.toFixed(2)}   ${show(softmax(scores, temperature))}`);

console.log(`\nthe last masked    ${show(softmax([2, 1, Number.NEGATIVE_INFINITY]))}`);
console.log(`of −1000 and 0     ${show(softmax([-1000, 0]))}   rounds to 0`);
console.log(`its logarithm      ${show(logSoftmax([-1000, 0]))}   does not`);
