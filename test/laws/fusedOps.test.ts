// Every fused operation, value and gradient, against an independent float64 reference, on every engine.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slopesOf } from "../../src/attention/alibi.ts";
import { type AttentionForm, attend, repeatKeyValues } from "../../src/attention/attend.ts";
import { causalAttention } from "../../src/engine/ops/causalAttention.ts";
import { embed, embedTied } from "../../src/engine/ops/embed.ts";
import { gelu } from "../../src/engine/ops/gelu.ts";
import { gruSequence } from "../../src/engine/ops/gruSequence.ts";
import { layerNorm } from "../../src/engine/ops/layerNorm.ts";
import { linear, linearGelu, linearTanh } from "../../src/engine/ops/linear.ts";
import { linearCrossEntropy } from "../../src/engine/ops/linearCrossEntropy.ts";
import { linearLogSumExp, linearSoftplusSum } from "../../src/engine/ops/linearLogSumExp.ts";
import { logSoftmax } from "../../src/engine/ops/logSoftmax.ts";
import { lstmSequence } from "../../src/engine/ops/lstmSequence.ts";
import { rmsNorm } from "../../src/engine/ops/rmsNorm.ts";
import { rotary } from "../../src/engine/ops/rotary.ts";
import { entmax15, sparsemax } from "../../src/engine/ops/sparseSoftmax.ts";
import { swiglu } from "../../src/engine/ops/swiglu.ts";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";
import { noted, writeDifferences } from "../support/differences.ts";
import { activate, describeStarted, installedEngines, testedEngines } from "../support/engines.ts";
import {
  type Arrays,
  attention64,
  embed64,
  gelu64,
  layerNorm64,
  linear64,
  linearLogSumExp64,
  linearSoftplusSum64,
  logSumExp64,
  normalise64,
  numericalGradient,
  repeat64,
  rmsNorm64,
  rotary64,
  softplus64,
  sumOf,
  swiglu64,
} from "../support/float64.ts";
import { read, readAll } from "../support/read.ts";
import { gru64, lstm64 } from "../support/recurrent64.ts";

type Tensors = Record<string, tf.Tensor>;

interface Case {
  readonly name: string;
  /** Shapes of the differentiable inputs. */
  readonly shapes: Record<string, number[]>;
  /** Standard deviation of the inputs. */
  readonly scale?: number;
  readonly op: (x: Tensors) => tf.Tensor[];
  readonly reference: (x: Arrays) => Float64Array[];
}

const idsBelow = (V: number, n: number): Int32Array => {
  const random = createRandomStream(randomKey(3, "ids"));
  return Int32Array.from({ length: n }, () => random.below(V));
};
const ids1d = (ids: Int32Array): tf.Tensor1D => tf.tensor1d(ids, "int32");

const layerNormCase = (N: number, E: number): Case => ({
  name: `layerNorm [${N}, ${E}]`,
  shapes: { x: [N, E], gain: [E], bias: [E] },
  op: ({ x, gain, bias }) => [layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D)],
  reference: layerNorm64,
});

const rmsNormCase = (N: number, E: number): Case => ({
  name: `rmsNorm [${N}, ${E}]`,
  shapes: { x: [N, E], gain: [E] },
  op: ({ x, gain }) => [rmsNorm(x as tf.Tensor2D, gain as tf.Tensor1D)],
  reference: rmsNorm64,
});

const swigluCase = (N: number, F: number): Case => ({
  name: `swiglu [${N}, ${2 * F}]`,
  shapes: { x: [N, 2 * F] },
  scale: 3,
  op: ({ x }) => [swiglu(x as tf.Tensor2D)],
  reference: swiglu64(F),
});

const rotaryCase = (B: number, T: number, E: number, heads: number, start: number): Case => ({
  name: `rotary ${B} × ${T} × ${E}, ${heads} heads, from position ${start}`,
  shapes: { qkv: [B, T, 3 * E] },
  op: ({ qkv }) => [rotary(qkv as tf.Tensor3D, heads, start)],
  reference: (x) => rotary64(x, { T, E, heads, start }),
});

