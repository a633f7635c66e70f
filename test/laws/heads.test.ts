// Every output head against a float64 reference written from its formula: losses with all their options, gradients,
// log-probabilities, and what it shows of its inside.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { namedVariables } from "../../src/engine/params.ts";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";
import type { HeadConfig, LossOptions } from "../../src/lm/heads/config.ts";
import type { OutputLayer } from "../../src/lm/heads/head.ts";
import { expectDefined, withoutOptions } from "../../src/lm/heads/loss.ts";
import { parseHead } from "../../src/lm/heads/shortForm.ts";
import { headOf } from "../../src/lm/heads/table.ts";
import { createInitializer } from "../../src/lm/init.ts";
import { activate, testedEngines } from "../support/engines.ts";
import { type Arrays, logistic64, logSumExp64, numericalGradient, softplus64, sumOf } from "../support/float64.ts";
import { tensorsLeft } from "../support/leaks.ts";
import { readAll } from "../support/read.ts";

const [N, E, V] = [6, 4, 9];
const targets = Int32Array.of(0, 8, 3, 3, 5, 1);
const names = ["softmax", "mos:1", "mos:3", "moc:3", "sigsoftmax", "adaptive:3,6", "adaptive:8", "sigmoid"] as const;

interface Setting {
  readonly softcap?: number;
  readonly scale?: number;
  readonly labelSmoothing?: number;
  readonly zLoss?: number;
  readonly biased?: boolean;
}

/** Random parameters of a head with hidden states and output layer, float32 values exactly. */
function draw(config: HeadConfig, { biased = false }: Setting): { arrays: Arrays; shapes: Map<string, number[]> } {
  const params = headOf(config).init(config, { embedSize: E, vocabSize: V }, createInitializer(1));
  const shapes = new Map([...namedVariables(params)].map(([name, x]) => [name, x.shape]));
  tf.dispose([...namedVariables(params).values()]);
  shapes.set("hidden", [N, E]).set("table", [V, E]);
  if (biased) shapes.set("outputBias", [V]);
  const random = createRandomStream(randomKey(1, "heads"));
  const entries = [...shapes].map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, Float64Array.from({ length: size }, () => Math.fround(random.normal()))] as const;
  });
  return { arrays: Object.fromEntries(entries), shapes };
}

// ---- references

/** `x · M` for one row x of size I and a row-major `[I, O]`. */
const times = (x: readonly number[], m: Float64Array, O: number): number[] =>
  Array.from({ length: O }, (_, o) => sumOf(x.length, (i) => x[i]! * m[i * O + o]!));

const rowOf = (x: Float64Array, n: number, size: number): number[] => Array.from(x.subarray(n * size, (n + 1) * size));
const capped = (z: number, softcap = 0): number => (softcap ? softcap * Math.tanh(z / softcap) : z);

/** Capped scores of features under rows of the table. */
function scores(features: readonly number[], a: Arrays, { softcap, scale = 1 }: Setting): number[] {
  return Array.from({ length: V }, (_, v) => {
    const dot = sumOf(E, (e) => features[e]! * a.table![v * E + e]!);
    return capped(scale * dot + (a.outputBias?.[v] ?? 0), softcap);
  });
}

const logSoftmax = (z: readonly number[]): number[] => z.map((value) => value - logSumExp64(z));

function mixtureParts(hidden: readonly number[], K: number, a: Arrays) {
  const flat = times(hidden, a["projection.kernel"]!, K * E).map((x, i) => Math.tanh(x + a["projection.bias"]![i]!));
  const rows = Array.from({ length: K }, (_, k) => flat.slice(k * E, (k + 1) * E));
  return { rows, logWeights: logSoftmax(times(hidden, a["gate.kernel"]!, K)) };
}

