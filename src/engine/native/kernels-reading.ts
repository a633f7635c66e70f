/** @file Kernels for texts that are read token by token: attention over kept keys and values, matrices kept as bfloat16. */
import type { NativeBackend } from "./backend.ts";
import { floatInput, type NativeKernel, shapeOf, type Tensors, viewAs } from "./kernel.ts";

/** From so many new positions on, a text's beginning is read by the kernel that tiles queries and keys. */
const tiledFrom = 8;

/** An array that the kernel writes to where it lies: no converted copy. */
function cacheArray(backend: NativeBackend, name: string, x: Tensors[string] | undefined, size: number): Float32Array {
  const values = floatInput(backend, `SoftboxCachedAttention ${name}`, x, size);
  if (values !== backend.valuesOf(x!)) throw new TypeError(`SoftboxCachedAttention ${name}: its data are integers`);
  return values;
}

/** Writes into the memory of `keys` and `values`, which its outputs share. */
const cachedAttention: NativeKernel = (backend, { qkv, keys, values }, attributes) => {
  const where = "SoftboxCachedAttention";
  const [B, H, C, D] = shapeOf(`${where} keys`, keys, 4) as [number, number, number, number];
  const [, T] = shapeOf(`${where} qkv`, qkv, 3) as [number, number, number];
  const start = attributes.start as number;
  if (!Number.isInteger(start) || start < 0 || start + T > C)
    throw new RangeError(`${where}: ${start} + ${T} positions do not fit ${C}`);
  const input = floatInput(backend, `${where} qkv`, qkv, B * T * 3 * H * D);
  const kept = [keys, values].map((x, i) => cacheArray(backend, i ? "values" : "keys", x, B * H * C * D));
  const out = backend.newFloats([B, T, H * D]);
  const tiled = start === 0 && T >= tiledFrom;
  if (tiled) {
    const logSumExp = backend.newFloats([B, H, T]);
    backend.addon.attention(input, out.values, logSumExp.values, B, T, H * D, H);
    backend.disposeData(logSumExp.info.dataId);
  }
  backend.addon.attentionStep(input, kept[0]!, kept[1]!, tiled ? null : out.values, B, T, H, D, start, C);
  return [out.info, viewAs(backend, keys!, keys!.shape), viewAs(backend, values!, values!.shape)];
};

const keepHalves: NativeKernel = (backend, { x }) => {
  const kept = backend.newFloats([]);
  kept.values[0] = backend.addon.rounds();
  if (backend.addon.rounds()) backend.keepHalves(x!, floatInput(backend, "SoftboxKeepHalves x", x));
  return kept.info;
};

export const readingKernels: Readonly<Record<string, NativeKernel>> = {
  SoftboxCachedAttention: cachedAttention,
  SoftboxKeepHalves: keepHalves,
};