const linearCase = (N: number, I: number, O: number, biased: boolean): Case => ({
  name: `linear [${N}, ${I}] to ${O}${biased ? " with bias" : ""}`,
  shapes: { x: [N, I], kernel: [I, O], ...(biased ? { bias: [O] } : {}) },
  op: ({ x, kernel, bias }) => [linear(x as tf.Tensor2D, kernel as tf.Tensor2D, bias as tf.Tensor1D)],
  reference: (x) => linear64(x, { I, O }),
});

const linearResidualCase = (N: number, I: number, O: number, biased: boolean): Case => ({
  name: `linear [${N}, ${I}] to ${O} with${biased ? " bias and" : ""} residual`,
  shapes: { x: [N, I], kernel: [I, O], ...(biased ? { bias: [O] } : {}), residual: [N, O] },
  op: ({ x, kernel, bias, residual }) => [
    linear(x as tf.Tensor2D, kernel as tf.Tensor2D, bias as tf.Tensor1D | undefined, residual as tf.Tensor2D),
  ],
  reference: ({ residual, ...x }) => linear64(x, { I, O }).map((y) => y.map((v, i) => v + residual![i]!)),
});

const linearGeluCase = (N: number, I: number, O: number): Case => ({
  name: `linearGelu [${N}, ${I}] to ${O}`,
  shapes: { x: [N, I], kernel: [I, O], bias: [O] },
  op: ({ x, kernel, bias }) => [linearGelu(x as tf.Tensor2D, kernel as tf.Tensor2D, bias as tf.Tensor1D)],
  reference: (x) => gelu64({ x: linear64(x, { I, O })[0]! }),
});

const linearTanhCase = (N: number, I: number, O: number): Case => ({
  name: `linearTanh [${N}, ${I}] to ${O}`,
  shapes: { x: [N, I], kernel: [I, O], bias: [O] },
  op: ({ x, kernel, bias }) => [linearTanh(x as tf.Tensor2D, kernel as tf.Tensor2D, bias as tf.Tensor1D)],
  reference: (x) => linear64(x, { I, O }).map((y) => y.map(Math.tanh)),
});

const embedTiedCase = (V: number, E: number, N: number): Case => ({
  name: `embedTied ${N} ids in [${V}, ${E}]`,
  shapes: { table: [V, E] },
  op: ({ table }) => {
    const tied = embedTied(ids1d(idsBelow(V, N)), table as tf.Tensor2D);
    return [tied.rows, tied.table];
  },
  reference: (x) => [...embed64(idsBelow(V, N), E)(x), x.table!],
});

const embedCase = (V: number, E: number, N: number): Case => ({
  name: `embed ${N} ids in [${V}, ${E}]`,
  shapes: { table: [V, E] },
  op: ({ table }) => [embed(ids1d(idsBelow(V, N)), table as tf.Tensor2D)],
  reference: embed64(idsBelow(V, N), E),
});

const headCase = (N: number, E: number, V: number, biased: boolean, scale = 1): Case => ({
  name: `linearLogSumExp ${N} × ${E} × ${V}${biased ? " with bias" : ""}, inputs of size ${scale}`,
  shapes: { hidden: [N, E], weight: [V, E], ...(biased ? { bias: [V] } : {}) },
  scale,
  op: ({ hidden, weight, bias }) => {
    const targets = ids1d(idsBelow(V, N));
    const { targetLogit, logSumExp } = linearLogSumExp(
      hidden as tf.Tensor2D,
      weight as tf.Tensor2D,
      targets,
      bias as tf.Tensor1D | undefined,
    );
    return [targetLogit, logSumExp];
  },
  reference: (x) => linearLogSumExp64(idsBelow(V, N), E)(x).slice(0, 2),
});

const crossEntropyCase = (N: number, E: number, V: number, biased: boolean): Case => ({
  name: `linearCrossEntropy ${N} × ${E} × ${V}${biased ? " with bias" : ""}`,
  shapes: { hidden: [N, E], weight: [V, E], ...(biased ? { bias: [V] } : {}) },
  op: ({ hidden, weight, bias }) => [
    linearCrossEntropy(hidden as tf.Tensor2D, weight as tf.Tensor2D, ids1d(idsBelow(V, N)), bias as tf.Tensor1D),
  ],
  reference: (x) => {
    const [target, logSumExp] = linearLogSumExp64(idsBelow(V, N), E)(x) as [Float64Array, Float64Array];
    return [logSumExp.map((s, n) => s - target[n]!)];
  },
});

