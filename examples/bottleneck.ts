// The softmax bottleneck in numbers: log-probabilities of one softmax over E features have rank E + 1 at most; of a mixture, any.
import { logSoftmax, logSumExp, spectrumOf } from "softbox";

const [contexts, tokens, features, mixtures] = [60, 60, 8, 4];

/** Numbers that look random and are the same every time. */
let state = 1;
const draw = (): number => {
  state = (state * 48_271) % 2_147_483_647;
  return (state / 2_147_483_647 - 0.5) * 3;
};
const matrix = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, draw));
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const table = matrix(tokens, features);
/** log softmax(W h), a row for each hidden state. */
const oneSoftmax = (states: number[][]): Float64Array[] => states.map((h) => logSoftmax(table.map((w) => dot(w, h))));

/** log Σ_k π_k softmax(W h_k), with equal weights. */
function mixture(states: number[][][]): Float64Array[] {
  const components = states.map(oneSoftmax);
  return Array.from({ length: contexts }, (_, n) =>
    Float64Array.from(
      { length: tokens },
      (_, v) => logSumExp(components.map((rows) => rows[n]![v]!)) - Math.log(mixtures),
    ),
  );
}

const plain = spectrumOf(oneSoftmax(matrix(contexts, features)));
const mixed = spectrumOf(mixture(Array.from({ length: mixtures }, () => matrix(contexts, features))));
console.log(`${contexts} contexts × ${tokens} tokens, ${features} features`);
console.log(`one softmax      rank ${plain.rank}, at most ${features + 1}`);
console.log(`mixture of ${mixtures}     rank ${mixed.rank}, at most ${Math.min(contexts, tokens)}`);
console.log("\nsingular values   one softmax    mixture");
for (const i of [0, 1, 4, 8, 9, 10, 20, 40, 59])
  console.log(
    `${String(i + 1).padStart(15)} ${plain.singularValues[i]!.toExponential(1).padStart(13)} ${mixed.singularValues[i]!.toExponential(1).padStart(10)}`,
  );
