/** @file Independent references in float64 on plain arrays, and gradients of them by central differences. */

export type Arrays = Readonly<Record<string, Float64Array>>;
type Sizes = Readonly<Record<string, number>>;

/** `Σ` of `f(i)` for i in [0, n). */
export const sumOf = (n: number, f: (i: number) => number): number => {
  let total = 0;
  for (let i = 0; i < n; i++) total += f(i);
  return total;
};

/** Gradient of a scalar function by central differences, step 1e-6 scaled by the value's size. */
export function numericalGradient(f: (x: Arrays) => number, x: Arrays, name: string): Float64Array {
  const values = Float64Array.from(x[name]!);
  const at = (i: number, value: number): number => {
    const moved = Float64Array.from(values);
    moved[i] = value;
    return f({ ...x, [name]: moved });
  };
  return values.map((value, i) => {
    const step = 1e-6 * Math.max(1, Math.abs(value));
    return (at(i, value + step) - at(i, value - step)) / (2 * step);
  });
}

const geluInner = (v: number) => Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3);
export const geluReference = (v: number) => 0.5 * v * (1 + Math.tanh(geluInner(v)));
export function geluSlopeReference(v: number): number {
  const t = Math.tanh(geluInner(v));
  return 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v * v);
}

export const gelu64 = ({ x }: Arrays): Float64Array[] => [x!.map(geluReference)];

export function layerNorm64({ x, gain, bias }: Arrays): Float64Array[] {
  const E = gain!.length;
  const y = new Float64Array(x!.length);
  for (let row = 0; row < x!.length / E; row++) {
    const values = x!.subarray(row * E, (row + 1) * E);
    const mean = sumOf(E, (i) => values[i]!) / E;
    const variance = sumOf(E, (i) => (values[i]! - mean) ** 2) / E;
    for (let i = 0; i < E; i++)
      y[row * E + i] = ((values[i]! - mean) / Math.sqrt(variance + 1e-5)) * gain![i]! + bias![i]!;
  }
  return [y];
}

export function rmsNorm64({ x, gain }: Arrays): Float64Array[] {
  const E = gain!.length;
  const inverse = (row: number): number => (sumOf(E, (i) => x![row * E + i]! ** 2) / E + 1e-5) ** -0.5;
  return [x!.map((v, i) => v * inverse(Math.floor(i / E)) * gain![i % E]!)];
}

/** Rows of F gates and F values. */
export const swiglu64 =
  (F: number) =>
  ({ x }: Arrays): Float64Array[] => [
    Float64Array.from({ length: x!.length / 2 }, (_, i) => {
      const [row, column] = [Math.floor(i / F), i % F];
      const gate = x![row * 2 * F + column]!;
      return (gate / (1 + Math.exp(-gate))) * x![row * 2 * F + F + column]!;
    }),
  ];

/** Each plane of a query or key as a complex number times e^(i · angle). */
export function rotary64({ qkv }: Arrays, { T, E, heads, start }: Sizes): Float64Array[] {
  const D = E! / heads!;
  return [
    qkv!.map((value, i) => {
      const [feature, position] = [i % (3 * E!), Math.floor(i / (3 * E!)) % T!];
      if (feature >= 2 * E!) return value;
      const [within, half] = [feature % D, D / 2];
      const angle = (start! + position) * 10_000 ** ((-2 * (within % half)) / D);
      const other = qkv![within < half ? i + half : i - half]!;
      return value * Math.cos(angle) + (within < half ? -other : other) * Math.sin(angle);
    }),
  ];
}

export function linear64({ x, kernel, bias }: Arrays, { I, O }: Sizes): Float64Array[] {
  const rows = x!.length / I!;
  const y = new Float64Array(rows * O!);
  for (let n = 0; n < rows; n++)
    for (let o = 0; o < O!; o++)
      y[n * O! + o] = sumOf(I!, (i) => x![n * I! + i]! * kernel![i * O! + o]!) + (bias ? bias[o]! : 0);
  return [y];
}

export const embed64 =
  (ids: Int32Array, E: number) =>
  ({ table }: Arrays): Float64Array[] => [
    Float64Array.from({ length: ids.length * E }, (_, i) => table![ids[Math.floor(i / E)]! * E + (i % E)]!),
  ];

/** Largest value first taken out, as every stable log-sum-exp does. */
export function logSumExp64(z: readonly number[]): number {
  const largest = Math.max(...z);
  return largest + Math.log(z.reduce((total, value) => total + Math.exp(value - largest), 0));
}

