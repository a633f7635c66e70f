/**
 * @file A naive tfjs program, what a beginner would have without softbox: on tfjs's own WebAssembly backend, or on the libtensorflow
 * that softbox installed, with the same settings.
 */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { loadTensorflow } from "../../dist/engine/tensorflow/load.js";
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
  return `tfjs ${tf.version.tfjs}, wasm backend`;
}

async function startTensorflow({ threads }) {
  tf.enableProdMode();
  try {
    const { version } = await loadTensorflow({ threads });
    await tf.setBackend("tensorflow");
    return `tfjs ${tf.version.tfjs}, libtensorflow ${version}`;
  } catch (error) {
    throw new Unavailable(`libtensorflow does not load: ${error.message.split("\n")[0]}`);
  }
}

await serve(async (job) => {
  const description = job.backend === "tensorflow" ? await startTensorflow(job) : await startWasm();
  return { step: createNaiveTraining(job), description };
});
