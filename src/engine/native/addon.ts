/**
 * @file Loads the compiled C++ engine and says what is wrong where it cannot.
 *
 * Knows where the file lies and how it is compiled; knows neither tensors nor tfjs. The functions of the addon trust
 * their arguments: callers check types and sizes first.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SandboxError } from "../errors.ts";
import { packageRoot } from "../packageRoot.ts";
import type { ScorePasses } from "../scorePasses.ts";
import type { LayersAddon } from "./layersAddon.ts";
import type { ReadingAddon } from "./readingAddon.ts";
import type { RecurrentAddon } from "./recurrentAddon.ts";
import type { VocabularyAddon } from "./vocabularyAddon.ts";

export type InstructionSet = "portable" | "avx2" | "avx512" | "avx512bf16" | "amx" | "amxEmulated" | "simd128";
/** What the inputs of matrix products are rounded to; sums and everything else are float32. */
export type Precision = "float32" | "bfloat16";

/** The native functions, argument by argument as native/binding.cc reads them. Sizes are in elements. */
export interface NativeAddon extends LayersAddon, ReadingAddon, RecurrentAddon, ScorePasses, VocabularyAddon {
  matmul(
    a: Float32Array,
    b: Float32Array,
    c: Float32Array,
    m: number,
    n: number,
    k: number,
    transposeA: boolean,
    transposeB: boolean,
    bias: Float32Array | null,
    activation: number,
    batch: number,
    strideA: number,
    strideB: number,
  ): void;
  /** `y = x · kernel + bias`; with `slope`, y is its GELU, whose derivative is kept there; then `+ residual`. */
  linear(
    x: Float32Array,
    kernel: Float32Array,
    bias: Float32Array | null,
    residual: Float32Array | null,
    slope: Float32Array | null,
    y: Float32Array,
    rows: number,
    inputs: number,
    outputs: number,
  ): void;
  linearGrad(
    dy: Float32Array,
    x: Float32Array,
    kernel: Float32Array,
    slope: Float32Array | null,
    dx: Float32Array,
    dKernel: Float32Array,
    dBias: Float32Array | null,
    rows: number,
    inputs: number,
    outputs: number,
  ): void;
  unary(operation: number, x: Float32Array, y: Float32Array, n: number): void;
  binary(
    operation: number,
    a: Float32Array,
    aRowStride: number,
    aColumnStride: number,
    b: Float32Array,
    bRowStride: number,
    bColumnStride: number,
    y: Float32Array,
    rows: number,
    columns: number,
  ): void;
  softmax(x: Float32Array, y: Float32Array, rows: number, columns: number, logarithm: boolean): void;
  reduceRows(operation: number, x: Float32Array, y: Float32Array, rows: number, columns: number): void;
  reduceColumns(operation: number, x: Float32Array, y: Float32Array, rows: number, columns: number): void;
  layerNorm(
    x: Float32Array,
    gain: Float32Array,
    bias: Float32Array,
    y: Float32Array,
    rows: number,
    columns: number,
    epsilon: number,
  ): void;
  layerNormGrad(
    dy: Float32Array,
    x: Float32Array,
    gain: Float32Array,
    dx: Float32Array,
    dgain: Float32Array,
    dbias: Float32Array,
    rows: number,
    columns: number,
    epsilon: number,
  ): void;
  gelu(x: Float32Array, y: Float32Array, n: number): void;
  geluGrad(dy: Float32Array, x: Float32Array, dx: Float32Array, n: number): void;
  gather(table: Float32Array, ids: Int32Array, y: Float32Array, n: number, columns: number): void;
  /** @param clear - the table starts at 0; otherwise from what it holds. */
  scatterAdd(
    dy: Float32Array,
    ids: Int32Array,
    table: Float32Array,
    n: number,
    rows: number,
    columns: number,
    clear: boolean,
  ): void;
  dropout(x: Float32Array, y: Float32Array, n: number, rate: number, key0: number, key1: number): void;
  attention(
    qkv: Float32Array,
    out: Float32Array,
    logSumExp: Float32Array,
    batch: number,
    time: number,
    embed: number,
    heads: number,
  ): void;
  attentionGrad(
    dOut: Float32Array,
    qkv: Float32Array,
    out: Float32Array,
    logSumExp: Float32Array,
    dqkv: Float32Array,
    batch: number,
    time: number,
    embed: number,
    heads: number,
  ): void;
  /** `arrays` holds all p, then all g, m and v. Returns the global gradient norm. */
  adamW(
    arrays: readonly Float32Array[],
    sizes: Float64Array,
    weightDecay: Float64Array,
    step: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    clipNorm: number,
  ): number;
  /** `arrays` holds all p, then all g, and where there are any all averages. Returns the global gradient norm. */
  sgd(
    arrays: readonly Float32Array[],
    sizes: Float64Array,
    weightDecay: Float64Array,
    count: number,
    learningRate: number,
    clipNorm: number,
    share: number,
  ): number;
  /** Copies 4-byte items; `layout` holds the shape, the strides of `from` and those of `to`. */
  copyStrided(
    from: Float32Array | Int32Array,
    fromOffset: number,
    to: Float32Array | Int32Array,
    toOffset: number,
    layout: Float64Array,
    rank: number,
  ): void;
  /** Aligned memory that is not zeroed. */
  allocate(bytes: number): ArrayBuffer;
  /** Whether matrix products round their inputs to bfloat16. Holds for the whole process. */
  setRounding(rounds: boolean): void;
  /** 1 where they do. */
  rounds(): number;
  setThreads(threads: number): void;
  threads(): number;
  instructionSet(): InstructionSet;
  instructionSets(): InstructionSet[];
  /** Throws a RangeError where this CPU lacks it. Holds for the whole process. */
  setInstructionSet(name: InstructionSet): void;
}