export const logistic64 = (x: number): number => 1 / (1 + Math.exp(-x));
export const softplus64 = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Scores of row `n`, `[V]`. */
function scores64(n: number, E: number, { hidden, weight, bias }: Arrays): number[] {
  return Array.from({ length: weight!.length / E }, (_, v) => {
    const dot = sumOf(E, (e) => hidden![n * E + e]! * weight![v * E + e]!);
    return dot + (bias ? bias[v]! : 0);
  });
}

/** The target's score, the log-sum-exp and the mean of what `form` makes of scores. */
export const linearLogSumExp64 =
  (targets: Int32Array, E: number, form: (z: number) => number = (z) => z) =>
  (x: Arrays): Float64Array[] => {
    const rows = Array.from(targets, (target, n) => {
      const scores = scores64(n, E, x).map(form);
      return [scores[target]!, logSumExp64(scores), scores.reduce((a, b) => a + b, 0) / scores.length];
    });
    return [0, 1, 2].map((i) => Float64Array.from(rows, (row) => row[i]!));
  };

/** The target's score and the sum of softplus. */
export const linearSoftplusSum64 =
  (targets: Int32Array, E: number, form: (z: number) => number) =>
  (x: Arrays): Float64Array[] => {
    const rows = Array.from(targets, (target, n) => {
      const scores = scores64(n, E, x).map(form);
      return [scores[target]!, sumOf(scores.length, (v) => softplus64(scores[v]!))];
    });
    return [0, 1].map((i) => Float64Array.from(rows, (row) => row[i]!));
  };

/** `max(0, x / q − τ)^q`, whose τ is found by halving an interval: sparsemax for q = 1, 1.5-entmax for q = 2. */
export function sparse64(x: readonly number[], q: number): number[] {
  const z = x.map((value) => value / q);
  let [low, high] = [Math.max(...z) - 1, Math.max(...z)];
  const weights = (tau: number): number[] => z.map((value) => Math.max(0, value - tau) ** q);
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (weights(middle).reduce((a, b) => a + b, 0) > 1) low = middle;
    else high = middle;
  }
  return weights((low + high) / 2);
}

/** What scores of the positions seen become, by definition. */
export const normalise64: Readonly<Record<string, (scores: readonly number[]) => number[]>> = {
  softmax: (s) => s.map((value) => Math.exp(value - logSumExp64(s))),
  softmax1: (s) => s.map((value) => Math.exp(value - logSumExp64([...s, 0]))),
  sigmoid: (s) => s.map((value) => logistic64(value - Math.log(s.length))),
  sparsemax: (s) => sparse64(s, 1),
  entmax15: (s) => sparse64(s, 2),
};

interface Form64 extends Sizes64 {
  readonly normaliser?: string;
  readonly window?: number;
  /** A slope a head: scores fall with the distance. */
  readonly slopes?: readonly number[];
}
interface Sizes64 {
  readonly B: number;
  readonly T: number;
  readonly E: number;
  readonly heads: number;
}

/** Row `t` of one head: weights over the positions it sees, then the mix of values. */
export function attention64({ qkv }: Arrays, form: Form64): Float64Array[] {
  const { B, T, E, heads, normaliser = "softmax", window = T, slopes } = form;
  const D = E / heads;
  const at = (b: number, t: number, part: number, h: number, d: number): number =>
    qkv![((b * T + t) * 3 + part) * E + h * D + d]!;
  const out = new Float64Array(B * T * E);
  for (let b = 0; b < B; b++)
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < T; t++) {
        const first = Math.max(0, t + 1 - window);
        const scores = Array.from({ length: t + 1 - first }, (_, i) => {
          const s = first + i;
          const dot = sumOf(D, (d) => at(b, t, 0, h, d) * at(b, s, 1, h, d));
          return dot / Math.sqrt(D) - (slopes?.[h] ?? 0) * (t - s);
        });
        const weights = normalise64[normaliser]!(scores);
        for (let d = 0; d < D; d++)
          out[(b * T + t) * E + h * D + d] = sumOf(weights.length, (i) => weights[i]! * at(b, first + i, 2, h, d));
      }
  return [out];
}

/** Rows of `H + 2G` heads as rows of `3H`, where head `h` has the keys and values `⌊h G / H⌋`. */
export function repeat64(qkv: Float64Array, { heads, G, D }: { heads: number; G: number; D: number }): Float64Array {
  const rows = qkv.length / ((heads + 2 * G) * D);
  return Float64Array.from({ length: rows * 3 * heads * D }, (_, i) => {
    const [d, h, part, row] = [
      i % D,
      Math.floor(i / D) % heads,
      Math.floor(i / (heads * D)) % 3,
      Math.floor(i / (3 * heads * D)),
    ];
    const head = part === 0 ? h : heads + (part - 1) * G + Math.floor((h * G) / heads);
    return qkv[(row * (heads + 2 * G) + head) * D + d]!;
  });
}
