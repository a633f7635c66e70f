/**
 * @file The log-sum-exp over the vocabulary (`ops/linearLogSumExp.ts`).
 *
 * The scores of a tile live in registers: each thread keeps a running maximum and sum (Milakov and Gimelshein 2018, arXiv
 * 1805.02867) for its rows over the tiles of a span of the vocabulary, and a second program joins the spans. No score is written to memory.
 * The gradient is in `kernels-vocabularyGrad.ts`.
 */
import type { ScoreAttributes } from "../ops/linearLogSumExp.ts";
import { linearLogSumExpGrad } from "./kernels-vocabularyGrad.ts";
import { tileProduct, tileSide, tileThreads } from "./product.ts";
import { eachElement, elementThreads, groupsOf, type Program, run, variants } from "./program.ts";
import { lowest } from "./reductions.ts";
import { isSigmoid, scoreForm } from "./scores.ts";
import { areWhole, newFloats, type WebgpuKernel, zeros } from "./tensors.ts";

/** Workgroups that the forward pass spreads the vocabulary over, for all rows together. */
const workgroupsWanted = 256;

/** A tile of `z = h Wᵀ + b`, for hidden states `[N, E]` and a table `[V, E]`; `scoreOf` adds b. */
const scoreTile = (isBiased: boolean): string => `${tileProduct(
  "if (row >= given.N || k >= end) { return 0; } return hidden[row * given.E + k];",
  "if (column >= given.V || k >= end) { return 0; } return weight[column * given.E + k];",
  false,
  true,
)}
fn scoreOf(sum: f32, column: u32) -> f32 { return sum${isBiased ? " + bias[column]" : ""}; }`;

/** A block of rows, and of a span's tiles one after the other; what is kept of a row is `[maximum, sum, sum of scores]`. */
const spanProgram = variants(
  (isBiased: boolean, form: number, isCapped: boolean, withMean: boolean): Program => ({
    name: "linearLogSumExp",
    reads: { hidden: "f32", weight: "f32", ...(isBiased && { bias: "f32" }), targets: "i32" },
    writes: { targetLogit: "f32", parts: "f32" },
    numbers: {
      N: "u32",
      E: "u32",
      V: "u32",
      tiles: "u32",
      spans: "u32",
      softcap: "f32",
    },
    code: `${scoreTile(isBiased)}
${scoreForm(form, isCapped)}
var<private> maximum: array<f32, 4>; // one for each of a thread's rows
var<private> total: array<f32, 4>;
var<private> plain: array<f32, 4>;

fn take(i: u32, scores: vec4f, isThere: vec4<bool>) {
  ${
    isSigmoid(form)
      ? "for (var j = 0u; j < 4u; j++) { total[i] += select(0.0, softplusOf(scores[j]), isThere[j]); }"
      : `let known = select(vec4f(${lowest}), scores, isThere);
  let next = max(maximum[i], max(max(known.x, known.y), max(known.z, known.w)));
  total[i] = total[i] * exp(maximum[i] - next) + dot(exp(known - next), vec4f(1.0));
  maximum[i] = next;`
  }
  ${withMean ? "plain[i] += dot(select(vec4f(0.0), scores, isThere), vec4f(1.0));" : ""}
}

@compute @workgroup_size(${tileThreads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let rowStart = group.x * ${tileSide}u;
  for (var i = 0u; i < 4u; i++) { maximum[i] = ${lowest}; }
  for (var tile = group.y * given.tiles; tile < (group.y + 1u) * given.tiles; tile++) {
    let columnStart = tile * ${tileSide}u;
    accumulate(rowStart, columnStart, 0u, given.E, thread);
    for (var i = 0u; i < 4u; i++) {
      let row = rowStart + rowOffset(thread, i);
      var scores: vec4f;
      var isThere: vec4<bool>;
      for (var j = 0u; j < 4u; j++) {
        let column = columnStart + columnOffset(thread, j);
        scores[j] = formedOf(cappedOf(scoreOf(sums[4u * i + j], column)));
        isThere[j] = column < given.V;
        if (row < given.N && u32(targets[row]) == column) { targetLogit[row] = scores[j]; }
      }
      take(i, scores, isThere);
    }
  }
  // Tiles are done with: their memory serves the 16 threads of each row.
  for (var i = 0u; i < 4u; i++) {
    let at = 16u * rowOffset(thread, i) + thread % 16u;
    tileA[at] = maximum[i];
    tileB[at] = total[i];
  }
  workgroupBarrier();
  let row = rowStart + thread;
  let at = 3u * (row * given.spans + group.y);
  if (thread < ${tileSide}u && row < given.N) { joinThreads(16u * thread, at); }
  ${
    withMean
      ? `workgroupBarrier();
  for (var i = 0u; i < 4u; i++) { tileA[16u * rowOffset(thread, i) + thread % 16u] = plain[i]; }
  workgroupBarrier();
  if (thread < ${tileSide}u && row < given.N) {
    var scores = 0.0;
    for (var t = 0u; t < 16u; t++) { scores += tileA[16u * thread + t]; }
    parts[at + 2u] = scores;
  }`
      : ""
  }
}

fn joinThreads(first: u32, at: u32) {
  var most = ${lowest};
  for (var t = 0u; t < 16u; t++) { most = max(most, tileA[first + t]); }
  var sum = 0.0;
  for (var t = 0u; t < 16u; t++) { sum += tileB[first + t]${isSigmoid(form) ? "" : " * exp(tileA[first + t] - most)"}; }
  parts[at] = most;
  parts[at + 1u] = sum;
}`,
  }),
);

