/** @file A naive tfjs program on tfjs's own WebAssembly backend: what a beginner would have without softbox. */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { createNaiveTraining } from "./naive/training.mjs";
import { serve, Unavailable } from "./protocol.mjs";

async function startWasm() {
  tf.enableProdMode();
  try {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json");
    setWasmPaths(join(dirname(entry), "dist") + sep);
    if (!(await tf.setBackend("wasm"))) throw new Error("tfjs refused it");
  } catch (error) {
    throw new Unavailable(`tfjs's wasm backend does not start: ${error.message}`);
  }
}

await serve(async (job) => {
  await startWasm();
  return { step: createNaiveTraining(job), description: `tfjs ${tf.version.tfjs}, wasm backend` };
});
