/**
 * @file The one primitive behind every head: a linear map to the vocabulary, of which only two numbers a token are kept.
 *
 * With `z = h Wᵀ + b`: the target's logit `t = z[target]` and the log-sum-exp `s = log Σ_v exp z_v`. The vocabulary is walked
 * in tiles with a running maximum and sum; the backward pass recomputes each tile. No `[tokens, vocabulary]` matrix exists.
 */
import * as tf from "@tensorflow/tfjs";
import { type FusedKernel, runFusedMany } from "../fused.ts";
import { expectShape, type N, type NE } from "../shapes.ts";

/** What a token's loss is made of, each `[N]`, in nats. */
export interface TargetAndLogSumExp {
  readonly targetLogit: N;
  readonly logSumExp: N;
}

/**
 * `z[target]` and `logsumexp z` for each row, `z = hidden · weightᵀ + bias`.
 *
 * @param hidden - `[N, E]`. Not disposed.
 * @param weight - `[V, E]`, one row a vocabulary entry (an embedding table fits as it is).
 * @param targets - `[N]`, int32, each in `[0, V)`.
 * @param bias - `[V]`, or nothing.
 * @returns two tensors owned by the caller; both are differentiable in hidden, weight and bias.
 */
export function linearLogSumExp(hidden: NE, weight: tf.Tensor2D, targets: N, bias?: tf.Tensor1D): TargetAndLogSumExp {
  const [rows, E] = hidden.shape;
  expectShape("linearLogSumExp weight", weight, [null, E]);
  expectShape("linearLogSumExp targets", targets, [rows]);
  if (bias) expectShape("linearLogSumExp bias", bias, [weight.shape[0]]);
  const [targetLogit, logSumExp] = bias
    ? runFusedMany("SoftboxLinearLogSumExpBias", { hidden, weight, targets, bias })
    : runFusedMany("SoftboxLinearLogSumExp", { hidden, weight, targets });
  return { targetLogit: targetLogit as N, logSumExp: logSumExp as N };
}

/** Vocabulary entries a tile. */
const tileSize = 4096;

interface Tile {
  readonly start: number;
  readonly weight: tf.Tensor2D; // [v, E]
  readonly logits: tf.Tensor2D; // [N, v]
}

function* tiles(hidden: tf.Tensor2D, weight: tf.Tensor2D, bias?: tf.Tensor1D): Generator<Tile> {
  const [V, E] = weight.shape;
  for (let start = 0; start < V; start += tileSize) {
    const size = Math.min(tileSize, V - start);
    const rows = tf.slice(weight, [start, 0], [size, E]); // [v, E]
    const product = tf.matMul(hidden, rows, false, true); // [N, v]
    const logits = bias ? tf.add(product, tf.slice(bias, [start], [size])) : product;
    yield { start, weight: rows, logits: logits as tf.Tensor2D };
  }
}

function forward(hidden: tf.Tensor2D, weight: tf.Tensor2D, targets: tf.Tensor1D, bias?: tf.Tensor1D): tf.Tensor[] {
  const chosen = tf.sum(tf.mul(hidden, tf.gather(weight, targets)), -1); // [N]
  const targetLogit = bias ? tf.add(chosen, tf.gather(bias, targets)) : chosen;
  let maximum: tf.Tensor = tf.fill([hidden.shape[0]], Number.NEGATIVE_INFINITY); // [N]
  let sum: tf.Tensor = tf.zeros([hidden.shape[0]]); // [N], of exp(z − maximum)
  for (const { logits } of tiles(hidden, weight, bias)) {
    [maximum, sum] = tf.tidy(() => {
      const next = tf.maximum(maximum, tf.max(logits, -1));
      const here = tf.sum(tf.exp(tf.sub(logits, tf.expandDims(next, -1))), -1);
      return [next, tf.add(tf.mul(sum, tf.exp(tf.sub(maximum, next))), here)];
    });
    logits.dispose();
  }
  return [targetLogit, tf.add(maximum, tf.log(sum))];
}

/** `dz = dLogSumExp · softmax(z)` tile by tile; the target's own term is added at the end, without a one-hot. */
function backward(inputs: Readonly<Record<string, tf.Tensor>>): tf.Tensor[] {
  const { hidden, weight, targets, bias, logSumExp, dTarget, dLogSumExp } = inputs as Record<string, tf.Tensor2D>;
  const column = (x: tf.Tensor): tf.Tensor => tf.expandDims(x, -1); // [N, 1]
  const ids = targets as unknown as tf.Tensor1D;
  let dHidden = tf.mul(column(dTarget!), tf.gather(weight!, ids)); // [N, E]
  const dWeights: tf.Tensor2D[] = [];
  const dBiases: tf.Tensor1D[] = [];
  for (const { logits, weight: rows } of tiles(hidden!, weight!, bias as unknown as tf.Tensor1D)) {
    const [dh, dw, db] = tf.tidy(() => {
      const dLogits = tf.mul(tf.exp(tf.sub(logits, column(logSumExp!))), column(dLogSumExp!)) as tf.Tensor2D; // [N, v]
      const sum = tf.add(dHidden, tf.matMul(dLogits, rows)) as tf.Tensor2D; // [N, E]
      return [sum, tf.matMul(dLogits, hidden!, true, false), tf.sum(dLogits, 0)] as const; // dw [v, E], db [v]
    });
    tf.dispose([logits, dHidden]);
    dHidden = dh;
    dWeights.push(dw as tf.Tensor2D);
    dBiases.push(db as tf.Tensor1D);
  }
  const V = weight!.shape[0];
  const targetRows = tf.unsortedSegmentSum(tf.mul(column(dTarget!), hidden!), ids, V); // [V, E]
  const dWeight = tf.add(tf.concat(dWeights, 0), targetRows);
  if (!bias) return [dHidden, dWeight];
  return [dHidden, dWeight, tf.add(tf.concat(dBiases, 0), tf.unsortedSegmentSum(dTarget!, ids, V))];
}

/** Both forms of the kernel have one gradient; tfjs saves inputs by name, so the form with a bias is a kernel of its own. */
function gradientOf(names: readonly string[]): NonNullable<FusedKernel["gradient"]> {
  return {
    inputsToSave: names,
    outputsToSave: [false, true],
    compute: ([dTarget, dLogSumExp], saved) => {
      const inputs = Object.fromEntries([...names, "logSumExp"].map((name, i) => [name, saved[i]!]));
      const outputs = { dTarget: dTarget!, dLogSumExp: dLogSumExp! };
      const [hidden, weight, bias] = runFusedMany("SoftboxLinearLogSumExpGrad", { ...outputs, ...inputs });
      return { hidden: hidden!, weight: weight!, ...(bias ? { bias } : {}) };
    },
  };
}

export const linearLogSumExpKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxLinearLogSumExp",
    composite: ({ hidden, weight, targets, bias }) =>
      forward(hidden as tf.Tensor2D, weight as tf.Tensor2D, targets as tf.Tensor1D, bias as tf.Tensor1D | undefined),
    gradient: gradientOf(["hidden", "weight", "targets"]),
  },
  {
    name: "SoftboxLinearLogSumExpBias",
    composite: (inputs) => runFusedMany("SoftboxLinearLogSumExp", inputs),
    gradient: gradientOf(["hidden", "weight", "targets", "bias"]),
  },
  { name: "SoftboxLinearLogSumExpGrad", composite: backward },
];
