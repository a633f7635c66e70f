/** @file Causal attention by the programs of `attentionPrograms.ts`. */
import type { TensorInfo } from "@tensorflow/tfjs";
import {
  attentionBlock,
  attentionProgram,
  formOf,
  keyGradProgram,
  numbersOf,
  queryGradProgram,
} from "./attentionPrograms.ts";
import type { WebgpuBackend } from "./device.ts";
import { run } from "./program.ts";
import { areWhole, newFloats, type WebgpuKernel } from "./tensors.ts";

interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly E: number;
  readonly H: number;
  readonly D: number;
}

function sizesOf(qkv: TensorInfo, heads: unknown): Sizes {
  const [B, T, width] = qkv.shape as [number, number, number];
  const H = heads as number;
  return { B, T, E: width / 3, H, D: width / 3 / H };
}

/** Whether each head of each text can be a row of workgroups. */
const fits = ({ device }: WebgpuBackend, { B, H }: Sizes): boolean =>
  B * H <= device.limits.maxComputeWorkgroupsPerDimension;

const groupsFor = ({ B, T, H }: Sizes) => [Math.ceil(T / attentionBlock), B * H] as const;

const attention: WebgpuKernel = (backend, { qkv }, { heads }) => {
  const sizes = sizesOf(qkv!, heads);
  if (!areWhole(backend, [qkv!]) || !fits(backend, sizes)) return undefined;
  const { B, T, E, H, D } = sizes;
  const [out, logSumExp] = [newFloats(backend, [B, T, E]), newFloats(backend, [B, H, T])];
  run(backend, attentionProgram(...formOf(D)), { qkv: qkv!, out, logSumExp }, numbersOf(T, H, D), groupsFor(sizes));
  return [out, logSumExp];
};

const attentionGrad: WebgpuKernel = (backend, { dOut, qkv, out, logSumExp }, { heads }) => {
  const sizes = sizesOf(qkv!, heads);
  if (!areWhole(backend, [dOut!, qkv!, out!, logSumExp!]) || !fits(backend, sizes)) return undefined;
  const { B, T, E, H, D } = sizes;
  const [dQkv, delta] = [newFloats(backend, [B, T, 3 * E]), newFloats(backend, [B, H, T])];
  const shared = { qkv: qkv!, dOut: dOut!, logSumExp: logSumExp!, delta, dQkv };
  run(backend, queryGradProgram(...formOf(D)), { ...shared, out: out! }, numbersOf(T, H, D), groupsFor(sizes));
  run(backend, keyGradProgram(...formOf(D)), shared, numbersOf(T, H, D), groupsFor(sizes));
  backend.disposeData(delta.dataId);
  return dQkv;
};

export const attentionKernels: Readonly<Record<string, WebgpuKernel>> = {
  SoftboxCausalAttention: attention,
  SoftboxCausalAttentionGrad: attentionGrad,
};