/** Of the mean alone, for which gradients may be made on the way. */
const meanCrossEntropyCase = (N: number, E: number, V: number, biased: boolean): Case => {
  const { shapes, op, reference } = crossEntropyCase(N, E, V, biased);
  return {
    name: `the mean of linearCrossEntropy ${N} × ${E} × ${V}${biased ? " with bias" : ""}`,
    shapes,
    op: (x) => op(x).map((nats) => tf.mean(nats)),
    reference: (x) => reference(x).map((nats) => Float64Array.of(sumOf(N, (n) => nats[n]! / N))),
  };
};

const formCase = (N: number, E: number, V: number, { softcap = 0, sigsoftmax = false }): Case => ({
  name: `linearLogSumExp ${N} × ${E} × ${V} with mean, softcap ${softcap}${sigsoftmax ? ", sigsoftmax" : ""}`,
  shapes: { hidden: [N, E], weight: [V, E], bias: [V] },
  op: ({ hidden, weight, bias }) => {
    const inputs = [hidden as tf.Tensor2D, weight as tf.Tensor2D, ids1d(idsBelow(V, N)), bias as tf.Tensor1D] as const;
    const { targetLogit, logSumExp, mean } = linearLogSumExp(...inputs, { softcap, sigsoftmax, mean: true });
    return [targetLogit, logSumExp, mean!];
  },
  reference: linearLogSumExp64(idsBelow(V, N), E, (z) => {
    const y = softcap ? softcap * Math.tanh(z / softcap) : z;
    return sigsoftmax ? y - softplus64(-y) : y;
  }),
});

const softplusCase = (N: number, E: number, V: number, softcap: number): Case => ({
  name: `linearSoftplusSum ${N} × ${E} × ${V}, softcap ${softcap}`,
  shapes: { hidden: [N, E], weight: [V, E], bias: [V] },
  op: ({ hidden, weight, bias }) => {
    const inputs = [hidden as tf.Tensor2D, weight as tf.Tensor2D, ids1d(idsBelow(V, N)), bias as tf.Tensor1D] as const;
    const { targetLogit, softplusSum } = linearSoftplusSum(...inputs, softcap);
    return [targetLogit, softplusSum];
  },
  reference: linearSoftplusSum64(idsBelow(V, N), E, (z) => (softcap ? softcap * Math.tanh(z / softcap) : z)),
});

const attentionCase = (B: number, T: number, E: number, heads: number, scale = 1): Case => ({
  name: `causalAttention ${B} × ${T} × ${E}, ${heads} heads, inputs of size ${scale}`,
  shapes: { qkv: [B, T, 3 * E] },
  scale,
  op: ({ qkv }) => [causalAttention(qkv as tf.Tensor3D, heads)],
  reference: (x) => attention64(x, { B, T, E, heads }),
});

const sparseCase = (name: "sparsemax" | "entmax15", N: number, S: number, scale = 1): Case => ({
  name: `${name} [${N}, ${S}], scores of size ${scale}`,
  shapes: { x: [N, S] },
  scale,
  op: ({ x }) => [name === "sparsemax" ? sparsemax(x!) : entmax15(x!)],
  reference: ({ x }) => {
    const rows = Array.from({ length: N }, (_, n) => Array.from(x!.subarray(n * S, (n + 1) * S)));
    return [Float64Array.from(rows.flatMap((row) => normalise64[name]!(row)))];
  },
});

