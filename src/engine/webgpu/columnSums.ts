/** @file Sums over the rows of a matrix, each column's in an order fixed by the shape: what biases' and gains' gradients are. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebgpuBackend } from "./device.ts";
import { type Program, run } from "./program.ts";
import { newFloats } from "./tensors.ts";

/** Columns of a workgroup, and rows that it adds up side by side. */
const [width, height] = [16, 16];

/**
 * A program that sums over rows: 16 threads a column take every 16th row each, then one adds theirs.
 *
 * @param terms - by the name of each result, a WGSL expression of what it sums, of `row`, `column` and `i`, their place in `[rows, columns]`.
 */
export function columnSumsOf(name: string, reads: Program["reads"], terms: Readonly<Record<string, string>>): Program {
  const entries = Object.entries(terms);
  const each = (line: (result: string, term: string) => string): string =>
    entries.map(([result, term]) => line(result, term)).join("\n  ");
  return {
    name,
    reads,
    writes: Object.fromEntries(entries.map(([result]) => [result, "f32" as const])),
    numbers: { rows: "u32", columns: "u32" },
    code: `
${each((result) => `var<workgroup> ${result}Parts: array<f32, ${width * height}>;`)}
@compute @workgroup_size(${width * height})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let column = group.x * ${width}u + thread % ${width}u;
  ${each((result) => `var ${result}Sum = 0.0;`)}
  if (column < given.columns) {
    for (var row = thread / ${width}u; row < given.rows; row += ${height}u) {
      let i = row * given.columns + column;
      ${each((result, term) => `${result}Sum += ${term};`)}
    }
  }
  ${each((result) => `${result}Parts[thread] = ${result}Sum;`)}
  workgroupBarrier();
  if (thread < ${width}u && column < given.columns) {
    for (var r = 1u; r < ${height}u; r++) {
      ${each((result) => `${result}Sum += ${result}Parts[thread + r * ${width}u];`)}
    }
    ${each((result) => `${result}[column] = ${result}Sum;`)}
  }
}`,
  };
}

/** Records a program of `columnSumsOf` over `[rows, columns]`. */
export function runColumnSums(
  backend: WebgpuBackend,
  program: Program,
  bound: Parameters<typeof run>[2],
  [rows, columns]: readonly [rows: number, columns: number],
): void {
  run(backend, program, bound, { rows, columns }, [Math.ceil(columns / width)]);
}

const plainSums = columnSumsOf("columnSums", { x: "f32" }, { sums: "x[i]" });

/** `Σ_rows x` for x `[rows, columns]`. */
export function columnSums(backend: WebgpuBackend, x: TensorInfo): TensorInfo {
  const [rows, columns] = x.shape as [number, number];
  const sums = newFloats(backend, [columns]);
  runColumnSums(backend, plainSums, { x, sums }, [rows, columns]);
  return sums;
}