/** One row: `log p` over the vocabulary, and the log-normalisers whose squares z-loss takes. */
function distribution(config: HeadConfig, n: number, a: Arrays, setting: Setting) {
  const hidden = rowOf(a.hidden!, n, E);
  const single = (z: number[]) => ({ logProbs: logSoftmax(z), squares: logSumExp64(z) ** 2 });
  if (config.kind === "softmax") return single(scores(hidden, a, setting));
  if (config.kind === "sigsoftmax") return single(scores(hidden, a, setting).map((z) => z - softplus64(-z)));
  if (config.kind === "sigmoid") return single(sigmoidScores(n, a, setting));
  if (config.kind === "adaptive") return adaptive(config.cutoffs, n, a, setting);
  const { rows, logWeights } = mixtureParts(hidden, config.mixtures, a);
  if (config.kind === "moc") {
    const mixed = Array.from({ length: E }, (_, e) =>
      sumOf(rows.length, (k) => Math.exp(logWeights[k]!) * rows[k]![e]!),
    );
    return single(scores(mixed, a, setting));
  }
  const each = rows.map((row) => scores(row, a, setting));
  const logProbs = Array.from({ length: V }, (_, v) =>
    logSumExp64(each.map((z, k) => logWeights[k]! + logSoftmax(z)[v]!)),
  );
  return { logProbs, squares: sumOf(each.length, (k) => logSumExp64(each[k]!) ** 2) / each.length };
}

function sigmoidScores(n: number, a: Arrays, setting: Setting): number[] {
  const outputBias = Float64Array.from({ length: V }, (_, v) => (a.outputBias?.[v] ?? 0) + a.offset![0]!);
  return scores(rowOf(a.hidden!, n, E), { ...a, outputBias }, setting);
}

function adaptive(cutoffs: readonly number[], n: number, a: Arrays, setting: Setting) {
  const hidden = rowOf(a.hidden!, n, E);
  const all = scores(hidden, a, setting);
  const clusters = cutoffs.map((_, c) =>
    capped((setting.scale ?? 1) * sumOf(E, (e) => hidden[e]! * a.clusters![c * E + e]!) + a.bias![c]!, setting.softcap),
  );
  const root = [...all.slice(0, cutoffs[0]), ...clusters];
  const first = logSoftmax(root);
  const tails = cutoffs.map((start, c) => all.slice(start, cutoffs[c + 1] ?? V));
  const logProbs = [
    ...first.slice(0, cutoffs[0]),
    ...tails.flatMap((tail, c) => logSoftmax(tail).map((x) => x + first[cutoffs[0]! + c]!)),
  ];
  const own = cutoffs.findLastIndex((cutoff) => targets[n]! >= cutoff);
  return { logProbs, squares: logSumExp64(root) ** 2 + (own < 0 ? 0 : logSumExp64(tails[own]!) ** 2) };
}

function lossOf(config: HeadConfig, n: number, a: Arrays, setting: Setting): number {
  const target = targets[n]!;
  if (config.kind === "sigmoid") {
    // Binary cross-entropy, term by term.
    const z = sigmoidScores(n, a, setting);
    return sumOf(V, (v) => -Math.log(v === target ? logistic64(z[v]!) : 1 - logistic64(z[v]!)));
  }
  const { labelSmoothing: share = 0, zLoss = 0 } = setting;
  const { logProbs, squares } = distribution(config, n, a, setting);
  return -(1 - share) * logProbs[target]! - share * (sumOf(V, (v) => logProbs[v]!) / V) + zLoss * squares;
}

// ---- the heads themselves

interface Parts {
  readonly config: HeadConfig;
  readonly params: object;
  readonly output: OutputLayer;
}

/** Runs `use` on the head with tensors of `arrays`; inside `tidy`. */
function withHead<T>(
  config: HeadConfig,
  tensors: Readonly<Record<string, tf.Tensor>>,
  { softcap = 0, scale = 1 }: Setting,
  use: (parts: Parts, hidden: tf.Tensor2D, ids: tf.Tensor1D) => T,
): T {
  const params: Record<string, unknown> = {};
  for (const [name, x] of Object.entries(tensors)) {
    const [first, second] = name.split(".") as [string, string?];
    if (second === undefined) params[first] = x;
    else params[first] = { ...(params[first] as object), [second]: x };
  }
  const bias = tensors.outputBias ? { bias: tensors.outputBias as tf.Tensor1D } : {};
  const output = { table: tensors.table as tf.Tensor2D, ...bias, softcap, scale };
  return use({ config, params, output }, tensors.hidden as tf.Tensor2D, tf.tensor1d(targets, "int32"));
}

