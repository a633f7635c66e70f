/** @file Starts the engines that tests run on. */
import * as tf from "@tensorflow/tfjs";
import { type Engine, useEngine } from "../../src/engine/engine.ts";

/** Engines under test; `native` must be there: a machine without a compiler cannot vouch for it. */
export const testedEngines = ["native", "wasm", "cpu"] as const;

const started = new Map<string, Engine>();

/** Makes `name` the active engine; the first call starts it. */
export async function activate(name: string): Promise<void> {
  if (!started.has(name)) started.set(name, await useEngine(name));
  await tf.setBackend(name);
}
