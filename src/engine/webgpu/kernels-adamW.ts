/**
 * @file AdamW in place (`ops/adamW.ts`), several parameters a program, as many as the device lets one see. The gradients' norm never leaves
 * the device: its last program writes what the updates need to know of it, and where it is not finite they change nothing.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { AdamWSettings } from "../ops/adamW.ts";
import type { WebgpuBackend } from "./device.ts";
import { type Program, run, variants } from "./program.ts";
import { hasSubgroups, place, placeArguments, reductions } from "./reductions.ts";
import { areWhole, newFloats, sizeOf, type Tensors, type WebgpuKernel } from "./tensors.ts";

const threads = 256;
/** Workgroups that share one gradient's sum of squares at most. */
const mostParts = 64;
/** More parameters in a program would make its text long and its compilation slow. */
const mostTogether = 8;

interface Slot {
  readonly p: TensorInfo;
  readonly g: TensorInfo;
  readonly m: TensorInfo;
  readonly v: TensorInfo;
  readonly size: number;
  readonly weightDecay: number;
}

const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const named = <T>(n: number, entry: (i: number) => readonly [string, T]): Record<string, T> =>
  Object.fromEntries(indices(n).map(entry));

/** WGSL: `nameOf(i)`, what is given under `name0`, `name1`, … for workgroup row i. */
const chosen = (name: string, n: number, type: string): string => `
fn ${name}Of(which: u32) -> ${type} {
  switch which {
${indices(n)
  .map((i) => `    ${i === n - 1 ? "default" : `case ${i}u`}: { return given.${name}${i}; }`)
  .join("\n")}
  }
}`;

/** `parts[first + x] = Σ g²` over every so manieth number of a gradient; a workgroup row for each gradient. */
const squaresProgram = variants(
  (n: number, subgroups: boolean): Program => ({
    name: "adamWSquares",
    reads: named(n, (i) => [`g${i}`, "f32"]),
    writes: { parts: "f32" },
    numbers: { ...named(n, (i) => [`size${i}`, "u32"]), ...named(n, (i) => [`first${i}`, "u32"]) },
    subgroups,
    code: `${reductions(threads, subgroups)}${chosen("size", n, "u32")}${chosen("first", n, "u32")}
fn gradientAt(which: u32, i: u32) -> f32 {
  switch which {
${indices(n)
  .map((i) => `    ${i === n - 1 ? "default" : `case ${i}u`}: { return g${i}[i]; }`)
  .join("\n")}
  }
}
@compute @workgroup_size(${threads})
fn main(${placeArguments(subgroups)}
) {
  let size = sizeOf(group.y);
  let step = ${threads}u * min(${mostParts}u, (size + ${threads - 1}u) / ${threads}u);
  if (group.x * ${threads}u >= step) { return; }
  var sum = 0.0;
  for (var i = group.x * ${threads}u + thread; i < size; i += step) {
    let x = gradientAt(group.y, i);
    sum += x * x;
  }
  sum = workgroupSum(sum, ${place(subgroups)});
  if (thread == 0u) { parts[firstOf(group.y) + group.x] = sum; }
}`,
  }),
);

/** The norm, and for the updates: `[1 where it is finite else 0, the factor that clips]`. Finite is what has no exponent of ones. */
const normProgram = variants(
  (subgroups: boolean): Program => ({
    name: "adamWNorm",
    reads: { parts: "f32" },
    writes: { norm: "f32", verdict: "f32" },
    numbers: { size: "u32", clipNorm: "f32" },
    subgroups,
    code: `${reductions(threads, subgroups)}
@compute @workgroup_size(${threads})
fn main(${placeArguments(subgroups)}
) {
  var sum = 0.0;
  for (var i = thread; i < given.size; i += ${threads}u) { sum += parts[i]; }
  sum = workgroupSum(sum, ${place(subgroups)});
  if (thread == 0u) {
    norm[0] = sqrt(sum);
    verdict[0] = select(0.0, 1.0, (bitcast<u32>(sum) & 0x7f800000u) != 0x7f800000u);
    verdict[1] = select(1.0, min(1.0, given.clipNorm / (norm[0] + 1e-6)), given.clipNorm > 0.0);
  }
}`,
  }),
);

