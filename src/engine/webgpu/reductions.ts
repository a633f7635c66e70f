/**
 * @file WGSL for sums and maxima over a workgroup of one dimension, in two forms: a tree in workgroup memory, which every device can do, and
 * subgroup operations, of whose results workgroup memory holds one a subgroup. In both the order of a sum is fixed by the device.
 */
import type { WebgpuBackend } from "./device.ts";

const devicesWithout = new WeakSet<object>();

/** Whether programs may use subgroup operations: the device was asked for them, and nobody has forbidden them. */
export const hasSubgroups = ({ device }: WebgpuBackend): boolean =>
  device.features.has("subgroups") && !devicesWithout.has(device);

/** Forbids subgroup operations, or allows them again; for comparisons of the two paths. */
export function allowSubgroups({ device }: WebgpuBackend, allowed: boolean): void {
  if (allowed) devicesWithout.delete(device);
  else devicesWithout.add(device);
}

/** The lowest finite float32: compilers may assume that no infinity occurs. */
export const lowest = "-3.4028234e38f";

/** `main`'s arguments that the functions below read, through `place`. */
export const placeArguments = (subgroups: boolean): string => `
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,${
    subgroups
      ? `
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) lanes: u32,`
      : ""
  }`;

/** The row that a workgroup is for; see `groupsOf` of `program.ts`. */
export const rowOf = "fn rowOf(group: vec3u, groups: vec3u) -> u32 { return group.x + group.y * groups.x; }";

/**
 * `workgroupSum(x, place)` and `workgroupMax(x, place)` over `size` threads, a power of two. All threads must call them together; all
 * get the result. `place` is `placeOf(...)` of `main`'s arguments, here `${place(subgroups)}`.
 */
export function reductions(size: number, subgroups: boolean): string {
  return subgroups ? withSubgroups(size) : tree(size);
}

/** What `main` passes to the reductions. */
export const place = (subgroups: boolean): string => (subgroups ? "Place(thread, lane, lanes)" : "Place(thread)");

const tree = (size: number): string => {
  const reduction = (name: string, combine: string): string => `
fn ${name}(x: f32, place: Place) -> f32 {
  partial[place.thread] = x;
  for (var half = ${size / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (place.thread < half) {
      let a = partial[place.thread];
      let b = partial[place.thread + half];
      partial[place.thread] = ${combine};
    }
  }
  workgroupBarrier();
  let result = partial[0];
  workgroupBarrier();
  return result;
}`;
  return `
struct Place { thread: u32 }
var<workgroup> partial: array<f32, ${size}>;
${reduction("workgroupSum", "a + b")}
${reduction("workgroupMax", "max(a, b)")}`;
};

const withSubgroups = (size: number): string => {
  const reduction = (name: string, own: string, combine: string): string => `
fn ${name}(x: f32, place: Place) -> f32 {
  let mine = ${own}(x);
  if (place.lane == 0u) { partial[place.thread / place.lanes] = mine; }
  workgroupBarrier();
  var result = partial[0];
  for (var i = 1u; i < (${size}u + place.lanes - 1u) / place.lanes; i++) {
    let a = result;
    let b = partial[i];
    result = ${combine};
  }
  workgroupBarrier();
  return result;
}`;
  return `
struct Place { thread: u32, lane: u32, lanes: u32 }
var<workgroup> partial: array<f32, ${size}>;
${reduction("workgroupSum", "subgroupAdd", "a + b")}
${reduction("workgroupMax", "subgroupMax", "max(a, b)")}`;
};
