/**
 * @file Causal attention without its `[T, T]` weights (Dao et al. 2022, arXiv 2205.14135): a workgroup for 16 queries of a head walks over the
 * keys, 16 at a time, with a running maximum and sum. A thread has one pair of query and key, and then 4 (or 8, …) columns of one
 * query's result; heads wider than 64 are walked over in pieces, so that 10 KiB of workgroup memory serve any width.
 *
 * Backward the weights are made anew from the log-sum-exp, twice: for each query over its keys, for each key over its queries. So every
 * sum has one owner and one order, and nothing is added atomically.
 */
import { type Program, variants } from "./program.ts";
import { lowest } from "./reductions.ts";

/** Queries of a workgroup, and keys of a step, or the other way round. */
export const attentionBlock = 16;
const threads = attentionBlock * attentionBlock;
/** Numbers of a head that are in workgroup memory at a time, in fours: one four a thread. */
const foursAtOnce = 16;
/** One more than a row has, so that rows lie in different banks. */
const pitch = foursAtOnce + 1;

/** WGSL: `nameAt(at, d)`, four numbers from d on of the head that begins at `at`; zeros past its end. */
const loader = (name: string, isWhole: boolean): string => `
fn ${name}At(at: u32, d: u32) -> vec4f {
  if (d >= given.D) { return vec4f(); }
  let i = at + d;
  return vec4f(${[0, 1, 2, 3]
    .map((c) => (isWhole ? `${name}[i + ${c}u]` : `select(0.0, ${name}[i + ${c}u], d + ${c}u < given.D)`))
    .join(", ")});
}`;

/** WGSL: `store(at, d, x)`, the way back into `name`. */
const storer = (name: string): string => `
fn store(at: u32, d: u32, x: vec4f) {
${[0, 1, 2, 3].map((c) => `  if (d + ${c}u < given.D) { ${name}[at + d + ${c}u] = x[${c}]; }`).join("\n")}
}`;

/**
 * WGSL: `main`, with the places of its batch row and head, and its thread's part. Of positions there are `own`, the workgroup's 16, and `other`, the 16
 * of a step. A thread has the pair `own[i]`, `other[j]`; it loads, and sums up, four columns from `column` on of row i.
 */
const program = (body: string, pieces: number): string => `
const pieces = ${pieces}u;
var<workgroup> tileA: array<vec4f, ${attentionBlock * pitch}>; // [row, four]
var<workgroup> tileB: array<vec4f, ${attentionBlock * pitch}>;
var<workgroup> weights: array<f32, ${threads}>; // [own, other]
var<workgroup> slopes: array<f32, ${threads}>;

// The dot product of a thread's two rows, as far as they are in the tiles.
fn tileDot(i: u32, j: u32) -> f32 {
  var sum = 0.0;
  for (var f = 0u; f < given.fours; f++) { sum += dot(tileA[i * ${pitch}u + f], tileB[j * ${pitch}u + f]); }
  return sum;
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let batch = group.y / given.heads;
  let head = group.y % given.heads;
  let E = given.heads * given.D;
  let queries = batch * given.T * 3u * E + head * given.D; // of position 0; one further is 3 E away
  let keys = queries + E;
  let values = keys + E;
  let outs = batch * given.T * E + head * given.D; // one further is E away
  let i = thread / ${attentionBlock}u;
  let j = thread % ${attentionBlock}u;
  let column = 4u * j;
  let slot = i * ${pitch}u + j;
  let ownStart = group.x * ${attentionBlock}u;
  let own = ownStart + i;
  let kept = min(own, given.T - 1u); // rows past the end are computed like the last, and not stored
${body}
}`;

/** WGSL: the sum over pieces of a head of the products of rows of two arrays, added to `sum`. */
const pairDot = (sum: string, a: string, b: string): string => `
    for (var piece = 0u; piece < pieces; piece++) {
      let d = piece * ${4 * foursAtOnce}u + column;
      tileA[slot] = ${a};
      tileB[slot] = ${b};
      workgroupBarrier();
      ${sum} += tileDot(i, j);
      workgroupBarrier();
    }`;