type Management = "allocate" | "setThreads" | "threads" | "instructionSet" | "instructionSets" | "setInstructionSet";
/** The functions that compute, by name. */
export type KernelName = Exclude<keyof NativeAddon, Management>;
/** What the tfjs backend asks of an engine; that of src/engine/wasm/ has it too. */
export type Addon = Omit<NativeAddon, "allocate">;

/** native/install.mjs as seen from here. */
interface Installer {
  compileEngine(onLine: (line: string) => void): Promise<{ built: boolean; reason?: string }>;
  isStale(): boolean;
}

export type NativeStatus =
  | {
      readonly usable: true;
      readonly instructions: readonly InstructionSet[];
      readonly chosen: InstructionSet;
      readonly precision: Precision;
      readonly threads: number;
      /** What compiled it, e.g. `g++ (Debian 12.2.0) 12.2.0`. */
      readonly compiler: string;
    }
  | { readonly usable: false; readonly reason: string; readonly hint: string };

const compileHint = "Run `npm run install` in softbox's folder, or choose another engine with --engine.";

let loaded: NativeAddon | undefined;

/**
 * The compiled engine, loaded once.
 *
 * @throws {SandboxError} if it is not compiled, or does not fit this Node, machine or CPU.
 */
export function loadAddon(): NativeAddon {
  loaded ??= loadFrom(addonPath());
  return loaded;
}

/** Chooses what the inputs of matrix products are rounded to, for the whole process. */
export const setPrecision = (precision: Precision): void => loadAddon().setRounding(precision === "bfloat16");

/** What `softbox doctor` shows. Never throws. */
export function nativeStatus(): NativeStatus {
  try {
    const addon = loadAddon();
    return {
      usable: true,
      instructions: addon.instructionSets(),
      chosen: addon.instructionSet(),
      precision: addon.rounds() ? "bfloat16" : "float32",
      threads: addon.threads(),
      compiler: compilerOf(addonPath()),
    };
  } catch (error) {
    const hint = error instanceof SandboxError ? error.hint : undefined;
    return { usable: false, reason: (error as Error).message, hint: hint ?? compileHint };
  }
}

/**
 * Compiles the engine where the install script did not run (newer npm blocks those of dependencies), or ran on other sources than
 * are there now: once.
 *
 * @param onLine - told what goes on.
 * @returns whether there is a compiled engine now.
 */
export async function compileAddon(onLine: (line: string) => void = () => {}): Promise<boolean> {
  const isThere = existsSync(addonPath());
  if (!isThere && existsSync(failurePath())) return false;
  const script = pathToFileURL(join(packageRoot(), "native/install.mjs")).href;
  const { compileEngine, isStale } = (await import(script)) as Installer;
  if (isThere && !isStale()) return true;
  const { built, reason } = await compileEngine(onLine);
  if (reason) onLine(`the native engine is not available: ${reason}`);
  return built;
}

const buildFolder = (): string => process.env.SOFTBOX_NATIVE_BUILD ?? join(packageRoot(), "native/build");
const addonPath = (): string => join(buildFolder(), `softbox-${process.platform}-${process.arch}-napi8.node`);
const failurePath = (): string => join(buildFolder(), "failure.txt");

function compilerOf(path: string): string {
  const stamp = `${path}.stamp`;
  return existsSync(stamp) ? (readFileSync(stamp, "utf8").split("\n")[1] ?? "unknown") : "unknown";
}

function loadFrom(path: string): NativeAddon {
  if (!existsSync(path)) throw new SandboxError(`native engine: not compiled${recordedReason()}`, compileHint);
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(path) as NativeAddon;
  } catch (cause) {
    const reason = (cause as Error).message.split("\n")[0];
    const message = `native engine: ${path} does not fit this Node ${process.version} on ${process.platform} ${process.arch}: ${reason}`;
    throw new SandboxError(message, `Delete native/build and compile anew. ${compileHint}`, { cause });
  }
  chooseInstructions(addon);
  addon.setThreads(defaultThreads());
  return addon;
}

function recordedReason(): string {
  return existsSync(failurePath()) ? `: ${readFileSync(failurePath(), "utf8").trim()}` : "";
}

const defaultThreads = (): number => availableParallelism();

function chooseInstructions(addon: NativeAddon): void {
  const wanted = process.env.SOFTBOX_INSTRUCTIONS;
  if (!wanted) return;
  const available = addon.instructionSets();
  if (!available.includes(wanted as InstructionSet))
    throw new SandboxError(
      `native engine: SOFTBOX_INSTRUCTIONS must be one of ${available.join(", ")} on this CPU, got ${wanted}`,
      "Unset it, and the best set is chosen.",
    );
  addon.setInstructionSet(wanted as InstructionSet);
}
