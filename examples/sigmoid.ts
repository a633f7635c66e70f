// Softmax or sigmoid: one answer among many, or many questions of yes and no.
import { softmax } from "softbox";

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));
const show = (values: ArrayLike<number>): string =>
  Array.from(values, (value) => value.toFixed(4).padStart(9)).join("");
const total = (values: ArrayLike<number>): string =>
  Array.from(values)
    .reduce((a, b) => a + b, 0)
    .toFixed(4);

console.log("two classes: the softmax is a sigmoid of the difference");
for (const [a, b] of [
  [2, 1],
  [0, 0],
  [-3, 4],
] as const)
  console.log(`  scores ${show([a, b])}   softmax ${show([softmax([a, b])[0]!])}   sigmoid ${show([sigmoid(a - b)])}`);

const scores = [3, 2.5, -4];
console.log(`\na picture of a cat and a dog, no fish; scores ${show(scores)}`);
const [one, each] = [softmax(scores), scores.map(sigmoid)];
console.log(`  softmax ${show(one)}   sum ${total(one)}: they compete, the dog halves the cat`);
console.log(`  sigmoid ${show(each)}   sum ${total(each)}: each for itself, both are there`);

const higher = [3, 6, -4];
console.log(`\nthe dog's score rises to 6`);
console.log(`  softmax ${show(softmax(higher))}   the cat falls`);
console.log(`  sigmoid ${show(higher.map(sigmoid))}   the cat stays`);

const shifted = scores.map((score) => score + 5);
console.log("\nall scores 5 higher");
console.log(`  softmax ${show(softmax(shifted))}   nothing changes`);
console.log(`  sigmoid ${show(shifted.map(sigmoid))}   everything does`);
