/** @file softbox's side of every job: starts the engine the job names and runs the job on it. */
import { SandboxError } from "../../dist/engine/errors.js";
import { startEngine } from "./engine.mjs";
import { prepareAttention } from "./jobs/attention.mjs";
import { prepareDecoding } from "./jobs/decoding.mjs";
import { prepareHead } from "./jobs/head.mjs";
import { prepareMatmul } from "./jobs/matmul.mjs";
import { prepareReading } from "./jobs/reading.mjs";
import { prepareRecurrent, prepareTraining } from "./jobs/training.mjs";
import { serve, Unavailable } from "./protocol.mjs";

const kinds = {
  attention: prepareAttention,
  decoding: prepareDecoding,
  head: prepareHead,
  matmul: prepareMatmul,
  reading: prepareReading,
  recurrent: prepareRecurrent,
  training: prepareTraining,
};

await serve(async (job) => {
  try {
    const description = await startEngine(job);
    return { step: kinds[job.kind](job), description };
  } catch (error) {
    throw error instanceof SandboxError ? new Unavailable(error.message) : error;
  }
});
