/** @file Our kernels in WebAssembly under the same tfjs backend as `native`: no compiler, any system that runs Node. */
import { availableParallelism } from "node:os";
import { SandboxError } from "../errors.ts";
import { checkWasm, loadWasm } from "../wasm/addon.ts";
import { registerWasmBackend } from "../wasm/backend.ts";
import type { Rung } from "./ladder.ts";

const describe = (threads: number): string => `SIMD, ${threads} thread${threads === 1 ? "" : "s"}`;

export const wasmRung: Rung = {
  name: "wasm",
  inspect: async ({ threads = availableParallelism() }) => {
    try {
      checkWasm();
      return { usable: true, gpu: false, details: describe(threads) };
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      return { usable: false, reason: error.message, hint: error.hint ?? "softbox doctor lists what is usable here." };
    }
  },
  start: async ({ threads }) => {
    registerWasmBackend(threads === undefined ? {} : { threads });
    return { backendName: "wasm", details: describe(loadWasm().addon.threads()) };
  },
};
