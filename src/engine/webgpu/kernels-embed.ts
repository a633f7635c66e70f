/**
 * @file The gradient of rows looked up in a table (`ops/embed.ts`): the first token of an id sums up what all tokens of it bring, in their
 * order. tfjs adds them atomically as they come, so that no two runs agree to the bit.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebgpuBackend } from "./device.ts";
import { eachElement, elementThreads, groupsOf, type Program, run } from "./program.ts";
import { areWhole, newFloats, sizeOf, type WebgpuKernel } from "./tensors.ts";

/** Columns of a workgroup, which is there for one token. */
const columnsOfGroup = 64;

/** `table[ids[n]] += Σ dy[m]` over the tokens m of one id, for the first of them. */
const scatterProgram: Program = {
  name: "embedGrad",
  reads: { dy: "f32", ids: "i32" },
  writes: { table: "f32" },
  numbers: { N: "u32", E: "u32", V: "u32" },
  code: `
var<workgroup> isRepeated: atomic<u32>;

@compute @workgroup_size(${columnsOfGroup})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n = group.y;
  let id = ids[n];
  for (var m = thread; m < n; m += ${columnsOfGroup}u) {
    if (ids[m] == id) { atomicStore(&isRepeated, 1u); }
  }
  workgroupBarrier();
  let column = group.x * ${columnsOfGroup}u + thread;
  if (atomicLoad(&isRepeated) == 1u || column >= given.E || id < 0 || u32(id) >= given.V) { return; }
  var sum = 0.0;
  for (var m = n; m < given.N; m++) {
    if (ids[m] == id) { sum += dy[m * given.E + column]; }
  }
  table[u32(id) * given.E + column] += sum;
}`,
};

const fillProgram: Program = {
  name: "embedGradZeros",
  reads: {},
  writes: { table: "f32" },
  numbers: { size: "u32" },
  code: eachElement("\n    table[i] = 0.0;"),
};

const copyProgram: Program = {
  name: "embedGradCopy",
  reads: { x: "f32" },
  writes: { table: "f32" },
  numbers: { size: "u32" },
  code: eachElement("\n    table[i] = x[i];"),
};

/** Runs a program over each number of a table. */
function overAll(backend: WebgpuBackend, program: Program, bound: { table: TensorInfo; x?: TensorInfo }): void {
  const size = sizeOf(bound.table.shape);
  const { x, table } = bound;
  run(backend, program, { table, ...(x && { x }) }, { size }, groupsOf(backend, Math.ceil(size / elementThreads)));
}

function scatter(backend: WebgpuBackend, dy: TensorInfo, ids: TensorInfo, table: TensorInfo): void {
  const [N, [V, E]] = [ids.shape[0]!, table.shape as [number, number]];
  run(backend, scatterProgram, { dy, ids, table }, { N, E, V }, [Math.ceil(E / columnsOfGroup), N]);
}

/** Whether there are tokens, and no more than workgroups along an axis. */
const fits = (backend: WebgpuBackend, dy: TensorInfo, ids: TensorInfo): boolean =>
  areWhole(backend, [dy, ids]) && ids.shape[0]! <= backend.device.limits.maxComputeWorkgroupsPerDimension;

const embedGrad: WebgpuKernel = (backend, { dy, ids }, { vocabSize }) => {
  if (!fits(backend, dy!, ids!)) return undefined;
  const table = newFloats(backend, [vocabSize as number, dy!.shape[1]!]);
  overAll(backend, fillProgram, { table });
  scatter(backend, dy!, ids!, table);
  return table;
};

const embedTiedGrad: WebgpuKernel = (backend, { dRows, dTable, ids }, { overwrite }) => {
  if (!fits(backend, dRows!, ids!) || !areWhole(backend, [dTable!])) return undefined;
  const table = overwrite === 1 ? reused(backend, dTable!) : undefined;
  const sum = table ?? newFloats(backend, dTable!.shape);
  if (!table) overAll(backend, copyProgram, { x: dTable!, table: sum });
  scatter(backend, dRows!, ids!, sum);
  return sum;
};

/** A tensor in the memory of one that nobody reads again, if nothing else shares it. */
function reused(backend: WebgpuBackend, { dataId, shape, dtype }: TensorInfo): TensorInfo | undefined {
  if (backend.tensorMap.get(dataId).refCount !== 1) return undefined;
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}

export const embedKernels: Readonly<Record<string, WebgpuKernel>> = {
  SoftboxEmbedGrad: embedGrad,
  SoftboxEmbedTiedGrad: embedTiedGrad,
};
