/** @file The log-sum-exp over a vocabulary of the C++ kernels against a float64 reference. */
import { test } from "vitest";
import {
  dirty,
  expectClose,
  integers,
  matmulReference,
  onEveryInstructionSet,
  randoms,
  rounding,
  softmaxReference,
} from "../../../test/support/kernels.ts";
import type { Addon } from "./addon.ts";

onEveryInstructionSet((addon) => {
  test("the linear log-sum-exp and its gradient equal the reference", () => {
    for (const [N, E, V, scale] of [
      [1, 1, 1, 1],
      [3, 17, 65, 1],
      [17, 65, 257, 1],
      [130, 33, 1100, 1],
      [5, 8, 70, 100],
    ] as const)
      for (const withBias of [false, true]) checkVocabulary(addon, N, E, V, { scale, withBias });
  });

  test("the forms of the linear log-sum-exp, their mean and their gradients equal the reference", () => {
    for (const [N, E, V] of [
      [1, 1, 1],
      [17, 13, 257],
      [300, 16, 1100],
    ] as const)
      for (const form of [0, 1, 2])
        for (const softcap of [0, 3])
          checkVocabulary(addon, N, E, V, { form, softcap, withBias: softcap > 0, withMean: form < 2 });
  });

  test("blocks of tokens, of which the last is not whole, equal the reference", () => {
    checkVocabulary(addon, 259, 520, 515, { form: 1, withBias: true, withMean: true, loose: 1e-4 }); // sums of 520 products
  });

  test("at bfloat16, the linear log-sum-exp and its gradient equal the reference", () => {
    rounding(addon, () => {
      // A logit sums E products that err by 2^-8 of their size.
      for (const [N, E, V] of [
        [1, 1, 1],
        [3, 17, 65],
        [17, 65, 257],
        [130, 33, 1100],
        [500, 40, 700],
      ] as const)
        for (const withBias of [false, true])
          checkVocabulary(addon, N, E, V, { withBias, loose: 2 ** -8 * (1 + Math.sqrt(E)) });
    });
  });
});

interface VocabularyCase {
  readonly scale?: number;
  readonly withBias?: boolean;
  /** Tolerance in place of the usual one. */
  readonly loose?: number;
  /** Of native/kernels.h: 0 plain, 1 sigsoftmax, 2 sigmoid. */
  readonly form?: number;
  readonly softcap?: number;
  readonly withMean?: boolean;
}

function checkVocabulary(addon: Addon, N: number, E: number, V: number, options: VocabularyCase): void {
  const { scale = 1, withBias = false, loose = 0, form = 0, softcap = 0, withMean = false } = options;
  const [hidden, weight] = [randoms(N * E, "h", scale), randoms(V * E, "w", scale)];
  const bias = withBias ? randoms(V, "b", scale) : null;
  const targets = integers(N, V, "t");
  const [dTarget, dSum, dMean] = [randoms(N, "dt"), randoms(N, "ds"), withMean ? randoms(N, "dm") : null];
  const [t, s, mean] = [N, N, N].map(dirty) as [Float32Array, Float32Array, Float32Array];
  const [dHidden, dWeight, dBias] = [N * E, V * E, V].map(dirty) as [Float32Array, Float32Array, Float32Array];
  addon.linearLogSumExp(hidden, weight, bias, targets, t, s, withMean ? mean : null, N, E, V, form, softcap);
  const results = [dHidden, dWeight, bias && dBias] as const;
  const inputs = [hidden, weight, bias, targets, s] as const;
  addon.linearLogSumExpGrad(dTarget, dSum, dMean, ...inputs, ...results, N, E, V, form, softcap);
  const gradients = { dTarget, dSum, dMean };
  const expected = vocabularyReference({ hidden, weight, bias, targets, N, E, V, form, softcap }, gradients);
  // Logits of size Z carry an error of Z · 2^-23, which the exponential hands on.
  const tolerance = loose || (scale === 1 ? 1e-5 : 1e-2);
  const check = (): void => {
    expectClose(t, expected.t, loose || 1e-5, scale);
    expectClose(s, expected.s, loose || 1e-5, scale);
    expectClose(dHidden, expected.dHidden, tolerance, scale);
    expectClose(dWeight, expected.dWeight, tolerance, scale);
    if (bias) expectClose(dBias, expected.dBias, tolerance);
  };
  check();
  if (withMean) return expectClose(mean, expected.mean, loose || 1e-5, scale);
  if (form || softcap) return;
  for (const y of [t, s, dHidden, dWeight, dBias]) y.fill(777);
  addon.linearCrossEntropy(dTarget, dSum, hidden, weight, bias, targets, t, s, ...results, N, E, V);
  check();
}

interface VocabularyInputs {
  readonly hidden: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly targets: Int32Array;
  readonly N: number;
  readonly E: number;
  readonly V: number;
  readonly form: number;
  readonly softcap: number;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** What becomes of a score, and its slope. */
function formReference(z: number, form: number, softcap: number): { f: number; slope: number } {
  const y = softcap ? softcap * Math.tanh(z / softcap) : z;
  const slope = softcap ? 1 - Math.tanh(z / softcap) ** 2 : 1;
  if (form !== 1) return { f: y, slope };
  return { f: y - softplus(-y), slope: slope * (1 + logistic(-y)) };
}

function vocabularyReference(
  { hidden, weight, bias, targets, N, E, V, form, softcap }: VocabularyInputs,
  { dTarget, dSum, dMean }: { dTarget: Float32Array; dSum: Float32Array; dMean: Float32Array | null },
) {
  const z = matmulReference(hidden, weight, N, V, E, false, true).map((x, i) => x + (bias?.[i % V] ?? 0));
  const [t, s, mean, dHidden] = [N, N, N, N * E].map((n) => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const [dWeight, dBias] = [new Float64Array(V * E), new Float64Array(V)];
  for (let n = 0; n < N; n++) {
    const scores = Array.from(z.subarray(n * V, (n + 1) * V), (x) => formReference(x, form, softcap));
    const values = Float64Array.from(scores, ({ f }) => f);
    const { weights, logSumExp } = softmaxReference(values);
    t[n] = values[targets[n]!]!;
    s[n] = form === 2 ? values.reduce((sum, f) => sum + softplus(f), 0) : logSumExp;
    mean[n] = values.reduce((sum, f) => sum + f, 0) / V;
    for (let v = 0; v < V; v++) {
      const share = form === 2 ? logistic(values[v]!) : weights[v]!;
      const outer = dSum[n]! * share + (dMean?.[n] ?? 0) / V + (v === targets[n] ? dTarget[n]! : 0);
      const dz = outer * scores[v]!.slope;
      dBias[v]! += dz;
      for (let e = 0; e < E; e++) {
        dHidden[n * E + e]! += dz * weight[v * E + e]!;
        dWeight[v * E + e]! += dz * hidden[n * E + e]!;
      }
    }
  }
  return { t, s, mean, dHidden, dWeight, dBias };
}
