/**
 * @file The one primitive behind every head: a linear map to the vocabulary, of which only two or three numbers a token are kept.
 *
 * With `z = h Wᵀ + b`: the target's score `t = f(z[target])`, the log-sum-exp `s = log Σ_v exp f(z_v)`, and where it is wanted
 * the mean of `f(z)`. `f` is the identity, a soft cap `c·tanh(z/c)` (Gemma 2, arXiv 2408.00118) and, over either,
 * `z + log σ(z)` (sigsoftmax, Kanai et al. 2018, arXiv 1805.10829). In place of the log-sum-exp it also sums `softplus(z)`, the
 * loss of independent sigmoids. The vocabulary is walked in tiles; the backward pass recomputes each. No `[tokens, vocabulary]`
 * matrix exists.
 */
import * as tf from "@tensorflow/tfjs";
import { type Attributes, type FusedKernel, type Inputs, runFusedMany } from "../fused.ts";
import { expectShape, type N, type NE } from "../shapes.ts";

/** What becomes of scores before they are summed. */
export interface ScoreForm {
  /** c: scores lie in (−c, c); 0 or absent = no cap. */
  readonly softcap?: number;
  /** Adds `log σ(z)` to each score. */
  readonly sigsoftmax?: boolean;
  /** Also gives the mean of each row's scores. */
  readonly mean?: boolean;
}

/** What a token's loss is made of, each `[N]`, in nats. */
export interface TargetAndLogSumExp {
  readonly targetLogit: N;
  readonly logSumExp: N;
  /** `(1/V) Σ_v f(z_v)`, where it was asked for. */
  readonly mean?: N;
}

/** Numbers of native/kernels.h, `ScoreForm`. */
const forms = { plain: 0, sigsoftmax: 1, sigmoid: 2 } as const;

/** The kernels' attributes. */
export interface ScoreAttributes {
  readonly form: number;
  readonly softcap: number;
  /** 1: the mean is a third result. */
  readonly mean: number;
}

/**
 * `f(z[target])`, `logsumexp f(z)` and perhaps `mean f(z)` for each row, `z = hidden · weightᵀ + bias`.
 *
 * @param hidden - `[N, E]`. Not disposed.
 * @param weight - `[V, E]`, one row a vocabulary entry (an embedding table fits as it is).
 * @param targets - `[N]`, int32, each in `[0, V)`.
 * @param bias - `[V]`, or nothing.
 * @param form - what `f` is; the identity where absent.
 * @returns tensors owned by the caller; all are differentiable in hidden, weight and bias.
 */
export function linearLogSumExp(
  hidden: NE,
  weight: tf.Tensor2D,
  targets: N,
  bias?: tf.Tensor1D,
  { softcap = 0, sigsoftmax = false, mean = false }: ScoreForm = {},
): TargetAndLogSumExp {
  const form = sigsoftmax ? forms.sigsoftmax : forms.plain;
  const results = run({ hidden, weight, targets, bias }, { form, softcap, mean: mean ? 1 : 0 });
  const [targetLogit, logSumExp, average] = results as [N, N, N?];
  return { targetLogit, logSumExp, ...(average ? { mean: average } : {}) };
}

/**
 * What the loss of V independent sigmoids is made of: the target's score and `Σ_v softplus(z_v)`, softplus(z) = log(1 + e^z).
 * Arguments as above; `softcap` 0 = no cap.
 */
export function linearSoftplusSum(
  hidden: NE,
  weight: tf.Tensor2D,
  targets: N,
  bias?: tf.Tensor1D,
  softcap = 0,
): { readonly targetLogit: N; readonly softplusSum: N } {
  const results = run({ hidden, weight, targets, bias }, { form: forms.sigmoid, softcap, mean: 0 });
  const [targetLogit, softplusSum] = results as [N, N];
  return { targetLogit, softplusSum };
}

interface Arguments {
  readonly hidden: NE;
  readonly weight: tf.Tensor2D;
  readonly targets: N;
  readonly bias: tf.Tensor1D | undefined;
}

