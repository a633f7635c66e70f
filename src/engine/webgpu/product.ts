/**
 * @file Matrix products by tiles of 64 × 64, the core of every program here that multiplies: 256 threads load 16 columns of one factor and
 * as many rows of the other into workgroup memory (8.2 KiB), and each thread keeps 4 × 4 sums in registers, so that a number that was
 * loaded is used 64 times.
 *
 * Where a product has few tiles and a long inner axis, that axis is cut into slices, whose sums are added up afterwards in
 * their order: no float atomics, so equal inputs give equal bits.
 */
import type { WebgpuBackend } from "./device.ts";
import { type Bound, eachElement, elementThreads, groupsOf, type Program, run, variants } from "./program.ts";
import { newFloats } from "./tensors.ts";

/** Rows and columns of a tile. */
export const tileSide = 64;
/** Threads of a tile's workgroup. */
export const tileThreads = 256;
/** Of the inner axis, as much as is in workgroup memory at a time. */
const depth = 16;
/** One more than a tile is wide, so that columns of it lie in different banks. */
const pitch = tileSide + 1;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * WGSL: `accumulate(rowStart, columnStart, kStart, kEnd, thread)` leaves `Σ_k A[row, k] · B[k, column]` over `kStart ≤ k < kEnd` in `sums[4 i + j]`, for
 * `row = rowStart + rowOffset(thread, i)` and `column = columnStart + columnOffset(thread, j)`.
 *
 * @param a - an expression for A at `row`, `k`: 0 outside. Threads side by side have neighbouring k, or rows where `aTransposed`.
 * @param b - the same for B at `k`, `column`; neighbouring columns, or k where `bTransposed`.
 */
export const tileProduct = (a: string, b: string, aTransposed: boolean, bTransposed: boolean): string => `
var<workgroup> tileA: array<f32, ${depth * pitch}>; // [k, row]
var<workgroup> tileB: array<f32, ${depth * pitch}>; // [k, column]
var<private> sums: array<f32, 16>;

fn rowOffset(thread: u32, i: u32) -> u32 { return thread / 16u + 16u * i; }
fn columnOffset(thread: u32, j: u32) -> u32 { return thread % 16u + 16u * j; }
fn readA(row: u32, k: u32, end: u32) -> f32 { ${a} }
fn readB(k: u32, column: u32, end: u32) -> f32 { ${b} }

fn accumulate(rowStart: u32, columnStart: u32, kStart: u32, kEnd: u32, thread: u32) {
  sums = array<f32, 16>();
  for (var start = kStart; start < kEnd; start += ${depth}u) {
    for (var slot = thread; slot < ${tileSide * depth}u; slot += ${tileThreads}u) {
      let ka = ${aTransposed ? `slot / ${tileSide}u` : `slot % ${depth}u`};
      let row = ${aTransposed ? `slot % ${tileSide}u` : `slot / ${depth}u`};
      tileA[ka * ${pitch}u + row] = readA(rowStart + row, start + ka, kEnd);
      let kb = ${bTransposed ? `slot % ${depth}u` : `slot / ${tileSide}u`};
      let column = ${bTransposed ? `slot / ${depth}u` : `slot % ${tileSide}u`};
      tileB[kb * ${pitch}u + column] = readB(start + kb, columnStart + column, kEnd);
    }
    workgroupBarrier();
    for (var k = 0u; k < ${depth}u; k++) {
      let atA = k * ${pitch}u + thread / 16u;
      let atB = k * ${pitch}u + thread % 16u;
${range(4)
  .map((i) => `      let a${i} = tileA[atA + ${16 * i}u];\n      let b${i} = tileB[atB + ${16 * i}u];`)
  .join("\n")}
${range(16)
  .map((n) => `      sums[${n}] += a${n >> 2} * b${n & 3};`)
  .join("\n")}
    }
    workgroupBarrier();
  }
}`;

/** The factors of a product, `[M, K]` and `[K, N]`, each perhaps stored the other way round. */
const factorA = (transposed: boolean): string =>
  `if (row >= given.M || k >= end) { return 0; } return a[${transposed ? "k * given.M + row" : "row * given.K + k"}];`;
const factorB = (transposed: boolean): string =>
  `if (column >= given.N || k >= end) { return 0; } return b[${transposed ? "column * given.K + k" : "k * given.N + column"}];`;

/** What a product becomes on its way out. */
export interface Ending {
  readonly name: string;
  /** Tensors read besides the factors. */
  readonly reads: Program["reads"];
  readonly writes: Program["writes"];
  readonly numbers?: Program["numbers"];
  /** WGSL: `finish(row, column, at, sum)`, where `at` is the place of the two in an `[M, N]` matrix. */
  readonly code: string;
}