const toTensors = ({ arrays, shapes }: ReturnType<typeof draw>): Record<string, tf.Tensor> =>
  Object.fromEntries(
    [...shapes].map(([name, shape]) => [name, tf.tensor(Float32Array.from(arrays[name]!), shape)] as const),
  );

function optionsOf({ labelSmoothing = 0, zLoss = 0 }: Setting): LossOptions {
  return { labelSmoothing, zLoss };
}

const settings: readonly Setting[] = [
  {},
  { biased: true, softcap: 3 },
  { labelSmoothing: 0.1 },
  { biased: true, softcap: 2, labelSmoothing: 0.3, zLoss: 0.01 },
  { zLoss: 0.1 },
  { biased: true, scale: 1.5, softcap: 3 },
];

const isDefined = (config: HeadConfig, setting: Setting): boolean => {
  try {
    expectDefined(config, optionsOf(setting));
    return true;
  } catch {
    return false;
  }
};

const cases = names.flatMap((name) =>
  settings
    .filter((setting) => isDefined(parseHead(name), setting))
    .map((setting) => ({ name, setting, label: `${name} ${JSON.stringify(setting)}` })),
);

describe.each(testedEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  test.each(cases)("the loss of $label and its gradients equal the formula", async ({ name, setting }) => {
    const config = parseHead(name);
    const drawn = draw(config, setting);
    const total = (a: Arrays): number => sumOf(N, (n) => Math.cos(n) * lossOf(config, n, a, setting));
    const [values, ...gradients] = await readAll(() => {
      const tensors = toTensors(drawn);
      const keys = Object.keys(tensors);
      const losses = (...xs: tf.Tensor[]): tf.Tensor => {
        const given = Object.fromEntries(keys.map((key, i) => [key, xs[i]!]));
        return withHead(config, given, setting, (parts, hidden, ids) =>
          headOf(config).loss(parts, hidden, ids, optionsOf(setting)),
        );
      };
      const weights = tf.tensor1d(Array.from({ length: N }, (_, n) => Math.cos(n)));
      const inputs = Object.values(tensors);
      return [losses(...inputs), ...tf.grads((...xs) => tf.sum(tf.mul(losses(...xs), weights)))(inputs)];
    });
    for (let n = 0; n < N; n++) expect(values![n], `row ${n}`).toBeCloseTo(lossOf(config, n, drawn.arrays, setting), 4);
    for (const [i, key] of Object.keys(drawn.arrays).entries()) {
      const expected = numericalGradient(total, drawn.arrays, key);
      // float32 sums through a whole head, of losses up to about 30.
      for (const [j, value] of expected.entries())
        expect(Math.abs(gradients[i]![j]! - value), `${key}[${j}]`).toBeLessThan(2e-4 * Math.max(1, Math.abs(value)));
    }
  });

  test.each(names)(
    "the log-probabilities of %s equal the formula, sum to one, and nll is one of them",
    async (name) => {
      const config = parseHead(name);
      const setting = { biased: true, softcap: 4, scale: 0.7 };
      const drawn = draw(config, setting);
      const [logProbs, nll] = await readAll(() =>
        withHead(config, toTensors(drawn), setting, (parts, hidden, ids) => [
          headOf(config).logProbs(parts, hidden),
          headOf(config).nll(parts, hidden, ids),
        ]),
      );
      for (let n = 0; n < N; n++) {
        const row = Array.from(logProbs!.subarray(n * V, (n + 1) * V));
        const { logProbs: expected } = distribution(config, n, drawn.arrays, setting);
        for (const [v, value] of expected.entries()) expect(row[v]).toBeCloseTo(value, 4);
        expect(row.reduce((sum, x) => sum + Math.exp(x), 0)).toBeCloseTo(1, 5);
        expect(nll![n]).toBeCloseTo(-row[targets[n]!]!, 4);
      }
    },
  );

  /** What a head says of row `n` besides its loss. */
  const viewsOf = (
    name: string,
    n: number,
    views: (parts: Parts, row: tf.Tensor2D) => tf.Tensor[],
  ): Promise<Float32Array[]> =>
    readAll(() => {
      const config = parseHead(name);
      const drawn = draw(config, {});
      return withHead(config, toTensors(drawn), {}, (parts, hidden) =>
        views(parts, tf.slice2d(hidden, [n, 0], [1, -1])),
      );
    });

  test("components of a mixture, weighed, are the mixture", async () => {
    const head = headOf(parseHead("mos:3"));
    const [each, whole, weights] = await viewsOf("mos:3", 2, (parts, row) => [
      head.components!(parts, row),
      head.logProbs(parts, row),
      head.inspect(parts, row).mixture!,
    ]);
    for (let v = 0; v < V; v++)
      expect(sumOf(3, (k) => weights![k]! * Math.exp(each![k * V + v]!))).toBeCloseTo(Math.exp(whole![v]!), 5);
  });

  test("the sigmoids are what they say", async () => {
    const config = parseHead("sigmoid");
    const [sigmoids] = await viewsOf("sigmoid", 2, (parts, row) => [headOf(config).components!(parts, row)]);
    for (const [v, score] of sigmoidScores(2, draw(config, {}).arrays, {}).entries())
      expect(Math.exp(sigmoids![v]!)).toBeCloseTo(logistic64(score), 5);
  });

  test("the clusters' probabilities are those of their tokens", async () => {
    const head = headOf(parseHead("adaptive:3,6"));
    const [logProbs, clusters] = await viewsOf("adaptive:3,6", 1, (parts, row) => [
      head.logProbs(parts, row),
      head.inspect(parts, row).clusters!,
    ]);
    const p = logProbs!.map(Math.exp);
    for (const [c, start] of [0, 3, 6].entries())
      expect(clusters![c]).toBeCloseTo(p[start]! + p[start + 1]! + p[start + 2]!, 5);
  });

  test.each(names)("%s leaves no tensor behind", async (name) => {
    const config = parseHead(name);
    const tensors = toTensors(draw(config, {}));
    const used = await tensorsLeft(() =>
      withHead(config, tensors, {}, (parts, hidden, ids) => {
        const row = tf.tidy(() => tf.slice2d(hidden, [0, 0], [1, -1]));
        const head = headOf(config);
        tf.dispose([head.loss(parts, hidden, ids, withoutOptions), head.logProbs(parts, hidden), row, ids]);
        const again = tf.slice2d(hidden, [0, 0], [1, -1]);
        tf.dispose({ ...head.inspect(parts, again) } as tf.NamedTensorMap);
        const components = head.components?.(parts, again);
        tf.dispose(components ? [components, again] : again);
      }),
    );
    expect(used).toBe(0);
    tf.dispose(tensors);
  });
});

test.each([
  ["mos:4", { labelSmoothing: 0.1 }, "labelSmoothing"],
  ["adaptive:3", { labelSmoothing: 0.1 }, "labelSmoothing"],
  ["sigmoid", { zLoss: 0.1 }, "zLoss"],
])("%s refuses %j with the option's name", (name, setting, key) => {
  expect(() => expectDefined(parseHead(name), optionsOf(setting))).toThrow(`training.${key}: must be 0`);
});

test("cutoffs beyond the vocabulary are an error that says what fits", () => {
  const config = parseHead("adaptive:5,50");
  const make = () => headOf(config).init(config, { embedSize: 4, vocabSize: 50 }, createInitializer(1));
  expect(make).toThrow("must lie below the vocabulary's size 50, got 5, 50");
});