/** A row's spans joined. */
const joinProgram = variants(
  (form: number, withMean: boolean): Program => ({
    name: "linearLogSumExpJoin",
    reads: { parts: "f32" },
    writes: { logSumExp: "f32", ...(withMean && { mean: "f32" }) },
    numbers: { size: "u32", spans: "u32", V: "u32" },
    code: eachElement(`
    let first = 3u * i * given.spans;
    var most = ${lowest};
    for (var s = 0u; s < given.spans; s++) { most = max(most, parts[first + 3u * s]); }
    var sum = 0.0;
    for (var s = 0u; s < given.spans; s++) {
      sum += parts[first + 3u * s + 1u]${isSigmoid(form) ? "" : " * exp(parts[first + 3u * s] - most)"};
    }
    logSumExp[i] = ${isSigmoid(form) ? "sum" : "most + log(sum)"};
    ${
      withMean
        ? `var scores = 0.0;
    for (var s = 0u; s < given.spans; s++) { scores += parts[first + 3u * s + 2u]; }
    mean[i] = scores / f32(given.V);`
        : ""
    }`),
  }),
);

/** Tiles that a workgroup goes over, so that there are about `workgroupsWanted`. */
function tilesOfSpan(N: number, V: number): number {
  const spansWanted = Math.max(1, Math.floor(workgroupsWanted / Math.ceil(N / tileSide)));
  return Math.ceil(Math.ceil(V / tileSide) / spansWanted);
}

const linearLogSumExp: WebgpuKernel = (backend, inputs, attributes) => {
  const { form, softcap, mean } = attributes as unknown as ScoreAttributes;
  const { hidden, weight, bias, targets } = inputs;
  const [N, E] = hidden!.shape as [number, number];
  if (N === 0) return Array.from({ length: mean ? 3 : 2 }, () => zeros(backend, [0]));
  if (!areWhole(backend, Object.values(inputs))) return undefined;
  const V = weight!.shape[0]!;
  const tiles = tilesOfSpan(N, V);
  const spans = Math.ceil(V / tileSide / tiles);
  const [targetLogit, logSumExp] = [newFloats(backend, [N]), newFloats(backend, [N])];
  const average = mean ? newFloats(backend, [N]) : undefined;
  const parts = newFloats(backend, [N, spans, 3]);
  const given = { hidden: hidden!, weight: weight!, targets: targets!, ...(bias && { bias }) };
  const program = spanProgram(bias !== undefined, form, softcap > 0, average !== undefined);
  run(backend, program, { ...given, targetLogit, parts }, { N, E, V, tiles, spans, softcap }, [
    Math.ceil(N / tileSide),
    spans,
  ]);
  const joined = { parts, logSumExp, ...(average && { mean: average }) };
  const groups = groupsOf(backend, Math.ceil(N / elementThreads));
  run(backend, joinProgram(form, average !== undefined), joined, { size: N, spans, V }, groups);
  backend.disposeData(parts.dataId);
  return [targetLogit, logSumExp, ...(average ? [average] : [])];
};

export const vocabularyKernels: Readonly<Record<string, WebgpuKernel>> = {
  SoftboxLinearLogSumExp: linearLogSumExp,
  SoftboxLinearLogSumExpBias: linearLogSumExp,
  SoftboxLinearLogSumExpGrad: linearLogSumExpGrad,
};
