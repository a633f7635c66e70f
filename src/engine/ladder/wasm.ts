/** @file Our kernels in WebAssembly under the same tfjs backend as `native`: no compiler, any system that runs Node. */
import { availableParallelism } from "node:os";
import { SandboxError } from "../errors.ts";
import { checkWasm, loadWasm } from "../wasm/addon.ts";
import { registerWasmBackend } from "../wasm/backend.ts";
import type { Precision, Rung } from "./ladder.ts";

const describe = (threads: number, precision: Precision = "float32"): string =>
  ["SIMD", ...(precision === "float32" ? [] : [precision]), `${threads} thread${threads === 1 ? "" : "s"}`].join(", ");

export const wasmRung: Rung = {
  name: "wasm",
  precisions: ["bfloat16"],
  inspect: async ({ threads = availableParallelism() }) => {
    try {
      checkWasm();
      return { usable: true, gpu: false, details: describe(threads) };
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      return { usable: false, reason: error.message, hint: error.hint ?? "softbox doctor lists what is usable here." };
    }
  },
  start: async ({ threads, precision = "float32" }) => {
    registerWasmBackend(threads === undefined ? {} : { threads });
    const { addon } = loadWasm();
    addon.setRounding(precision === "bfloat16");
    return { backendName: "wasm", details: describe(addon.threads(), precision) };
  },
};