/** `ops/adamW.ts`, a workgroup row for each parameter. */
const updateProgram = variants(
  (n: number): Program => ({
    name: "adamWUpdate",
    reads: { verdict: "f32", ...named(n, (i) => [`g${i}`, "f32"]) },
    writes: Object.assign({}, ...["p", "m", "v"].map((name) => named(n, (i) => [`${name}${i}`, "f32"]))),
    numbers: {
      ...named(n, (i) => [`size${i}`, "u32"]),
      ...named(n, (i) => [`decay${i}`, "f32"]),
      learningRate: "f32",
      beta1: "f32",
      beta2: "f32",
      rest1: "f32",
      rest2: "f32",
      correction1: "f32",
      correction2: "f32",
      epsilon: "f32",
    },
    code: `${chosen("size", n, "u32")}${chosen("decay", n, "f32")}
// p, m and v of one number after its gradient g.
fn updated(p: f32, m: f32, v: f32, g: f32, decay: f32) -> vec3f {
  let first = given.beta1 * m + given.rest1 * g;
  let second = given.beta2 * v + given.rest2 * g * g;
  let direction = first / given.correction1 / (sqrt(second / given.correction2) + given.epsilon);
  return vec3f(p - given.learningRate * (direction + decay * p), first, second);
}
fn update(which: u32, i: u32, decay: f32) {
  switch which {
${indices(n)
  .map(
    (i) => `    ${i === n - 1 ? "default" : `case ${i}u`}: {
      let x = updated(p${i}[i], m${i}[i], v${i}[i], g${i}[i] * verdict[1], decay);
      p${i}[i] = x[0];
      m${i}[i] = x[1];
      v${i}[i] = x[2];
    }`,
  )
  .join("\n")}
  }
}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  if (verdict[0] == 0.0) { return; }
  let size = sizeOf(group.y);
  let decay = decayOf(group.y);
  for (var i = group.x * ${threads}u + thread; i < size; i += groups.x * ${threads}u) { update(group.y, i, decay); }
}`,
  }),
);

/** Some at a time, the largest first, so that those of a program are of about one size. */
function inGroups(slots: readonly Slot[], most: number): Slot[][] {
  const sorted = [...slots].sort((a, b) => b.size - a.size);
  return indices(Math.ceil(sorted.length / most)).map((i) => sorted.slice(i * most, (i + 1) * most));
}

/** The norm for the caller, and the verdict on it for the updates. */
function normOf(
  backend: WebgpuBackend,
  slots: readonly Slot[],
  clipNorm: number,
): { norm: TensorInfo; verdict: TensorInfo } {
  const subgroups = hasSubgroups(backend);
  const partsOf = ({ size }: Slot): number => Math.min(mostParts, Math.ceil(size / threads));
  const size = slots.reduce((sum, slot) => sum + partsOf(slot), 0);
  const [parts, norm, verdict] = [newFloats(backend, [size]), newFloats(backend, []), newFloats(backend, [2])];
  let first = 0;
  for (const group of inGroups(
    slots,
    Math.min(mostTogether, backend.device.limits.maxStorageBuffersPerShaderStage - 1),
  )) {
    const n = group.length;
    const firsts = group.map((slot) => {
      first += partsOf(slot);
      return first - partsOf(slot);
    });
    const bound = { ...named(n, (i) => [`g${i}`, group[i]!.g]), parts };
    const numbers = { ...named(n, (i) => [`size${i}`, group[i]!.size]), ...named(n, (i) => [`first${i}`, firsts[i]!]) };
    run(backend, squaresProgram(n, subgroups), bound, numbers, [partsOf(group[0]!), n]);
  }
  run(backend, normProgram(subgroups), { parts, norm, verdict }, { size, clipNorm }, [1]);
  backend.disposeData(parts.dataId);
  return { norm, verdict };
}

function updateAll(backend: WebgpuBackend, slots: readonly Slot[], verdict: TensorInfo, settings: AdamWSettings): void {
  const { step, learningRate, beta1, beta2, epsilon } = settings;
  const { maxStorageBuffersPerShaderStage, maxComputeWorkgroupsPerDimension } = backend.device.limits;
  const shared = {
    ...{ learningRate, beta1, beta2, epsilon, rest1: 1 - beta1, rest2: 1 - beta2 },
    ...{ correction1: 1 - beta1 ** step, correction2: 1 - beta2 ** step },
  };
  const together = Math.min(mostTogether, Math.floor((maxStorageBuffersPerShaderStage - 1) / 4));
  for (const group of inGroups(slots, together)) {
    const n = group.length;
    const names = ["p", "g", "m", "v"] as const;
    const bound = Object.assign({ verdict }, ...names.map((name) => named(n, (i) => [`${name}${i}`, group[i]![name]])));
    const numbers = {
      ...shared,
      ...named(n, (i) => [`size${i}`, group[i]!.size]),
      ...named(n, (i) => [`decay${i}`, group[i]!.weightDecay]),
    };
    const groups = Math.min(maxComputeWorkgroupsPerDimension, Math.ceil(group[0]!.size / threads));
    run(backend, updateProgram(n), bound, numbers, [groups, n]);
  }
}

function slotsOf(inputs: Tensors, count: number, weightDecay: readonly number[]): Slot[] {
  return indices(count).map((i) => {
    const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => inputs[`${name}${i}`]!) as [
      TensorInfo,
      TensorInfo,
      TensorInfo,
      TensorInfo,
    ];
    return { p, g, m, v, size: sizeOf(p.shape), weightDecay: weightDecay[i]! };
  });
}

export const adamW: WebgpuKernel = (backend, inputs, attributes) => {
  const { count, weightDecay, ...settings } = attributes as unknown as AdamWSettings & {
    readonly count: number;
    readonly weightDecay: readonly number[];
  };
  if (count === 0 || !areWhole(backend, Object.values(inputs))) return undefined;
  const slots = slotsOf(inputs, count, weightDecay);
  const { norm, verdict } = normOf(backend, slots, settings.clipNorm);
  updateAll(backend, slots, verdict, settings);
  backend.disposeData(verdict.dataId);
  return norm;
};