/** WGSL: `sum[piece] = shrink · sum[piece] + Σ_j factor[i, j] row_j`, row_j being a step's row of an array. */
const mix = (sum: string, factors: string, rows: string, shrink = ""): string => `
    for (var piece = 0u; piece < pieces; piece++) {
      let d = piece * ${4 * foursAtOnce}u + column;
      tileB[slot] = ${rows};
      workgroupBarrier();
      var added = vec4f();
      for (var o = 0u; o < others; o++) {
        added += ${factors}[i * ${attentionBlock}u + o] * tileB[o * ${pitch}u + j];
      }
      ${sum}[piece] = ${shrink}${sum}[piece] + added;
      workgroupBarrier();
    }`;

const storeAll = (sum: string, at: string, factor = ""): string =>
  `for (var piece = 0u; piece < pieces; piece++) { store(${at}, piece * ${4 * foursAtOnce}u + column, ${factor}${sum}[piece]); }`;

/** How many rows a step has: loops over them are not unrolled, as software adapters would compile those for a minute. */
const others = `let others = min(${attentionBlock}u, given.T - start);`;

const numbers = { T: "u32", heads: "u32", D: "u32", fours: "u32", scale: "f32" } as const;

/** What the programs are given, for texts of T positions and heads of D numbers. */
export const numbersOf = (T: number, heads: number, D: number) => ({
  ...{ T, heads, D, scale: 1 / Math.sqrt(D) },
  /** Fours of a piece that are not past the end of a head. */
  fours: Math.min(foursAtOnce, Math.ceil(D / 4)),
});

/** Which of the programs is for heads of D numbers: how many pieces these have, and whether they are fours without a rest. */
export const formOf = (D: number): [pieces: number, isWhole: boolean] => [Math.ceil(D / 4 / foursAtOnce), D % 4 === 0];

const query = "qkvAt(queries + kept * 3u * E, d)";
const keyOfStep = "qkvAt(keys + min(start + i, given.T - 1u) * 3u * E, d)";
const valueOfStep = "qkvAt(values + min(start + i, given.T - 1u) * 3u * E, d)";

/** `out = softmax(scale · q Kᵀ) V` and its log-sum-exp, over keys `0 … t`. */
export const attentionProgram = variants(
  (pieces: number, isWhole: boolean): Program => ({
    name: "causalAttention",
    reads: { qkv: "f32" },
    writes: { out: "f32", logSumExp: "f32" },
    numbers,
    code: `${loader("qkv", isWhole)}${storer("out")}${program(
      `
  var mixed: array<vec4f, pieces>;
  var most = ${lowest};
  var sum = 0.0;
  for (var start = 0u; start <= ownStart; start += ${attentionBlock}u) {
    ${others}
    var score = 0.0;
    ${pairDot("score", query, keyOfStep)}
    let isPast = start + j <= kept;
    slopes[thread] = select(${lowest}, given.scale * score, isPast);
    workgroupBarrier();
    var next = most;
    for (var o = 0u; o < others; o++) { next = max(next, slopes[i * ${attentionBlock}u + o]); }
    weights[thread] = select(0.0, exp(given.scale * score - next), isPast);
    workgroupBarrier();
    let shrink = exp(most - next);
    most = next;
    sum *= shrink;
    for (var o = 0u; o < others; o++) { sum += weights[i * ${attentionBlock}u + o]; }
    ${mix("mixed", "weights", valueOfStep, "shrink * ")}
  }
  if (own < given.T) {
    let inverse = 1.0 / sum;
    ${storeAll("mixed", "outs + own * E", "inverse * ")}
    if (j == 0u) { logSumExp[group.y * given.T + own] = most + log(sum); }
  }`,
      pieces,
    )}`,
  }),
);