function run({ hidden, weight, targets, bias }: Arguments, attributes: ScoreAttributes): tf.Tensor[] {
  const [rows, E] = hidden.shape;
  expectShape("linearLogSumExp weight", weight, [null, E]);
  expectShape("linearLogSumExp targets", targets, [rows]);
  const given = attributes as unknown as Attributes;
  if (!bias) return runFusedMany("SoftboxLinearLogSumExp", { hidden, weight, targets }, given);
  expectShape("linearLogSumExp bias", bias, [weight.shape[0]]);
  return runFusedMany("SoftboxLinearLogSumExpBias", { hidden, weight, targets, bias }, given);
}

// ---- the composite

/** Vocabulary entries a tile. */
const tileSize = 4096;

interface Tile {
  readonly weight: tf.Tensor2D; // [v, E]
  readonly logits: tf.Tensor2D; // [N, v]
}

function* tiles({ hidden, weight, bias }: Inputs): Generator<Tile> {
  const [V, E] = weight!.shape as [number, number];
  for (let start = 0; start < V; start += tileSize) {
    const size = Math.min(tileSize, V - start);
    const rows = tf.slice2d(weight as tf.Tensor2D, [start, 0], [size, E]); // [v, E]
    const product = tf.matMul(hidden!, rows, false, true); // [N, v]
    const logits = bias ? tf.add(product, tf.slice(bias, [start], [size])) : product;
    yield { weight: rows, logits: logits as tf.Tensor2D };
  }
}

const capped = (z: tf.Tensor, { softcap }: ScoreAttributes): tf.Tensor =>
  softcap > 0 ? tf.mul(tf.tanh(tf.div(z, softcap)), softcap) : z;

const formed = (y: tf.Tensor, { form }: ScoreAttributes): tf.Tensor =>
  form === forms.sigsoftmax ? tf.add(y, tf.logSigmoid(y)) : y;

/** The slope of a score's form, from its capped value: of the cap `1 − (y/c)²`, of sigsoftmax `2 − σ(y)`. */
function slopeAt(y: tf.Tensor, { form, softcap }: ScoreAttributes): tf.Tensor | undefined {
  const cap = softcap > 0 ? tf.sub(1, tf.square(tf.div(y, softcap))) : undefined;
  if (form !== forms.sigsoftmax) return cap;
  const own = tf.sub(2, tf.sigmoid(y));
  return cap ? tf.mul(cap, own) : own;
}

/** z of the targets alone, `[N]`. */
function targetScores({ hidden, weight, targets, bias }: Inputs): tf.Tensor {
  const chosen = tf.sum(tf.mul(hidden!, tf.gather(weight!, targets as tf.Tensor1D)), -1); // [N]
  return bias ? tf.add(chosen, tf.gather(bias, targets as tf.Tensor1D)) : chosen;
}

function forward(inputs: Inputs, raw: Attributes): tf.Tensor[] {
  const attributes = raw as unknown as ScoreAttributes;
  const rows = inputs.hidden!.shape[0]!;
  const sigmoids = attributes.form === forms.sigmoid;
  const target = formed(capped(targetScores(inputs), attributes), attributes);
  let maximum: tf.Tensor = tf.fill([rows], Number.NEGATIVE_INFINITY); // [N]
  let sum: tf.Tensor = tf.zeros([rows]); // [N], of exp(f − maximum), or of softplus
  let plain: tf.Tensor = tf.zeros([rows]); // [N]
  for (const { logits } of tiles(inputs)) {
    [maximum, sum, plain] = tf.tidy(() => {
      const scores = formed(capped(logits, attributes), attributes);
      const total = attributes.mean ? tf.add(plain, tf.sum(scores, -1)) : plain;
      if (sigmoids) return [maximum, tf.add(sum, tf.sum(tf.softplus(scores), -1)), total];
      const next = tf.maximum(maximum, tf.max(scores, -1));
      const here = tf.sum(tf.exp(tf.sub(scores, tf.expandDims(next, -1))), -1);
      return [next, tf.add(tf.mul(sum, tf.exp(tf.sub(maximum, next))), here), total];
    });
    logits.dispose();
  }
  const reduced = sigmoids ? sum : tf.add(maximum, tf.log(sum));
  return [target, reduced, ...(attributes.mean ? [tf.div(plain, inputs.weight!.shape[0]!)] : [])];
}

