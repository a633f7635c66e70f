/** @file Independent references of recurrent layers in float64, element by element. */
import { type Arrays, sumOf } from "./float64.ts";

interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly U: number;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Unit `u` of gate `gate`: `h · kernel`, for `gates` gates side by side. */
const product = (h: Float64Array, kernel: Float64Array, gates: number, gate: number, u: number): number => {
  const U = h.length;
  return sumOf(U, (k) => h[k]! * kernel[k * gates * U + gate * U + u]!);
};

/** Hidden states of all steps, `[B, T, U]`, and the cells after the last, `[B, U]`. */
export function lstm64({ gates, kernel, hidden, cell }: Arrays, { B, T, U }: Sizes) {
  const outputs = new Float64Array(B * T * U);
  const cells = Float64Array.from(cell!);
  for (let b = 0; b < B; b++) {
    let h = hidden!.slice(b * U, (b + 1) * U);
    for (let t = 0; t < T; t++) {
      const z = (gate: number, u: number): number =>
        gates![(b * T + t) * 4 * U + gate * U + u]! + product(h, kernel!, 4, gate, u);
      const next = h.map((_, u) => {
        const [i, f, g, o] = [logistic(z(0, u)), logistic(z(1, u)), Math.tanh(z(2, u)), logistic(z(3, u))];
        cells[b * U + u] = f * cells[b * U + u]! + i * g;
        return o * Math.tanh(cells[b * U + u]!);
      });
      outputs.set(next, (b * T + t) * U);
      h = next;
    }
  }
  return { outputs, cell: cells };
}

/** Hidden states of all steps, `[B, T, U]`. */
export function gru64({ gates, kernel, bias, hidden }: Arrays, { B, T, U }: Sizes): Float64Array {
  const outputs = new Float64Array(B * T * U);
  for (let b = 0; b < B; b++) {
    let h = hidden!.slice(b * U, (b + 1) * U);
    for (let t = 0; t < T; t++) {
      const input = (gate: number, u: number): number => gates![(b * T + t) * 3 * U + gate * U + u]!;
      const q = (gate: number, u: number): number => product(h, kernel!, 3, gate, u) + bias![gate * U + u]!;
      const next = h.map((before, u) => {
        const [r, z] = [logistic(input(0, u) + q(0, u)), logistic(input(1, u) + q(1, u))];
        return (1 - z) * Math.tanh(input(2, u) + r * q(2, u)) + z * before;
      });
      outputs.set(next, (b * T + t) * U);
      h = next;
    }
  }
  return outputs;
}
