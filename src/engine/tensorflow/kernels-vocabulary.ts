/**
 * @file The loss of one softmax over the vocabulary by `SparseSoftmaxCrossEntropyWithLogits`, which gives the gradient of the scores
 * beside the loss; some rows at a time, so that no more than so many scores exist at once.
 */
import { add, addAll, addBias, matMul, mul, reshape, rows, sum, sumRows, times } from "./arithmetic.ts";
import type { Handle, Scope, TensorflowKernel } from "./scope.ts";

/** Scores that exist at once: 64 MB, and as much again for their gradients. */
const scoresAtOnce = 2 ** 24;

/** Loss, log-sum-exp, and the gradients of the mean loss in hidden states, table and bias. */
const linearCrossEntropy: TensorflowKernel = (t, { hidden, weight, targets, bias }) => {
  const [h, w, ids] = [t.input(hidden), t.input(weight), t.input(targets)];
  const b = bias && t.input(bias);
  const [N, V] = [h.shape[0]!, w.shape[0]!];
  const step = Math.max(1, Math.floor(scoresAtOnce / V));
  const blocks: Handle[][] = [];
  for (let start = 0; start < N; start += step) {
    const count = Math.min(step, N - start);
    const whole = count === N;
    const [hRows, idRows] = whole ? [h, ids] : [rows(t, h, start, count), rows(t, ids, start, count)];
    const block = blockOf(t, { h: hRows, w, b, ids: idRows, N });
    blocks.push(block);
  }
  const joined = (i: number): Handle =>
    blocks.length === 1
      ? blocks[0]![i]!
      : concatRows(
          t,
          blocks.map((block) => block[i]!),
        );
  const summed = (i: number): Handle =>
    blocks.length === 1
      ? blocks[0]![i]!
      : addAll(
          t,
          blocks.map((block) => block[i]!),
        );
  return [joined(0), joined(1), joined(2), summed(3), ...(b ? [summed(4)] : [])];
};

interface Block {
  readonly h: Handle; // [n, E]
  readonly w: Handle; // [V, E]
  readonly b: Handle | undefined; // [V]
  readonly ids: Handle; // [n]
  /** Rows of all blocks. */
  readonly N: number;
}

function blockOf(t: Scope, { h, w, b, ids, N }: Block): Handle[] {
  const product = matMul(t, h, w, false, true); // [n, V]
  const logits = b ? addBias(t, product, b) : product;
  const [nats, slopes] = t.ops("SparseSoftmaxCrossEntropyWithLogits", [logits, ids], 2) as [Handle, Handle]; // [n], [n, V]
  const shares = times(t, slopes, 1 / N);
  const targetLogit = targetLogits(t, h, w, b, ids);
  return [
    nats,
    add(t, nats, targetLogit),
    matMul(t, shares, w), // [n, E]
    matMul(t, shares, h, true, false), // [V, E]
    ...(b ? [sumRows(t, shares)] : []), // [V]
  ];
}

/** z of the targets, `[n]`. */
function targetLogits(t: Scope, h: Handle, w: Handle, b: Handle | undefined, ids: Handle): Handle {
  const gather = (table: Handle): Handle => t.op("GatherV2", [table, ids, t.int(0)]);
  const scores = reshape(t, sum(t, mul(t, h, gather(w))), [h.shape[0]!]);
  return b ? add(t, scores, gather(b)) : scores;
}

const concatRows = (t: Scope, parts: readonly Handle[]): Handle =>
  t.op("ConcatV2", [...parts, t.int(0)], [t.attribute.count("N", parts.length), t.attribute.floatType]);

/** The gradients that were made on the way, times one factor for all tokens; where there is more than one, the composite. */
const linearCrossEntropyGrad: TensorflowKernel = (t, { dy, dHidden, dWeight, dBias }) => {
  const given = t.read(t.input(dy));
  if (!dHidden || !given.every((x) => x === given[0])) return undefined;
  const factor = given[0]! / Math.fround(1 / given.length);
  const made = [dHidden, dWeight, ...(dBias ? [dBias] : [])].map((x) => t.input(x));
  return made.map((x) => (factor === 1 ? t.op("Identity", [x]) : times(t, x, factor)));
};

export const vocabularyKernels: Readonly<Record<string, TensorflowKernel>> = {
  SoftboxLinearCrossEntropy: linearCrossEntropy,
  SoftboxLinearCrossEntropyGrad: linearCrossEntropyGrad,
};
