/** @file Starts the engines that tests run on. */
import * as tf from "@tensorflow/tfjs";
import { type Engine, useEngine } from "../../src/engine/engine.ts";
import { webgpuRung } from "../../src/engine/ladder/webgpu.ts";
import { findPlaced } from "../../src/engine/tensorflow/place.ts";

/** TensorFlow is under test where `npm run tensorflow` has put it in place, as `.ci/run` does; nothing is missing then. */
export const tensorflowIsMissing = findPlaced().missing;

/** WebGPU is under test where `npm run webgpu` has put it in place and there is an adapter, software or not. */
const webgpu = await webgpuRung.inspect({});
export const webgpuIsMissing = webgpu.usable ? undefined : webgpu.reason;
if (webgpuIsMissing && process.env.SOFTBOX_TEST_WEBGPU)
  throw new Error(`SOFTBOX_TEST_WEBGPU is set, and webgpu does not run: ${webgpuIsMissing}`);

/** A GPU in software takes a second where others take ten milliseconds: it is tried on a choice of cases. */
export const isSlow = (engine: string): boolean => engine === "webgpu" && webgpu.usable && !webgpu.gpu;

/** Engines that are installed by a command of their own, and what is missing of them here. */
export const installedEngines = [
  {
    name: "tensorflow",
    missing: tensorflowIsMissing && `its ${tensorflowIsMissing} is missing`,
    install: "npm run tensorflow",
  },
  { name: "webgpu", missing: webgpuIsMissing, install: "npm run webgpu" },
] as const;

/** Engines under test; `native` must be there: a machine without a compiler cannot vouch for it. */
export const testedEngines: readonly string[] = [
  "native",
  "wasm",
  "cpu",
  ...installedEngines.filter(({ missing }) => !missing).map(({ name }) => name),
];

/** Those that hand out numbers at once; for laws of what is not an engine's business, whose tests read with dataSync. */
export const synchronousEngines: readonly string[] = testedEngines.filter((name) => name !== "webgpu");

const started = new Map<string, Engine>();

/** What the engines that were started say of themselves. */
export const describeStarted = (): string[] => [...started.values()].map(({ description }) => description);

const { SOFTBOX_CACHE: installed = "" } = process.env;

/** Makes `name` the active engine; the first call starts it, from where it is installed: a test may name a cache of its own. */
export async function activate(name: string): Promise<void> {
  if (!started.has(name)) {
    const { SOFTBOX_CACHE: own = "" } = process.env;
    process.env.SOFTBOX_CACHE = installed; // an empty name is none
    started.set(name, await useEngine(name));
    process.env.SOFTBOX_CACHE = own;
  }
  await tf.setBackend(name);
}
