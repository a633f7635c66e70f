/**
 * @file Layer norm and its kin without the mean (`ops/layerNorm.ts`, `ops/rmsNorm.ts`): a workgroup for each row, forward and backward; the
 * gradients of gain and bias are sums over rows of what the backward pass has left of each.
 */
import type { TensorInfo } from "@tensorflow/tfjs";
import { columnSumsOf, runColumnSums } from "./columnSums.ts";
import type { WebgpuBackend } from "./device.ts";
import { groupsOf, type Program, run, variants } from "./program.ts";
import { hasSubgroups, place, placeArguments, reductions, rowOf } from "./reductions.ts";
import { areWhole, newFloats, type WebgpuKernel } from "./tensors.ts";

const threads = 64;
const numbers = { N: "u32", E: "u32", epsilon: "f32" } as const;

/** WGSL: `main` for the row at `first`, with `mean` and `inverse = 1 / √(variance + ε)`; without centring the mean is 0. */
const onRows = (isCentred: boolean, subgroups: boolean, body: string): string => `
${reductions(threads, subgroups)}
${rowOf}
@compute @workgroup_size(${threads})
fn main(${placeArguments(subgroups)}
) {
  let row = rowOf(group, groups);
  if (row >= given.N) { return; }
  let place = ${place(subgroups)};
  let first = row * given.E;
  var mean = 0.0;
  ${
    isCentred
      ? `for (var e = thread; e < given.E; e += ${threads}u) { mean += x[first + e]; }
  mean = workgroupSum(mean, place) / f32(given.E);`
      : ""
  }
  var squares = 0.0;
  for (var e = thread; e < given.E; e += ${threads}u) {
    let centred = x[first + e] - mean;
    squares += centred * centred;
  }
  let inverse = 1.0 / sqrt(workgroupSum(squares, place) / f32(given.E) + given.epsilon);
${body}
}`;

const forwardProgram = variants(
  (isCentred: boolean, subgroups: boolean): Program => ({
    name: isCentred ? "layerNorm" : "rmsNorm",
    reads: { x: "f32", gain: "f32", ...(isCentred && { bias: "f32" }) },
    writes: { y: "f32" },
    numbers,
    subgroups,
    code: onRows(
      isCentred,
      subgroups,
      `  for (var e = thread; e < given.E; e += ${threads}u) {
    y[first + e] = (x[first + e] - mean) * inverse * gain[e]${isCentred ? " + bias[e]" : ""};
  }`,
    ),
  }),
);

/**
 * With `s` the standardised row and `g = dy · gain`: `dx = inverse (g − mean(g) − s · mean(g s))`, where only a centred norm has `mean(g)`.
 * `moments` keeps mean and inverse of each row.
 */
const gradProgram = variants(
  (isCentred: boolean, subgroups: boolean): Program => ({
    name: isCentred ? "layerNormGrad" : "rmsNormGrad",
    reads: { dy: "f32", x: "f32", gain: "f32" },
    writes: { dx: "f32", moments: "f32" },
    numbers,
    subgroups,
    code: onRows(
      isCentred,
      subgroups,
      `  var across = 0.0;
  var along = 0.0;
  for (var e = thread; e < given.E; e += ${threads}u) {
    let scaled = dy[first + e] * gain[e];
    across += scaled;
    along += scaled * (x[first + e] - mean) * inverse;
  }
  ${isCentred ? "across = workgroupSum(across, place) / f32(given.E);" : "across = 0.0;"}
  along = workgroupSum(along, place) / f32(given.E);
  for (var e = thread; e < given.E; e += ${threads}u) {
    let standard = (x[first + e] - mean) * inverse;
    dx[first + e] = inverse * (dy[first + e] * gain[e] - across - standard * along);
  }
  if (thread == 0u) {
    moments[2u * row] = mean;
    moments[2u * row + 1u] = inverse;
  }`,
    ),
  }),
);

const standard = "(x[i] - moments[2u * row]) * moments[2u * row + 1u]";
const reads = { dy: "f32", x: "f32", moments: "f32" } as const;
const gainSums = columnSumsOf("rmsNormGain", reads, { dGain: `dy[i] * ${standard}` });
const gainAndBiasSums = columnSumsOf("layerNormGain", reads, { dGain: `dy[i] * ${standard}`, dBias: "dy[i]" });

const sizesOf = ({ shape }: TensorInfo): readonly [N: number, E: number] => shape as [number, number];

const normalise: WebgpuKernel = (backend, inputs, { epsilon }) => {
  if (!areWhole(backend, Object.values(inputs))) return undefined;
  const { x, bias } = inputs;
  const [N, E] = sizesOf(x!);
  const y = newFloats(backend, x!.shape);
  const program = forwardProgram(bias !== undefined, hasSubgroups(backend));
  run(backend, program, { ...inputs, y }, { N, E, epsilon: epsilon as number }, groupsOf(backend, N));
  return y;
};

/** The gradients of rows, gains and, where there is one, bias. */
function gradients(
  backend: WebgpuBackend,
  inputs: Readonly<Record<"dy" | "x" | "gain", TensorInfo>>,
  isCentred: boolean,
  epsilon: number,
): TensorInfo[] {
  const { dy, x, gain } = inputs;
  const [N, E] = sizesOf(x);
  const [dx, moments, dGain] = [[N, E], [N, 2], [E]].map((shape) => newFloats(backend, shape)) as [
    TensorInfo,
    TensorInfo,
    TensorInfo,
  ];
  const program = gradProgram(isCentred, hasSubgroups(backend));
  run(backend, program, { dy, x, gain, dx, moments }, { N, E, epsilon }, groupsOf(backend, N));
  const dBias = isCentred ? newFloats(backend, [E]) : undefined;
  const bound = { dy, x, moments, dGain, ...(dBias && { dBias }) };
  runColumnSums(backend, isCentred ? gainAndBiasSums : gainSums, bound, [N, E]);
  backend.disposeData(moments.dataId);
  return [dx, dGain, ...(dBias ? [dBias] : [])];
}

const gradOf =
  (isCentred: boolean): WebgpuKernel =>
  (backend, inputs, { epsilon }) =>
    areWhole(backend, Object.values(inputs))
      ? gradients(backend, inputs as Parameters<typeof gradients>[1], isCentred, epsilon as number)
      : undefined;

export const normKernels: Readonly<Record<string, WebgpuKernel>> = {
  SoftboxLayerNorm: normalise,
  SoftboxLayerNormGrad: gradOf(true),
  SoftboxRmsNorm: normalise,
  SoftboxRmsNormGrad: gradOf(false),
};