/** Attention in a form, from queries, keys and values as one matmul leaves them. */
const formCaseOf = (T: number, heads: number, form: Partial<AttentionForm>): Case => {
  const [B, D] = [2, 3];
  const E = heads * D;
  const whole: AttentionForm = { heads, keyValueHeads: heads, normaliser: "softmax", alibi: false, window: 0, ...form };
  const { keyValueHeads: G, normaliser, window } = whole;
  const words = Object.entries(form).map(([key, value]) => `${key} ${value}`);
  return {
    name: `attention of ${T} tokens, ${heads} heads, ${words.join(", ")}`,
    shapes: { qkv: [B, T, (heads + 2 * G) * D] },
    op: ({ qkv }) => [attend(repeatKeyValues(qkv as tf.Tensor3D, whole), whole)],
    reference: ({ qkv }) => {
      const slopes = whole.alibi ? slopesOf(heads) : undefined;
      const shared = repeat64(qkv!, { heads, G, D });
      return attention64(
        { qkv: shared },
        { B, T, E, heads, normaliser, window: window || T, ...(slopes && { slopes }) },
      );
    },
  };
};

const lstmCase = (B: number, T: number, U: number, scale = 1): Case => ({
  name: `lstmSequence ${B} × ${T} × ${U}, inputs of size ${scale}`,
  shapes: { gates: [B, T, 4 * U], kernel: [U, 4 * U], hidden: [B, U], cell: [B, U] },
  scale,
  op: ({ gates, kernel, hidden, cell }) => {
    const state = { hidden: hidden as tf.Tensor2D, cell: cell as tf.Tensor2D };
    return [lstmSequence(gates as tf.Tensor3D, kernel as tf.Tensor2D, state).hidden];
  },
  reference: (x) => [lstm64(x, { B, T, U }).outputs],
});

const gruCase = (B: number, T: number, U: number, scale = 1): Case => ({
  name: `gruSequence ${B} × ${T} × ${U}, inputs of size ${scale}`,
  shapes: { gates: [B, T, 3 * U], kernel: [U, 3 * U], bias: [3 * U], hidden: [B, U] },
  scale,
  op: ({ gates, kernel, bias, hidden }) => [
    gruSequence(gates as tf.Tensor3D, kernel as tf.Tensor2D, bias as tf.Tensor1D, hidden as tf.Tensor2D).hidden,
  ],
  reference: (x) => [gru64(x, { B, T, U })],
});

const logSoftmaxCase = (N: number, V: number, scale = 1): Case => ({
  name: `logSoftmax ${N} × ${V}`,
  shapes: { x: [N, V] },
  scale,
  op: ({ x }) => [logSoftmax(x!)],
  reference: ({ x }) => {
    const rows = Array.from({ length: N }, (_, n) => Array.from(x!.subarray(n * V, (n + 1) * V)));
    return [Float64Array.from(rows.flatMap((z) => z.map((score) => score - logSumExp64(z))))];
  },
});

const cases: Case[] = [
  ...(["sparsemax", "entmax15"] as const).flatMap((name) => [
    sparseCase(name, 1, 1),
    sparseCase(name, 5, 7),
    sparseCase(name, 3, 65, 0.2),
    sparseCase(name, 4, 17, 5),
  ]),
  ...(["softmax1", "sigmoid", "sparsemax", "entmax15"] as const).flatMap((normaliser) => [
    formCaseOf(1, 1, { normaliser }),
    formCaseOf(9, 2, { normaliser }),
    formCaseOf(7, 3, { normaliser, alibi: true, window: 3 }),
  ]),
  formCaseOf(9, 2, { window: 4 }),
  formCaseOf(6, 5, { alibi: true }),
  formCaseOf(5, 4, { keyValueHeads: 2 }),
  formCaseOf(5, 4, { keyValueHeads: 1, alibi: true, window: 2 }),
  ...[lstmCase, gruCase].flatMap((make) => [make(1, 1, 1), make(3, 4, 5), make(2, 3, 17, 0.5), make(1, 6, 3, 4)]),
  ...[1, 3, 17].map((N) => layerNormCase(N, 5)),
  layerNormCase(3, 65),
  ...[1, 3, 17].map((N) => rmsNormCase(N, 5)),
  rmsNormCase(3, 65),
  swigluCase(1, 1),
  swigluCase(5, 17),
  rotaryCase(1, 1, 2, 1, 0),
  rotaryCase(2, 5, 12, 3, 0),
  rotaryCase(1, 3, 66, 1, 1000),
  { name: "gelu", shapes: { x: [67] }, scale: 3, op: ({ x }) => [gelu(x!)], reference: gelu64 },
  logSoftmaxCase(1, 1),
  logSoftmaxCase(5, 33, 4),
  linearCase(1, 1, 1, true),
  linearCase(3, 17, 5, true),
  linearCase(17, 3, 33, false),
  linearResidualCase(3, 5, 17, true),
  linearResidualCase(5, 3, 2, false),
  linearGeluCase(1, 1, 1),
  linearGeluCase(7, 5, 33),
  linearTanhCase(7, 5, 33),
  embedCase(5, 3, 17),
  embedTiedCase(5, 3, 17),
  headCase(1, 1, 1, false),
  headCase(3, 5, 17, false),
  headCase(5, 3, 65, true),
  headCase(3, 4, 9, true, 8),
  crossEntropyCase(1, 1, 1, false),
  crossEntropyCase(5, 3, 65, true),
  meanCrossEntropyCase(5, 3, 65, true),
  meanCrossEntropyCase(3, 4, 600, false),
  formCase(3, 5, 17, {}),
  formCase(3, 5, 17, { softcap: 2 }),
  formCase(5, 3, 33, { sigsoftmax: true }),
  formCase(2, 4, 600, { softcap: 3, sigsoftmax: true }),
  softplusCase(3, 5, 17, 0),
  softplusCase(2, 4, 600, 3),
  attentionCase(1, 1, 2, 1),
  attentionCase(2, 5, 6, 3),
  attentionCase(1, 17, 8, 2),
  attentionCase(1, 9, 4, 1, 6),
];

