/**
 * @file A compute program of our own on the device of tfjs's WebGPU backend: declared by names, compiled once, recorded in the order of
 * the backend's own programs. Unlike those it may write several tensors, or one in place.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { ComputeDevice, GpuBuffer, Pipeline, WebgpuBackend } from "./device.ts";

type ElementType = "f32" | "i32";

/** What a program is given by name, and its WGSL. */
export interface Program {
  readonly name: string;
  /** Tensors that it reads: `var<storage, read> name: array<type>`. */
  readonly reads: Readonly<Record<string, ElementType>>;
  /** Tensors that it writes, and may read: `var<storage, read_write> name: array<type>`. */
  readonly writes: Readonly<Record<string, ElementType>>;
  /** Numbers, read as `given.name`. */
  readonly numbers: Readonly<Record<string, "u32" | "f32">>;
  /** WGSL: `main` and what it calls. */
  readonly code: string;
  /** Subgroup operations are used. */
  readonly subgroups?: boolean;
}

/** A stretch of a tensor's numbers, where a program is to see no more of it. */
export interface Stretch {
  readonly tensor: TensorInfo;
  /** In numbers; a multiple of 64, as the device wants 256 bytes. */
  readonly start: number;
  readonly count: number;
}

export type Bound = TensorInfo | Stretch;

/** Bits of `GPUBufferUsage`. */
const usage = { copyTo: 0x8, uniform: 0x40 };

const bytesPerNumber = 4;

/**
 * Records a program.
 *
 * @param bound - a tensor, or a stretch of one, for every name that the program reads or writes. None may be empty.
 * @param groups - workgroups along x, y and z, each at most 65,535.
 */
export function run(
  backend: WebgpuBackend,
  program: Program,
  bound: Readonly<Record<string, Bound>>,
  numbers: Readonly<Record<string, number>>,
  [x, y = 1, z = 1]: readonly [x: number, y?: number, z?: number],
): void {
  const names = [...Object.keys(program.reads), ...Object.keys(program.writes)];
  const entries = names.map((name, binding) => ({ binding, resource: bindingOf(backend, program, name, bound[name]) }));
  const uniforms = uniformsOf(backend, program, numbers);
  if (uniforms) entries.push({ binding: entries.length, resource: { buffer: uniforms } });
  const pipeline = pipelineOf(backend.device, program);
  const group = backend.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  backend.ensureCommandEncoderReady();
  backend.computePassEncoder ??= backend.commandEncoder.beginComputePass();
  backend.computePassEncoder.setPipeline(pipeline);
  backend.computePassEncoder.setBindGroup(0, group);
  backend.computePassEncoder.dispatchWorkgroups(x, y, z);
  if (++backend.dispatchCountInPass < dispatchesPerSubmission) return;
  backend.endComputePassEncoder();
  backend.submitQueue();
}

/** As many as tfjs submits at a time (its flag `WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE`). */
const dispatchesPerSubmission = 15;

function bindingOf(backend: WebgpuBackend, { name: program, writes }: Program, name: string, bound: Bound | undefined) {
  if (!bound) throw new TypeError(`${program}: nothing is bound to ${name}`);
  const tensor = "tensor" in bound ? bound.tensor : bound;
  backend.uploadToGPU(tensor.dataId);
  backend.commandQueueOwnedIds.add(tensor.dataId);
  const data = backend.tensorMap.get(tensor.dataId);
  if (name in writes) data.values = null; // what JavaScript has read of it is no longer true
  const buffer = data.resource!;
  if (!("tensor" in bound)) return { buffer };
  return { buffer, offset: bound.start * bytesPerNumber, size: bound.count * bytesPerNumber };
}

/** Numbers in a buffer that the backend takes back once the program is submitted. */
function uniformsOf(backend: WebgpuBackend, program: Program, numbers: Readonly<Record<string, number>>) {
  const declared = Object.entries(program.numbers);
  if (declared.length === 0) return undefined;
  const size = Math.ceil((declared.length * bytesPerNumber) / 16) * 16; // few sizes, so that buffers are reused
  const view = new DataView(new ArrayBuffer(size));
  for (const [i, [name, type]] of declared.entries()) {
    const value = numbers[name];
    if (value === undefined) throw new TypeError(`${program.name}: the number ${name} is missing`);
    if (type === "u32") view.setUint32(i * bytesPerNumber, value, true);
    else view.setFloat32(i * bytesPerNumber, value, true);
  }
  const buffer = backend.bufferManager.acquireBuffer(size, usage.copyTo | usage.uniform);
  backend.queue.writeBuffer(buffer, 0, view.buffer);
  backend.uniformPendingDisposal.push(buffer);
  return buffer satisfies GpuBuffer;
}

const pipelines = new WeakMap<ComputeDevice, WeakMap<Program, Pipeline>>();

function pipelineOf(device: ComputeDevice, program: Program): Pipeline {
  const known = pipelines.get(device) ?? new WeakMap<Program, Pipeline>();
  pipelines.set(device, known);
  const compiled = known.get(program) ?? compile(device, program);
  known.set(program, compiled);
  return compiled;
}

function compile(device: ComputeDevice, program: Program): Pipeline {
  const module = device.createShaderModule({ label: program.name, code: wgslOf(program) });
  return device.createComputePipeline({
    label: program.name,
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
}

/** The whole text of a program: its declarations, then its code. */
export function wgslOf({ reads, writes, numbers, code, subgroups }: Program): string {
  const binding = (name: string, access: string, type: string): string =>
    `var<storage, ${access}> ${name}: array<${type}>;`;
  const declarations = [
    ...Object.entries(reads).map(([name, type]) => binding(name, "read", type)),
    ...Object.entries(writes).map(([name, type]) => binding(name, "read_write", type)),
    ...(Object.keys(numbers).length > 0 ? ["var<uniform> given: Given;"] : []),
  ];
  const fields = Object.entries(numbers).map(([name, type]) => `  ${name}: ${type},`);
  return [
    ...(subgroups ? ["enable subgroups;"] : []),
    ...(fields.length > 0 ? ["struct Given {", ...fields, "}"] : []),
    ...declarations.map((text, i) => `@group(0) @binding(${i}) ${text}`),
    code,
  ].join("\n");
}

/** One program for each choice of arguments, made when first asked for. */
export function variants<A extends readonly (string | number | boolean)[]>(
  make: (...choice: A) => Program,
): (...choice: A) => Program {
  const made = new Map<string, Program>();
  return (...choice) => {
    const key = choice.join(" ");
    const program = made.get(key) ?? make(...choice);
    made.set(key, program);
    return program;
  };
}

/** Threads of a workgroup of `eachElement`. */
export const elementThreads = 256;

/** WGSL for a program that does the same for each `i` below `given.size`, a thread each; `groupsOf(backend, ⌈size / 256⌉)` start it. */
export const eachElement = (body: string): string => `
@compute @workgroup_size(${elementThreads})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.x + group.y * groups.x) * ${elementThreads}u + thread;
  if (i < given.size) {${body}
  }
}`;

/**
 * Workgroups for `count` rows, one each, where x alone might not reach.
 * WGSL finds its row by `rowOf` (`reductions.ts`) and does nothing past the last.
 */
export function groupsOf(backend: WebgpuBackend, count: number): readonly [x: number, y: number] {
  const x = Math.min(count, backend.device.limits.maxComputeWorkgroupsPerDimension);
  return [x, Math.ceil(count / x)];
}
