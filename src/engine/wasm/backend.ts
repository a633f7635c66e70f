/** @file The tfjs backend "wasm": that of the native engine, over the WebAssembly module. */
import { registerBackend } from "../native/backend.ts";
import { loadWasm } from "./addon.ts";

/**
 * Registers the tfjs backend "wasm" with all its kernels; `tf.setBackend("wasm")` then selects it.
 *
 * @param options.threads - how many threads take part, default one a core.
 * @throws {SandboxError} if the module is missing or there is no address space for its memory.
 */
export function registerWasmBackend({ threads }: { readonly threads?: number } = {}): void {
  registerBackend("wasm", { ...loadWasm(), threads });
}
