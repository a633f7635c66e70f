/** @file The kernels in WebAssembly, with the face of the native addon: no compiler, any system that runs Node. */
import { availableParallelism } from "node:os";
import type { Addon } from "../native/addon.ts";
import type { TensorStore } from "../native/pool.ts";
import { kernelsOf } from "./calls.ts";
import { compileModule, createModule } from "./module.ts";

interface WasmEngine {
  readonly addon: Addon;
  /** Tensors lie in the module's memory. */
  readonly store: TensorStore;
}

let loaded: WasmEngine | undefined;

/**
 * The engine of this JavaScript thread, loaded once, with one thread a core.
 *
 * @throws {SandboxError} if the module is missing or there is no address space for its memory.
 */
export function loadWasm(): WasmEngine {
  loaded ??= load();
  return loaded;
}

function load(): WasmEngine {
  const module = createModule();
  module.setThreads(availableParallelism());
  const addon: Addon = {
    ...kernelsOf(module),
    setThreads: module.setThreads,
    threads: module.threads,
    instructionSet: () => "simd128",
    instructionSets: () => ["simd128"],
    setInstructionSet: (name) => {
      if (name !== "simd128") throw new RangeError(`the wasm engine has no instruction set "${name}"`);
    },
  };
  const { allocate, release, holds } = module;
  return { addon, store: { allocate, release, holds } };
}

/** Whether the module can be compiled here; throws where it cannot. */
export const checkWasm = (): void => void compileModule();
