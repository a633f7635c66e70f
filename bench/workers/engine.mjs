/** @file Starts an engine of softbox at a precision, and makes sure that it computes at that precision. */
import * as tf from "@tensorflow/tfjs";
import { inspectEngines, useEngine } from "../../dist/engine/engine.js";
import { engineNames } from "../../dist/engine/ladder/ladder.js";
import { Unavailable } from "./protocol.mjs";

/**
 * Gives the engine's own description.
 *
 * @param gpu - whether nothing but a GPU will do.
 */
export async function startEngine({ engine, precision, threads, gpu = false }) {
  if (!engineNames.includes(engine)) throw new Unavailable(`engine ${engine} is not there yet`);
  if (gpu) await expectGpu(engine);
  const { description } = await useEngine(engine, { precision, threads });
  if (precision === "bfloat16" && !roundsToBfloat16()) throw new Unavailable("bfloat16 is not there yet");
  return description;
}

async function expectGpu(engine) {
  const { inspection } = (await inspectEngines()).find(({ name }) => name === engine);
  if (!inspection.usable) throw new Unavailable(`engine ${engine}: ${inspection.reason}`);
  if (!inspection.gpu) throw new Unavailable(`engine ${engine}: no GPU here (${inspection.details})`);
}

/** 1 + 2⁻¹⁰ is a float32 number that bfloat16, with 8 significant bits, rounds to 1. */
function roundsToBfloat16() {
  const [product] = tf.tidy(() => {
    const a = tf.fill([128, 128], 1 + 2 ** -10);
    return tf.matMul(a, tf.eye(128)).dataSync();
  });
  return product === 1;
}
