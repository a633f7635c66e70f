/** @file The kernels of recurrent layers against float64, on every instruction set of this CPU and in WebAssembly. */
import { beforeAll, expect, test } from "vitest";
import { dirty, onEveryInstructionSet, randoms, roundToBfloat16 } from "../../../test/support/kernels.ts";
import type { Addon } from "./addon.ts";

interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly U: number;
}

type Round = (x: ArrayLike<number>) => Float64Array;
const exact: Round = (x) => Float64Array.from(x);
const toBfloat16: Round = (x) => Float64Array.from(roundToBfloat16(Float32Array.from(x)));

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const slope = (y: number): number => y * (1 - y);

/** `Σ_k x[k] · w(k)`. */
function dot(x: Float64Array, w: (k: number) => number): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k]! * w(k);
  return sum;
}

function addTo(sum: Float64Array, x: Float64Array): void {
  for (const [i, value] of x.entries()) sum[i]! += value;
}
/** `xᵀ y` of two rows. */
const outer = (x: Float64Array, y: Float64Array): Float64Array =>
  Float64Array.from({ length: x.length * y.length }, (_, i) => x[Math.floor(i / y.length)]! * y[i % y.length]!);

/** One unit of one step: its new state, and its gates' gradients from that of the state. */
interface UnitStep {
  readonly hidden: number;
  /** @param dh - gradient of the state. @param dc - of the cell, from behind. */
  back(dh: number, dc: number): { dGates: number[]; dProducts: number[]; past: number; dCell: number };
}
/** @param x - from the inputs, a number a gate. @param q - the products of the state (with the bias of a GRU). */
type CellStep = (x: number[], q: number[], hidden: number, cell: { value: number }) => UnitStep;

const lstmStep: CellStep = (x, q, _hidden, cell) => {
  const [zi, zf, zg, zo] = x.map((value, gate) => value + q[gate]!) as [number, number, number, number];
  const [i, f, g, o] = [logistic(zi), logistic(zf), Math.tanh(zg), logistic(zo)];
  const before = cell.value;
  cell.value = f * before + i * g;
  const tanhCell = Math.tanh(cell.value);
  const back = (dh: number, behind: number) => {
    const dc = behind + dh * o * (1 - tanhCell ** 2);
    const dGates = [dc * g * slope(i), dc * before * slope(f), dc * i * (1 - g * g), dh * tanhCell * slope(o)];
    return { dGates, dProducts: dGates, past: 0, dCell: dc * f };
  };
  return { hidden: o * tanhCell, back };
};

const gruStep: CellStep = (x, q, hidden) => {
  const [r, z] = [logistic(x[0]! + q[0]!), logistic(x[1]! + q[1]!)];
  const n = Math.tanh(x[2]! + r * q[2]!);
  const back = (dh: number) => {
    const dn = dh * (1 - z) * (1 - n * n);
    const [dr, dz] = [dn * q[2]! * slope(r), dh * (hidden - n) * slope(z)];
    return { dGates: [dr, dz, dn], dProducts: [dr, dz, dn * r], past: dh * z, dCell: 0 };
  };
  return { hidden: (1 - z) * n + z * hidden, back };
};

interface Inputs {
  readonly gates: Float32Array;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  readonly hidden: Float32Array;
  readonly cell: Float32Array;
  readonly dOutput: Float32Array;
}

function inputsOf(G: number, { B, T, U }: Sizes, scale = 1): Inputs {
  return {
    gates: randoms(B * T * G * U, "gates", 2 * scale),
    kernel: randoms(U * G * U, "kernel", (2 * scale) / Math.sqrt(U)),
    bias: randoms(G * U, "bias"),
    hidden: randoms(B * U, "hidden"),
    cell: randoms(B * U, "cell", 2),
    dOutput: randoms(B * T * U, "dOutput"),
  };
}

/** Everything that a layer gives forward and backward, row by row in float64. Only the inputs of products are rounded. */
function reference(step: CellStep, G: number, inputs: Inputs, { B, T, U }: Sizes, round: Round) {
  const kernel = round(inputs.kernel);
  const weight = (k: number, gate: number, u: number): number => kernel[k * G * U + gate * U + u]!;
  const results = {
    output: new Float64Array(B * T * U),
    finalCell: Float64Array.from(inputs.cell),
    dGates: new Float64Array(B * T * G * U),
    dKernel: new Float64Array(U * G * U),
    dBias: new Float64Array(G * U),
    dHidden: new Float64Array(B * U),
    dCell: new Float64Array(B * U),
  };
  const row = (b: number): void => {
    const states = [Float64Array.from(inputs.hidden.subarray(b * U, (b + 1) * U))];
    const cells = Array.from({ length: U }, (_, u) => ({ value: inputs.cell[b * U + u]! }));
    const steps: UnitStep[][] = [];
    for (let t = 0; t < T; t++) {
      const before = states[t]!;
      const seen = round(before);
      const units = cells.map((cell, u) => {
        const gate = Array.from({ length: G }, (_, g) => g);
        const x = gate.map((g) => inputs.gates[(b * T + t) * G * U + g * U + u]!);
        const q = gate.map((g) => dot(seen, (k) => weight(k, g, u)) + (G === 3 ? inputs.bias[g * U + u]! : 0));
        return step(x, q, before[u]!, cell);
      });
      steps.push(units);
      states.push(Float64Array.from(units, ({ hidden }) => hidden));
      results.output.set(states[t + 1]!, (b * T + t) * U);
    }
    results.finalCell.set(
      cells.map(({ value }) => value),
      b * U,
    );
    let dh = new Float64Array(U);
    const dc = new Float64Array(U);
    for (let t = T - 1; t >= 0; t--) {
      const products = new Float64Array(G * U);
      const past = new Float64Array(U);
      for (const [u, unit] of steps[t]!.entries()) {
        const back = unit.back(dh[u]! + inputs.dOutput[(b * T + t) * U + u]!, dc[u]!);
        for (const [g, dGate] of back.dGates.entries()) {
          results.dGates[(b * T + t) * G * U + g * U + u] = dGate;
          products[g * U + u] = back.dProducts[g]!;
        }
        past[u] = back.past;
        dc[u] = back.dCell;
      }
      const dSeen = round(products);
      addTo(results.dBias, products);
      addTo(results.dKernel, outer(round(states[t]!), dSeen));
      dh = past.map((value, k) => value + dot(dSeen, (j) => kernel[k * G * U + j]!));
    }
    results.dHidden.set(dh, b * U);
    results.dCell.set(dc, b * U);
  };
  for (let b = 0; b < B; b++) row(b);
  return results;
}

