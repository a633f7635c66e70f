/**
 * @file Calls the kernels of the WebAssembly module with typed arrays, argument by argument as `NativeAddon` declares them.
 *
 * Arrays that lie in the module's memory are handed over by address. Others are copied in before the call, and those that
 * the kernel writes are copied out after it.
 */
import type { KernelName, NativeAddon } from "../native/addon.ts";
import type { WasmModule } from "./module.ts";

type Words = Float32Array | Float64Array | Int32Array | Uint16Array | Uint32Array;
type Argument = number | boolean | null | Words | readonly Words[];

/** Which arguments a kernel writes, by position. */
const written: Readonly<Record<KernelName, readonly number[]>> = {
  matmul: [2],
  unary: [2],
  binary: [7],
  softmax: [1],
  reduceRows: [2],
  reduceColumns: [2],
  layerNorm: [3],
  layerNormGrad: [3, 4, 5],
  rmsNorm: [2],
  rmsNormGrad: [3, 4],
  swiglu: [1],
  swigluGrad: [2],
  rotary: [2],
  gelu: [1],
  geluGrad: [2],
  gather: [2],
  scatterAdd: [2],
  dropout: [1],
  attention: [1, 2],
  attentionGrad: [4],
  lstm: [4, 5, 6],
  lstmGrad: [6, 7, 8, 9],
  gru: [4, 5],
  gruGrad: [5, 6, 7, 8],
  linearLogSumExp: [4, 5, 6],
  linearLogSumExpGrad: [8, 9, 10],
  linearCrossEntropy: [6, 7, 8, 9, 10],
  adamW: [0],
  sgd: [0],
  copyStrided: [2],
  linear: [4, 5],
  linearGrad: [4, 5, 6],
  matmulHalves: [2],
  linearHalves: [4, 5],
  toHalves: [1],
  attentionStep: [1, 2, 3],
  blockMaxima: [1],
  scoreSums: [1, 2, 3],
  scoresFrom: [2, 3],
  scoresWithin: [2, 3],
  scoresInRings: [2, 3],
  setRounding: [],
  rounds: [],
};

export type Kernels = Pick<NativeAddon, KernelName>;

/** All kernels of the module, with the face of the native addon. */
export function kernelsOf(module: WasmModule): Kernels {
  const entries = Object.entries(written).map(([name, outputs]) => [name, kernel(module, name, outputs)]);
  return Object.fromEntries(entries) as Kernels;
}

/** Arrays that lie elsewhere, and their copies in the module's memory. */
type Copies = Map<Words, Words>;

function kernel(module: WasmModule, name: string, outputs: readonly number[]): (...args: Argument[]) => number {
  const run = module.exported(name);
  return (...args) => {
    const copies: Copies = new Map();
    try {
      module.argumentBlock.set(args.map((arg) => numberOf(module, arg, copies)));
      const result = run();
      if (copies.size > 0) for (const i of outputs) copyOut(args[i]!, copies);
      return result;
    } finally {
      for (const copy of copies.values()) module.release(bytesOf(copy));
    }
  };
}

/** What the module is told: a number, 1 or 0 for a flag, an address, 0 for null. */
function numberOf(module: WasmModule, arg: Argument, copies: Copies): number {
  if (typeof arg === "number") return arg;
  if (arg === null || typeof arg === "boolean") return Number(arg);
  if (ArrayBuffer.isView(arg)) return module.holds(arg) ? arg.byteOffset : copyIn(module, arg as Words, copies);
  const addresses = arg.map((array) => numberOf(module, array, copies));
  return copyIn(module, Uint32Array.of(addresses.length, ...addresses), copies);
}

function copyIn(module: WasmModule, array: Words, copies: Copies): number {
  const known = copies.get(array);
  if (known) return known.byteOffset;
  const { buffer, byteOffset } = module.allocate(array.byteLength);
  const copy = new (array.constructor as Float32ArrayConstructor)(buffer, byteOffset, array.length);
  copy.set(array);
  copies.set(array, copy);
  return byteOffset;
}

function copyOut(arg: Argument, copies: Copies): void {
  for (const array of [arg].flat() as Words[]) {
    const copy = copies.get(array);
    if (copy) array.set(copy);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Words): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
