/**
 * @file Causal attention without its `[T, T]` weights (Dao et al. 2022, arXiv 2205.14135): a thread for each query, keys and values of some
 * positions at a time in workgroup memory, and a running maximum and sum.
 *
 * Backward the weights are made anew from the log-sum-exp, twice: for each query over its keys, for each key over its queries. So every
 * sum has one owner and one order, and nothing is added atomically.
 */
import { type Program, variants } from "./program.ts";
import { lowest } from "./reductions.ts";

/** Queries, or keys, of a workgroup: one a thread. */
export const positionsOfGroup = 64;
/** Two tiles of positions in workgroup memory have 8 KiB each, as 16 are sure to be there. */
const bytesOfTile = 8192;
/** A larger head's single position would not fit a tile. */
export const largestHead = bytesOfTile / 4;

const foursOf = (D: number): number => Math.ceil(D / 4);
const positionsOfTile = (D: number): number => Math.max(1, Math.min(32, Math.floor(bytesOfTile / 16 / foursOf(D))));

/** WGSL: `nameAt(at, four)`, four of the D numbers of a head that begins at `at`; zeros past its end. */
const loader = (name: string, D: number): string => `
fn ${name}At(at: u32, four: u32) -> vec4f {
  let d = 4u * four;
  let i = at + d;
  return vec4f(${[0, 1, 2, 3]
    .map((c) => (D % 4 === 0 ? `${name}[i + ${c}u]` : `select(0.0, ${name}[i + ${c}u], d + ${c}u < ${D}u)`))
    .join(", ")});
}`;

/** WGSL: `store(at, four, x)`, the way back into `name`. */
const storer = (name: string, D: number): string => `
fn store(at: u32, four: u32, x: vec4f) {
  let d = 4u * four;
${[0, 1, 2, 3].map((c) => `  if (d + ${c}u < ${D}u) { ${name}[at + d + ${c}u] = x[${c}]; }`).join("\n")}
}`;

/** WGSL: two tiles, and `main` with the places of its batch row and head, and of its thread's position. */
const program = (D: number, body: string): string => `
const fours = ${foursOf(D)}u;
const tilePositions = ${positionsOfTile(D)}u;
var<workgroup> tileA: array<vec4f, ${positionsOfTile(D) * foursOf(D)}>; // [position, four]
var<workgroup> tileB: array<vec4f, ${positionsOfTile(D) * foursOf(D)}>;

@compute @workgroup_size(${positionsOfGroup})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let batch = group.y / given.heads;
  let head = group.y % given.heads;
  let E = given.heads * ${D}u;
  let queries = batch * given.T * 3u * E + head * ${D}u; // of position 0; one further is 3 E away
  let keys = queries + E;
  let values = keys + E;
  let outs = batch * given.T * E + head * ${D}u; // one further is E away
  let groupStart = group.x * ${positionsOfGroup}u;
  let t = groupStart + thread;
  let mine = min(t, given.T - 1u); // threads past the end help to load, and compute what nobody keeps
${body}
}`;

/** WGSL: fills both tiles from position `start` on, and goes on when they are full. */
const fillTiles = (a: string, b: string): string => `
    for (var slot = thread; slot < tilePositions * fours; slot += ${positionsOfGroup}u) {
      let position = min(start + slot / fours, given.T - 1u);
      let four = slot % fours;
      tileA[slot] = ${a};
      tileB[slot] = ${b};
    }
    workgroupBarrier();`;

const each = (line: string): string => `for (var d = 0u; d < fours; d++) { ${line} }`;
const numbers = { T: "u32", heads: "u32", scale: "f32" } as const;

/** `out = softmax(scale · q Kᵀ) V` and its log-sum-exp, over keys `0 … t`. */
export const attentionProgram = variants(
  (D: number): Program => ({
    name: "causalAttention",
    reads: { qkv: "f32" },
    writes: { out: "f32", logSumExp: "f32" },
    numbers,
    code: `${loader("qkv", D)}${storer("out", D)}${program(
      D,
      `
  var query: array<vec4f, fours>;
  var mixed: array<vec4f, fours>;
  ${each("query[d] = given.scale * qkvAt(queries + mine * 3u * E, d);")}
  var most = ${lowest};
  var sum = 0.0;
  let groupEnd = min(groupStart + ${positionsOfGroup}u, given.T);
  for (var start = 0u; start < groupEnd; start += tilePositions) {
    ${fillTiles("qkvAt(keys + position * 3u * E, four)", "qkvAt(values + position * 3u * E, four)")}
    for (var j = start; j < min(start + tilePositions, mine + 1u); j++) {
      let row = (j - start) * fours;
      var score = 0.0;
      ${each("score += dot(query[d], tileA[row + d]);")}
      if (score > most) {
        let shrink = exp(most - score);
        sum *= shrink;
        ${each("mixed[d] *= shrink;")}
        most = score;
      }
      let weight = exp(score - most);
      sum += weight;
      ${each("mixed[d] += weight * tileB[row + d];")}
    }
    workgroupBarrier();
  }
  if (t < given.T) {
    ${each("store(outs + t * E, d, mixed[d] / sum);")}
    logSumExp[group.y * given.T + t] = most + log(sum);
  }`,
    )}`,
  }),
);