const plain: Ending = {
  name: "product",
  reads: {},
  writes: { out: "f32" },
  code: `
fn finish(row: u32, column: u32, at: u32, sum: f32) {
  if (given.accumulate == 1u) { out[at] += sum; } else { out[at] = sum; }
}`,
};

const programs = new WeakMap<Ending, (transposeA: boolean, transposeB: boolean) => Program>();

/** The program of a product with an ending, compiled once for each. */
function programOf(ending: Ending, transposeA: boolean, transposeB: boolean): Program {
  const known = programs.get(ending) ?? variants((a: boolean, b: boolean) => productProgram(ending, a, b));
  programs.set(ending, known);
  return known(transposeA, transposeB);
}

const productProgram = (
  { name, reads, writes, numbers, code }: Ending,
  transposeA: boolean,
  transposeB: boolean,
): Program => ({
  name,
  reads: { a: "f32", b: "f32", ...reads },
  writes,
  numbers: { M: "u32", N: "u32", K: "u32", slice: "u32", accumulate: "u32", ...numbers },
  code: `${tileProduct(factorA(transposeA), factorB(transposeB), transposeA, transposeB)}
${code}
@compute @workgroup_size(${tileThreads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let rowStart = group.y * ${tileSide}u;
  let columnStart = group.x * ${tileSide}u;
  let start = group.z * given.slice;
  accumulate(rowStart, columnStart, start, min(start + given.slice, given.K), thread);
  for (var i = 0u; i < 4u; i++) {
    let row = rowStart + rowOffset(thread, i);
    for (var j = 0u; j < 4u; j++) {
      let column = columnStart + columnOffset(thread, j);
      if (row < given.M && column < given.N) {
        finish(row, column, (group.z * given.M + row) * given.N + column, sums[4u * i + j]);
      }
    }
  }
}`,
});

export interface Factors {
  readonly a: Bound;
  readonly b: Bound;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** a is stored `[K, M]`. */
  readonly transposeA?: boolean;
  /** b is stored `[N, K]`. */
  readonly transposeB?: boolean;
}

/** `A B` for an ending to finish; `bound` and `numbers` are the ending's. No size may be 0. */
export function productInto(
  backend: WebgpuBackend,
  factors: Factors,
  ending: Ending,
  bound: Readonly<Record<string, Bound>>,
  numbers: Readonly<Record<string, number>> = {},
): void {
  record(backend, factors, ending, bound, { ...numbers, slices: 1, accumulate: 0 });
}

/** `out = A B`, or `out += A B` where `accumulate`; `out` is `[M, N]`. No size may be 0. */
export function product(backend: WebgpuBackend, factors: Factors, out: Bound, accumulate = false): void {
  const slices = slicesOf(factors);
  if (slices === 1) return record(backend, factors, plain, { out }, { slices, accumulate: Number(accumulate) });
  const { M, N } = factors;
  const parts = newFloats(backend, [slices, M, N]);
  record(backend, factors, plain, { out: parts }, { slices, accumulate: 0 });
  const numbers = { size: M * N, slices, accumulate: Number(accumulate) };
  run(backend, sumOfSlices, { parts, out }, numbers, groupsOf(backend, Math.ceil((M * N) / elementThreads)));
  backend.disposeData(parts.dataId);
}

function record(
  backend: WebgpuBackend,
  { a, b, M, N, K, transposeA = false, transposeB = false }: Factors,
  ending: Ending,
  bound: Readonly<Record<string, Bound>>,
  { slices, ...rest }: Readonly<Record<string, number>> & { readonly slices: number },
): void {
  const numbers = { M, N, K, slice: depth * Math.ceil(K / slices / depth), ...rest };
  const groups = [Math.ceil(N / tileSide), Math.ceil(M / tileSide), slices] as const;
  run(backend, programOf(ending, transposeA, transposeB), { a, b, ...bound }, numbers, groups);
}

const workgroupsWanted = 128;
const shortestSlice = 128;

/** Slices of the inner axis: enough workgroups to fill a GPU, none shorter than what its sum is worth. */
function slicesOf({ M, N, K }: Factors): number {
  const tiles = Math.ceil(M / tileSide) * Math.ceil(N / tileSide);
  return Math.max(1, Math.min(Math.floor(workgroupsWanted / tiles), Math.floor(K / shortestSlice)));
}

const sumOfSlices: Program = {
  name: "sumOfSlices",
  reads: { parts: "f32" },
  writes: { out: "f32" },
  numbers: { size: "u32", slices: "u32", accumulate: "u32" },
  code: eachElement(`
    var sum = 0.0;
    if (given.accumulate == 1u) { sum = out[i]; }
    for (var s = 0u; s < given.slices; s++) { sum += parts[s * given.size + i]; }
    out[i] = sum;`),
};
