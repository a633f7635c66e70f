/** @file Starts the engines that tests run on. */
import * as tf from "@tensorflow/tfjs";
import { type Engine, useEngine } from "../../src/engine/engine.ts";
import { findPlaced } from "../../src/engine/tensorflow/place.ts";

/** TensorFlow is under test where `npm run tensorflow` has put it in place, as `.ci/run` does; nothing is missing then. */
export const tensorflowIsMissing = findPlaced().missing;

/** Engines under test; `native` must be there: a machine without a compiler cannot vouch for it. */
export const testedEngines: readonly string[] = [
  "native",
  "wasm",
  "cpu",
  ...(tensorflowIsMissing ? [] : ["tensorflow"]),
];

const started = new Map<string, Engine>();

/** Makes `name` the active engine; the first call starts it. */
export async function activate(name: string): Promise<void> {
  if (!started.has(name)) started.set(name, await useEngine(name));
  await tf.setBackend(name);
}