/** Random inputs of a case, the same for tensors and references (float32 values exactly). */
function draw({ shapes, scale = 1 }: Case): Arrays {
  const random = createRandomStream(randomKey(1, "case"));
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, Float64Array.from({ length: size }, () => Math.fround(scale * random.normal()))] as const;
  });
  return Object.fromEntries(entries);
}

/** Fixed weights that make one number of all outputs. */
const mixOf = (index: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => Math.fround(Math.sin(1 + i * 0.7 + index * 2.3)));

/** Largest difference relative to the largest expected value (at least 1). */
function error(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 1;
  let difference = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    difference = Math.max(
      difference,
      Number.isNaN(actual[i]!) ? Number.POSITIVE_INFINITY : Math.abs(actual[i]! - expected[i]!),
    );
  }
  return difference / largest;
}

test.each(installedEngines)(
  "$name is held to the references too, or it is said why not",
  ({ name, missing, install }) => {
    if (missing) console.warn(`${name}: not tested here: ${missing}; ${install} installs it`);
    expect(testedEngines.includes(name)).toBe(missing === undefined);
  },
);

afterAll(() => writeDifferences(testedEngines, describeStarted()));

describe.each(testedEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  test.each(cases)("$name equals its float64 reference", async (item) => {
    const arrays = draw(item);
    const outputs = await readAll(() => {
      const entries = Object.entries(arrays).map(([name, values]) => {
        return [name, tf.tensor(Float32Array.from(values), item.shapes[name]!)] as const;
      });
      return item.op(Object.fromEntries(entries));
    });
    for (const [i, expected] of item.reference(arrays).entries())
      expect(noted(engine, item.name, "value", error(outputs[i]!, expected))).toBeLessThan(1e-5);
  });

  test.each(cases)("the gradient of $name equals central differences", async (item) => {
    const arrays = draw(item);
    const names = Object.keys(item.shapes);
    const mixes = item.reference(arrays).map((out, k) => mixOf(k, out.length));
    const scalar = (x: Arrays): number =>
      item.reference(x).reduce((total, out, k) => total + sumOf(out.length, (i) => mixes[k]![i]! * out[i]!), 0);
    const gradients = await readAll(() => {
      const tensors = names.map((name) => tf.tensor(Float32Array.from(arrays[name]!), item.shapes[name]!));
      return tf.grads((...args: tf.Tensor[]) => {
        const outputs = item.op(Object.fromEntries(names.map((name, i) => [name, args[i]!])));
        return tf.addN(outputs.map((out, k) => tf.sum(tf.mul(out, tf.tensor(mixes[k]!, out.shape)))));
      })(tensors);
    });
    for (const [i, name] of names.entries()) {
      const expected = numericalGradient(scalar, arrays, name);
      // Float32 sums of up to a few hundred terms, against central differences good to about 1e-8.
      const found = noted(engine, item.name, "gradient", error(gradients[i]!, expected));
      expect(found, name).toBeLessThan(3e-5);
    }
  });

  test("the state after the last step is that of the reference", async () => {
    const [B, T, U] = [3, 4, 5];
    const item = lstmCase(B, T, U);
    const arrays = draw(item);
    const at = (name: string) => tf.tensor(Float32Array.from(arrays[name]!), item.shapes[name]!);
    const expected = lstm64(arrays, { B, T, U });
    const recurrent = draw(gruCase(B, T, U));
    const gruAt = (name: string) => tf.tensor(Float32Array.from(recurrent[name]!), gruCase(B, T, U).shapes[name]!);
    const last = gru64(recurrent, { B, T, U }).filter((_, i) => Math.floor(i / U) % T === T - 1);
    const [cell, hidden, gruState] = await readAll(() => {
      const start = { hidden: at("hidden") as tf.Tensor2D, cell: at("cell") as tf.Tensor2D };
      const { state } = lstmSequence(at("gates") as tf.Tensor3D, at("kernel") as tf.Tensor2D, start);
      const gruArguments = [gruAt("gates"), gruAt("kernel"), gruAt("bias"), gruAt("hidden")];
      return [state.cell, state.hidden, gruSequence(...(gruArguments as Parameters<typeof gruSequence>)).state];
    });
    expect(error(cell!, expected.cell)).toBeLessThan(1e-5);
    const lastOutputs = expected.outputs.filter((_, i) => Math.floor(i / U) % T === T - 1);
    expect(error(hidden!, lastOutputs)).toBeLessThan(1e-5);
    expect(error(gruState!, last)).toBeLessThan(1e-5);
  });

  test.each([16_000, 17_000])(
    "the gradients of the mean loss over %d entries are those of the log-sum-exp",
    async (V) => {
      const gradients = await readAll(() => {
        const [N, E] = [3, 2];
        const arrays = draw(headCase(N, E, V, true));
        const tensors = [
          tf.tensor2d(Float32Array.from(arrays.hidden!), [N, E]),
          tf.tensor2d(Float32Array.from(arrays.weight!), [V, E]),
          tf.tensor1d(Float32Array.from(arrays.bias!)),
        ];
        const targets = ids1d(idsBelow(V, N));
        type Loss = (hidden: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D) => tf.Tensor;
        const gradientsOf = (loss: Loss): tf.Tensor[] =>
          tf.grads((...x: tf.Tensor[]) => tf.mean(loss(...(x as Parameters<Loss>))))(tensors);
        const atOnce = gradientsOf((hidden, weight, bias) => linearCrossEntropy(hidden, weight, targets, bias));
        const twice = gradientsOf((hidden, weight, bias) => {
          const { targetLogit, logSumExp } = linearLogSumExp(hidden, weight, targets, bias);
          return tf.sub(logSumExp, targetLogit);
        });
        return [...atOnce, ...twice];
      });
      for (const i of [0, 1, 2]) expect(error(gradients[i]!, gradients[i + 3]!)).toBeLessThan(1e-6);
    },
  );

  test("logits of ±1e4 give finite losses", async () => {
    const [targetLogit, logSumExp] = await readAll(() => {
      const weight = tf.tensor2d([1e4, -1e4, 1e4], [3, 1]);
      const sums = linearLogSumExp(tf.tensor2d([[1]]), weight, ids1d(Int32Array.of(1)));
      return [sums.targetLogit, sums.logSumExp];
    });
    expect(targetLogit![0]).toBe(-1e4);
    expect(logSumExp![0]).toBeCloseTo(1e4 + Math.LN2, 2); // float32 near 1e4 is spaced 1e-3
  });

  test("attention scores of ±1e4 stay finite", async () => {
    const qkv = [100, 100, 1, -100, 100, 2, 100, -100, 3];
    const mixed = await read(() => causalAttention(tf.tensor3d(qkv, [1, 3, 3]), 1));
    expect(Array.from(mixed)).toEqual([1, 1.5, 1.5]);
  });
});