/** `dQ = scale · Σ_j w_j (dOut · v_j − δ) k_j` and `δ = dOut · out`, for each query. */
export const queryGradProgram = variants(
  (D: number): Program => ({
    name: "causalAttentionGradOfQueries",
    reads: { qkv: "f32", dOut: "f32", out: "f32", logSumExp: "f32" },
    writes: { dQkv: "f32", delta: "f32" },
    numbers,
    code: `${loader("qkv", D)}${loader("dOut", D)}${loader("out", D)}${storer("dQkv", D)}${program(
      D,
      `
  var query: array<vec4f, fours>;
  var slope: array<vec4f, fours>;
  var gradient: array<vec4f, fours>;
  var share = 0.0;
  for (var d = 0u; d < fours; d++) {
    query[d] = given.scale * qkvAt(queries + mine * 3u * E, d);
    slope[d] = dOutAt(outs + mine * E, d);
    share += dot(slope[d], outAt(outs + mine * E, d));
  }
  let reduced = logSumExp[group.y * given.T + mine];
  let groupEnd = min(groupStart + ${positionsOfGroup}u, given.T);
  for (var start = 0u; start < groupEnd; start += tilePositions) {
    ${fillTiles("qkvAt(keys + position * 3u * E, four)", "qkvAt(values + position * 3u * E, four)")}
    for (var j = start; j < min(start + tilePositions, mine + 1u); j++) {
      let row = (j - start) * fours;
      var score = 0.0;
      var dWeight = 0.0;
      ${each("score += dot(query[d], tileA[row + d]); dWeight += dot(slope[d], tileB[row + d]);")}
      let dScore = exp(score - reduced) * (dWeight - share);
      ${each("gradient[d] += dScore * tileA[row + d];")}
    }
    workgroupBarrier();
  }
  if (t < given.T) {
    ${each("store(queries + t * 3u * E, d, given.scale * gradient[d]);")}
    delta[group.y * given.T + t] = share;
  }`,
    )}`,
  }),
);

/** `dK = scale · Σ_i w_i (dOut_i · v − δ_i) q_i` and `dV = Σ_i w_i dOut_i`, for each key, over queries `t … T − 1`. */
export const keyGradProgram = variants(
  (D: number): Program => ({
    name: "causalAttentionGradOfKeys",
    reads: { qkv: "f32", dOut: "f32", logSumExp: "f32", delta: "f32" },
    writes: { dQkv: "f32" },
    numbers,
    code: `${loader("qkv", D)}${loader("dOut", D)}${storer("dQkv", D)}${program(
      D,
      `
  var key: array<vec4f, fours>;
  var value: array<vec4f, fours>;
  var dKey: array<vec4f, fours>;
  var dValue: array<vec4f, fours>;
  for (var d = 0u; d < fours; d++) {
    key[d] = given.scale * qkvAt(keys + mine * 3u * E, d);
    value[d] = qkvAt(values + mine * 3u * E, d);
  }
  for (var start = groupStart; start < given.T; start += tilePositions) {
    ${fillTiles("qkvAt(queries + position * 3u * E, four)", "dOutAt(outs + position * E, four)")}
    for (var i = max(start, mine); i < min(start + tilePositions, given.T); i++) {
      let row = (i - start) * fours;
      var score = 0.0;
      var dWeight = 0.0;
      ${each("score += dot(tileA[row + d], key[d]); dWeight += dot(tileB[row + d], value[d]);")}
      let weight = exp(score - logSumExp[group.y * given.T + i]);
      let dScore = weight * (dWeight - delta[group.y * given.T + i]);
      ${each("dKey[d] += dScore * tileA[row + d]; dValue[d] += weight * tileB[row + d];")}
    }
    workgroupBarrier();
  }
  if (t < given.T) {
    for (var d = 0u; d < fours; d++) {
      store(keys + t * 3u * E, d, given.scale * dKey[d]);
      store(values + t * 3u * E, d, dValue[d]);
    }
  }`,
    )}`,
  }),
);