/** `dQ = scale · Σ_j w_j (dOut · v_j − δ) k_j` and `δ = dOut · out`, for each query. */
export const queryGradProgram = variants(
  (pieces: number, isWhole: boolean): Program => ({
    name: "causalAttentionGradOfQueries",
    reads: { qkv: "f32", dOut: "f32", out: "f32", logSumExp: "f32" },
    writes: { dQkv: "f32", delta: "f32" },
    numbers,
    code: `${loader("qkv", isWhole)}${loader("dOut", isWhole)}${loader("out", isWhole)}${storer("dQkv")}${program(
      `
  var gradient: array<vec4f, pieces>;
  var share = 0.0;
  for (var d = column; d < given.D; d += ${4 * foursAtOnce}u) { share += dot(dOutAt(outs + kept * E, d), outAt(outs + kept * E, d)); }
  weights[thread] = share;
  workgroupBarrier();
  share = 0.0;
  for (var o = 0u; o < given.fours; o++) { share += weights[i * ${attentionBlock}u + o]; }
  let reduced = logSumExp[group.y * given.T + kept];
  for (var start = 0u; start <= ownStart; start += ${attentionBlock}u) {
    ${others}
    var score = 0.0;
    var dWeight = 0.0;
    ${pairDot("score", query, keyOfStep)}
    ${pairDot("dWeight", "dOutAt(outs + kept * E, d)", valueOfStep)}
    slopes[thread] = select(0.0, exp(given.scale * score - reduced) * (dWeight - share), start + j <= kept);
    ${mix("gradient", "slopes", keyOfStep)}
  }
  if (own < given.T) {
    ${storeAll("gradient", "queries + own * 3u * E", "given.scale * ")}
    if (j == 0u) { delta[group.y * given.T + own] = share; }
  }`,
      pieces,
    )}`,
  }),
);

/** `dK = scale · Σ_i w_i (dOut_i · v − δ_i) q_i` and `dV = Σ_i w_i dOut_i`, for each key, over queries `t … T − 1`. */
export const keyGradProgram = variants(
  (pieces: number, isWhole: boolean): Program => ({
    name: "causalAttentionGradOfKeys",
    reads: { qkv: "f32", dOut: "f32", logSumExp: "f32", delta: "f32" },
    writes: { dQkv: "f32" },
    numbers,
    code: `${loader("qkv", isWhole)}${loader("dOut", isWhole)}${storer("dQkv")}${program(
      `
  var dKey: array<vec4f, pieces>;
  var dValue: array<vec4f, pieces>;
  for (var start = ownStart; start < given.T; start += ${attentionBlock}u) {
    ${others}
    let later = min(start + j, given.T - 1u);
    var score = 0.0;
    var dWeight = 0.0;
    ${pairDot("score", "qkvAt(keys + kept * 3u * E, d)", "qkvAt(queries + min(start + i, given.T - 1u) * 3u * E, d)")}
    ${pairDot("dWeight", "qkvAt(values + kept * 3u * E, d)", "dOutAt(outs + min(start + i, given.T - 1u) * E, d)")}
    let isLater = start + j < given.T && start + j >= own;
    let weight = select(0.0, exp(given.scale * score - logSumExp[group.y * given.T + later]), isLater);
    weights[thread] = weight;
    slopes[thread] = weight * (dWeight - delta[group.y * given.T + later]);
    ${mix("dKey", "slopes", "qkvAt(queries + min(start + i, given.T - 1u) * 3u * E, d)")}
    ${mix("dValue", "weights", "dOutAt(outs + min(start + i, given.T - 1u) * E, d)")}
  }
  if (own < given.T) {
    ${storeAll("dKey", "keys + own * 3u * E", "given.scale * ")}
    ${storeAll("dValue", "values + own * 3u * E")}
  }`,
      pieces,
    )}`,
  }),
);
