/** @file A thread of the wasm engine's pool: the same module on the same memory, with a stack of its own. */
import { workerData } from "node:worker_threads";

const { module, memory, stack, threadLocals, index } = workerData;
const outOfMemory = (bytes) => {
  throw new Error(`wasm engine, thread ${index}: no memory for ${bytes} bytes of scratch`);
};
const { exp, log, pow } = Math;
const instance = new WebAssembly.Instance(module, { env: { memory }, softbox: { exp, log, pow, outOfMemory } });
const { __stack_pointer, __wasm_init_tls, worker } = instance.exports;
__stack_pointer.value = stack;
__wasm_init_tls(threadLocals);
worker(index);