/** `[N]` to `[N, 1]`. */
const column = (x: tf.Tensor): tf.Tensor => tf.expandDims(x, -1);

/** `dz` of a tile without the targets' own share, `[N, v]`. */
function logitGradient(logits: tf.Tensor, inputs: Inputs, attributes: ScoreAttributes): tf.Tensor {
  const { logSumExp, dLogSumExp, dMean, weight } = inputs;
  const y = capped(logits, attributes);
  const weights =
    attributes.form === forms.sigmoid ? tf.sigmoid(y) : tf.exp(tf.sub(formed(y, attributes), column(logSumExp!)));
  const own = tf.mul(weights, column(dLogSumExp!));
  const sum = dMean ? tf.add(own, column(tf.div(dMean, weight!.shape[0]!))) : own;
  const slope = slopeAt(y, attributes);
  return slope ? tf.mul(sum, slope) : sum;
}

/** Tile by tile; the target's own term is added at the end, without a one-hot. */
function backward(inputs: Inputs, raw: Attributes): tf.Tensor[] {
  const attributes = raw as unknown as ScoreAttributes;
  const { hidden, weight, targets, bias } = inputs;
  const ids = targets as tf.Tensor1D;
  const slope = slopeAt(capped(targetScores(inputs), attributes), attributes);
  const dTarget = slope ? tf.mul(inputs.dTarget!, slope) : inputs.dTarget!; // [N]
  let dHidden = tf.mul(column(dTarget), tf.gather(weight!, ids)) as tf.Tensor2D; // [N, E]
  const dWeights: tf.Tensor2D[] = [];
  const dBiases: tf.Tensor1D[] = [];
  for (const { logits, weight: rows } of tiles(inputs)) {
    const [dh, dw, db] = tf.tidy(() => {
      const dLogits = logitGradient(logits, inputs, attributes) as tf.Tensor2D; // [N, v]
      const sum = tf.add(dHidden, tf.matMul(dLogits, rows)) as tf.Tensor2D; // [N, E]
      return [sum, tf.matMul(dLogits, hidden!, true, false), tf.sum(dLogits, 0)] as const; // dw [v, E], db [v]
    });
    tf.dispose([logits, dHidden]);
    dHidden = dh;
    dWeights.push(dw as tf.Tensor2D);
    dBiases.push(db as tf.Tensor1D);
  }
  const V = weight!.shape[0]!;
  const targetRows = tf.unsortedSegmentSum(tf.mul(column(dTarget), hidden!), ids, V); // [V, E]
  const dWeight = tf.add(tf.concat(dWeights, 0), targetRows);
  if (!bias) return [dHidden, dWeight];
  return [dHidden, dWeight, tf.add(tf.concat(dBiases, 0), tf.unsortedSegmentSum(dTarget, ids, V))];
}

/** Both forms of the kernel have one gradient; tfjs saves inputs by name, so the form with a bias is a kernel of its own. */
function gradientOf(names: readonly string[]): NonNullable<FusedKernel["gradient"]> {
  return {
    inputsToSave: names,
    outputsToSave: [false, true, false],
    compute: ([dTarget, dLogSumExp, dMean], saved, attributes) => {
      const inputs = Object.fromEntries([...names, "logSumExp"].map((name, i) => [name, saved[i]!]));
      const outputs = { dTarget: dTarget!, dLogSumExp: dLogSumExp!, ...(dMean ? { dMean } : {}) };
      const all = { ...outputs, ...inputs };
      const [hidden, weight, bias] = runFusedMany("SoftboxLinearLogSumExpGrad", all, attributes);
      return { hidden: hidden!, weight: weight!, ...(bias ? { bias } : {}) };
    },
  };
}

export const linearLogSumExpKernels: readonly FusedKernel[] = [
  {
    name: "SoftboxLinearLogSumExp",
    composite: forward,
    gradient: gradientOf(["hidden", "weight", "targets"]),
  },
  {
    name: "SoftboxLinearLogSumExpBias",
    composite: forward,
    gradient: gradientOf(["hidden", "weight", "targets", "bias"]),
  },
  { name: "SoftboxLinearLogSumExpGrad", composite: backward },
];