type Results = Record<string, Float32Array>;

function runLstm(addon: Addon, { gates, kernel, hidden, cell, dOutput }: Inputs, { B, T, U }: Sizes): Results {
  const [output, finalCell, trace] = [dirty(B * T * U), dirty(B * U), dirty(B * T * 5 * U)] as const;
  const [dGates, dKernel, dHidden, dCell] = [gates.length, kernel.length, B * U, B * U].map(dirty) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  addon.lstm(gates, kernel, hidden, cell, output, finalCell, trace, B, T, U);
  addon.lstmGrad(dOutput, kernel, hidden, cell, output, trace, dGates, dKernel, dHidden, dCell, B, T, U);
  return { output, finalCell, dGates, dKernel, dHidden, dCell };
}

function runGru(addon: Addon, { gates, kernel, bias, hidden, dOutput }: Inputs, { B, T, U }: Sizes): Results {
  const [output, trace] = [dirty(B * T * U), dirty(B * T * 4 * U)] as const;
  const [dGates, dKernel, dBias, dHidden] = [gates.length, kernel.length, bias.length, B * U].map(dirty) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  addon.gru(gates, kernel, bias, hidden, output, trace, B, T, U);
  addon.gruGrad(dOutput, kernel, hidden, output, trace, dGates, dKernel, dBias, dHidden, B, T, U);
  return { output, dGates, dKernel, dBias, dHidden };
}

const kinds = [
  { kind: "LSTM", G: 4, step: lstmStep, run: runLstm },
  { kind: "GRU", G: 3, step: gruStep, run: runGru },
] as const;

/** Largest difference relative to the largest expected value (at least 1). */
function error(actual: Float32Array, expected: Float64Array): number {
  let [largest, difference] = [1, actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY];
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value));
    difference = Math.max(
      difference,
      Number.isNaN(actual[i]!) ? Number.POSITIVE_INFINITY : Math.abs(actual[i]! - value),
    );
  }
  return difference / largest;
}

const sizes: Sizes[] = [
  { B: 1, T: 1, U: 1 },
  { B: 3, T: 2, U: 5 },
  { B: 2, T: 4, U: 16 },
  { B: 5, T: 3, U: 33 },
  { B: 17, T: 2, U: 48 },
  { B: 31, T: 5, U: 70 },
  { B: 300, T: 3, U: 7 },
];

onEveryInstructionSet((addon) => {
  beforeAll(() => addon.setThreads(2));

  test.each(kinds)("$kind equals its float64 reference, forward and backward", ({ G, step, run }) => {
    for (const size of sizes) {
      const inputs = inputsOf(G, size);
      const expected = reference(step, G, inputs, size, exact) as Record<string, Float64Array>;
      for (const [name, got] of Object.entries(run(addon, inputs, size)))
        expect(error(got, expected[name]!), `${name} of ${JSON.stringify(size)}`).toBeLessThan(1e-5);
    }
  });

  test.each(kinds)("$kind at bfloat16 rounds what its products see, and nothing else", ({ G, step, run }) => {
    for (const size of sizes) {
      const inputs = inputsOf(G, size);
      const expected = reference(step, G, inputs, size, toBfloat16) as Record<string, Float64Array>;
      addon.setRounding(true);
      const results = run(addon, inputs, size);
      addon.setRounding(false);
      // A float32 sum beside a tie is rounded to the other neighbour, 2^-8 of it away.
      for (const [name, got] of Object.entries(results))
        expect(error(got, expected[name]!), `${name} of ${JSON.stringify(size)}`).toBeLessThan(2 ** -8);
    }
  });

  test.each(kinds)("$kind saturates without NaN where its gates are of size 1e4", ({ G, run }) => {
    const size = { B: 2, T: 3, U: 19 };
    const { output, dGates, dKernel } = run(addon, inputsOf(G, size, 1e4), size);
    for (const values of [output, dGates, dKernel]) expect(values!.every(Number.isFinite)).toBe(true);
  });

  test.each(kinds)("$kind gives the same bytes with 1 and 3 threads", ({ G, run }) => {
    const size = { B: 20, T: 4, U: 130 };
    for (const rounds of [false, true]) {
      addon.setRounding(rounds);
      const [one, three] = [1, 3].map((count) => {
        addon.setThreads(count);
        return run(addon, inputsOf(G, size), size);
      });
      addon.setRounding(false);
      addon.setThreads(2);
      for (const [name, values] of Object.entries(one!)) expect(values, name).toEqual(three![name]);
    }
  });
});
