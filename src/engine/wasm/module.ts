/**
 * @file The WebAssembly module of the kernels (native/wasm/softbox.wasm) and its memory.
 *
 * One module, memory and set of threads for each JavaScript thread that asks. The memory is shared, because growing such
 * a memory leaves the arrays that lie in it valid, and because the pool's threads (native/wasm/worker.mjs) work on it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { SandboxError } from "../errors.ts";
import { packageRoot } from "../packageRoot.ts";

/** 64 KiB pages: 4 GiB less one, as native/wasm/build.mjs says. */
const maximumPages = 65535;
const initialPages = 1024;
const stackBytes = 2 ** 20;

export interface WasmModule {
  /** A kernel; it reads its arguments from `argumentBlock`. */
  exported(name: string): () => number;
  readonly argumentBlock: Float64Array;
  /** Whether an array lies in the module's memory. */
  holds(array: ArrayBufferView): boolean;
  /**
   * A block of the memory, 64-byte aligned, of arbitrary contents.
   *
   * @throws {SandboxError} where the memory is used up.
   */
  allocate(bytes: number): Uint8Array;
  release(block: Uint8Array): void;
  /** How many threads take part; new ones join when they have started. */
  setThreads(threads: number): void;
  threads(): number;
}

/** The module's functions, as native/wasm/wasm.cc and pool.cc export them. */
interface Exports {
  argumentBlock(): number;
  allocate(bytes: number): number;
  release(address: number): void;
  setThreads(threads: number): void;
  threads(): number;
  readonly __stack_pointer: WebAssembly.Global;
  readonly __tls_size: WebAssembly.Global;
}

const folder = (): string => join(packageRoot(), "native/wasm");

/** The compiled module; its custom section `sources` says what it was made from. */
export function compileModule(): WebAssembly.Module {
  const path = join(folder(), "softbox.wasm");
  try {
    return new WebAssembly.Module(readFileSync(path));
  } catch (cause) {
    const message = `wasm engine: ${path} cannot be loaded: ${(cause as Error).message}`;
    throw new SandboxError(message, "It is part of softbox; `npm run wasm` builds it anew (clang and lld).", { cause });
  }
}

function memoryUsedUp(bytes: number): SandboxError {
  return new SandboxError(
    `wasm engine: its memory of 4 GiB is used up; ${Math.ceil(bytes / 2 ** 20)} MiB more are needed`,
    "Take a smaller batch, context or model, or the native engine, which knows no such limit.",
  );
}

function createMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages, shared: true });
  } catch (cause) {
    const hint = "It reserves 4 GiB of addresses, not of memory: raise the limit (ulimit -v), or take --engine cpu.";
    throw new SandboxError(`wasm engine: no address space: ${(cause as Error).message}`, hint, { cause });
  }
}

/** Instantiates the module on a memory of its own, with one thread. */
export function createModule(): WasmModule {
  const compiled = compileModule();
  const memory = createMemory();
  const outOfMemory = (bytes: number): never => {
    throw memoryUsedUp(bytes);
  };
  const { exp, log, pow } = Math;
  const imports = { env: { memory }, softbox: { exp, log, pow, outOfMemory } };
  const exports = new WebAssembly.Instance(compiled, imports).exports as unknown as Exports;
  const { holds, viewOf } = createViews(memory);
  const allocate = (bytes: number): Uint8Array => {
    const address = exports.allocate(bytes) >>> 0;
    if (address === 0) throw memoryUsedUp(bytes);
    return viewOf(address, bytes);
  };
  const startThread = createThreads(compiled, memory, exports, allocate);
  return {
    exported: (name) => restoringStack(exports, name),
    argumentBlock: new Float64Array(memory.buffer, exports.argumentBlock(), 32),
    holds,
    allocate,
    release: (block) => exports.release(block.byteOffset),
    setThreads: (threads) => {
      for (let index = 1; index < threads; index++) startThread(index);
      exports.setThreads(threads);
    },
    threads: () => exports.threads(),
  };
}

/** Growing makes a new buffer over the same memory; views of the old ones stay valid. */
function createViews(memory: WebAssembly.Memory) {
  let latest = memory.buffer as ArrayBufferLike;
  const all = new WeakSet([latest]);
  const refresh = (): void => {
    memory.grow(0); // a thread may have grown it: this brings `buffer` up to date
    latest = memory.buffer;
    all.add(latest);
  };
  return {
    holds: ({ buffer }: ArrayBufferView): boolean => buffer === latest || all.has(buffer),
    viewOf: (address: number, bytes: number): Uint8Array => {
      if (address + bytes > latest.byteLength) refresh();
      return new Uint8Array(latest, address, bytes);
    },
  };
}

/** An export that leaves the module's stack as it was where JavaScript throws through it. */
function restoringStack(exports: Exports, name: string): () => number {
  const run = (exports as unknown as Record<string, (() => number) | undefined>)[name];
  if (!run) throw new Error(`wasm engine: the module has no function ${name}; is it older than its sources?`);
  const stack = exports.__stack_pointer;
  const top = stack.value;
  return () => {
    try {
      return run();
    } catch (error) {
      stack.value = top;
      throw error;
    }
  };
}

/** Starts the thread of an index once. Threads do not keep the process alive, and end with it. */
function createThreads(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  exports: Exports,
  allocate: (bytes: number) => Uint8Array,
): (index: number) => void {
  const started = new Set<number>();
  return (index) => {
    if (started.has(index)) return;
    started.add(index);
    const stack = allocate(stackBytes).byteOffset + stackBytes;
    const threadLocals = allocate(exports.__tls_size.value).byteOffset;
    const workerData = { module, memory, stack, threadLocals, index };
    const worker = new Worker(join(folder(), "worker.mjs"), { workerData, execArgv: [], env: {} });
    worker.on("error", () => {}); // a thread that cannot start is one fewer; results are the same
    worker.unref();
  };
}
