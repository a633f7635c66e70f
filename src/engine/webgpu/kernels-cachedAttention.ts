/**
 * @file Attention of new positions over a cache (`ops/cachedAttention.ts`), which is written in place: a workgroup for each new position of a head takes
 * 64 keys at a time, one a thread, and then sums up their values column by column.
 */
import { eachElement, elementThreads, groupsOf, type Program, run, variants } from "./program.ts";
import { hasSubgroups, lowest, place, placeArguments, reductions } from "./reductions.ts";
import { areWhole, newFloats, sizeOf, viewAs, type WebgpuKernel } from "./tensors.ts";

const threads = 64;

/** Keys and values of T new positions, from `[B, T, 3E]` to positions `start …` of `[B, H, C, D]`. */
const writeProgram: Program = {
  name: "cachedAttentionWrite",
  reads: { qkv: "f32" },
  writes: { keys: "f32", values: "f32" },
  numbers: { size: "u32", T: "u32", heads: "u32", D: "u32", C: "u32", start: "u32" },
  code: eachElement(`
    let E = given.heads * given.D;
    let column = i % E;
    let position = i / E % given.T;
    let batch = i / E / given.T;
    let row = (batch * given.heads + column / given.D) * given.C + given.start + position;
    let source = (batch * given.T + position) * 3u * E + column;
    keys[row * given.D + column % given.D] = qkv[source + E];
    values[row * given.D + column % given.D] = qkv[source + 2u * E];`),
};

/** `out = softmax(scale · q Kᵀ) V` over positions `0 … start + t`; a thread has every 64th column of the result. */
const attendProgram = variants(
  (pieces: number, subgroups: boolean): Program => ({
    name: "cachedAttention",
    reads: { qkv: "f32", keys: "f32", values: "f32" },
    writes: { out: "f32" },
    numbers: { T: "u32", heads: "u32", D: "u32", C: "u32", start: "u32", scale: "f32" },
    subgroups,
    code: `${reductions(threads, subgroups)}
var<workgroup> weights: array<f32, ${threads}>;

@compute @workgroup_size(${threads})
fn main(${placeArguments(subgroups)}
) {
  let place = ${place(subgroups)};
  let E = given.heads * given.D;
  let token = group.y / given.heads * given.T + group.x;
  let column = group.y % given.heads * given.D;
  let query = token * 3u * E + column;
  let cache = group.y * given.C * given.D;
  let end = given.start + group.x + 1u;
  var mixed: array<f32, ${pieces}>;
  var most = ${lowest};
  var sum = 0.0;
  for (var chunk = 0u; chunk < end; chunk += ${threads}u) {
    let key = cache + min(chunk + thread, end - 1u) * given.D;
    var score = 0.0;
    for (var d = 0u; d < given.D; d++) { score += qkv[query + d] * keys[key + d]; }
    score *= given.scale;
    let isPast = chunk + thread < end;
    let next = max(most, workgroupMax(select(${lowest}, score, isPast), place));
    let weight = select(0.0, exp(score - next), isPast);
    weights[thread] = weight;
    let shrink = exp(most - next);
    most = next;
    sum = sum * shrink + workgroupSum(weight, place);
    for (var piece = 0u; piece < ${pieces}u; piece++) {
      let d = min(piece * ${threads}u + thread, given.D - 1u);
      var added = 0.0;
      for (var o = 0u; o < min(${threads}u, end - chunk); o++) {
        added += weights[o] * values[cache + (chunk + o) * given.D + d];
      }
      mixed[piece] = shrink * mixed[piece] + added;
    }
    workgroupBarrier();
  }
  for (var piece = 0u; piece < ${pieces}u; piece++) {
    let d = piece * ${threads}u + thread;
    if (d < given.D) { out[token * E + column + d] = mixed[piece] / sum; }
  }
}`,
  }),
);

const cachedAttention: WebgpuKernel = (backend, { qkv, keys, values }, attributes) => {
  const [B, heads, C, D] = keys!.shape as [number, number, number, number];
  const T = qkv!.shape[1]!;
  const most = backend.device.limits.maxComputeWorkgroupsPerDimension;
  if (!areWhole(backend, [qkv!, keys!, values!]) || keys!.dataId === values!.dataId) return undefined;
  if (B * heads > most || T > most) return undefined;
  const start = attributes.start as number;
  const out = newFloats(backend, [B, T, heads * D]);
  const cache = { keys: keys!, values: values! };
  const size = sizeOf(out.shape);
  const written = { size, T, heads, D, C, start };
  run(backend, writeProgram, { qkv: qkv!, ...cache }, written, groupsOf(backend, Math.ceil(size / elementThreads)));
  const program = attendProgram(Math.ceil(D / threads), hasSubgroups(backend));
  const numbers = { T, heads, D, C, start, scale: 1 / Math.sqrt(D) };
  run(backend, program, { qkv: qkv!, ...cache, out }, numbers, [T, B * heads]);
  return [out, viewAs(backend, keys!, keys!.shape), viewAs(backend, values!, values!.shape)];
};

export const cachedAttentionKernels: Readonly<Record<string, WebgpuKernel>> = {
  SoftboxCachedAttention: cachedAttention,
};
