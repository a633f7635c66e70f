/**
 * @file TensorFlow's own kernels through `@tensorflow/tfjs-node-gpu`, where its binding has been compiled.
 *
 * The package's installer fetches a libtensorflow of 2022, so its install script is off; docs/engines.md says how to put
 * a current libtensorflow in place.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { Inspection, Rung } from "./ladder.ts";

const packageName = "@tensorflow/tfjs-node-gpu";

function packageFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  } catch {
    return undefined;
  }
}

/** Loading the library is slow and prints: so it happens only once there is something to load. */
async function load(): Promise<{ readonly gpu: boolean }> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
  await import(packageName);
  const backend = tf.engine().findBackend("tensorflow") as tf.KernelBackend & { isUsingGpuDevice?: boolean };
  return { gpu: backend.isUsingGpuDevice === true };
}

async function inspect(): Promise<Inspection> {
  const folder = packageFolder();
  const hint = "docs/engines.md says how to put libtensorflow in place.";
  if (!folder) return { usable: false, reason: `${packageName} is not installed`, hint };
  if (!existsSync(join(folder, "lib/napi-v8/tfjs_binding.node")))
    return { usable: false, reason: `${packageName} has no compiled binding`, hint };
  try {
    const { gpu } = await load();
    return { usable: true, gpu, details: gpu ? "GPU" : "CPU" };
  } catch (error) {
    return { usable: false, reason: `the binding does not load: ${(error as Error).message.split("\n")[0]}`, hint };
  }
}

export const tensorflowRung: Rung = {
  name: "tensorflow",
  inspect,
  start: async () => {
    const { gpu } = await load();
    return { backendName: "tensorflow", details: gpu ? "GPU" : "CPU" };
  },
};
