/**
 * @file llama.cpp's side of decoding, through node-llama-cpp: the same shape with numbers that look random, written as GGUF by our
 * own export. It reads a prompt, then a token a step, drawn from the 40 likeliest at temperature 0.8; prompt and text go on in turn.
 */
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { encodeGpt2Gguf } from "../../dist/interchange/gpt2Gguf.js";
import { gpt2Tensors } from "../../dist/interchange/gpt2Tensors.js";
import { parseModelConfig } from "../../dist/lm/config.js";
import { bytePairsOf } from "../../dist/text/bytePairs.js";
import { createTokenizer } from "../../dist/text/tokenizer.js";
import { loadLibrary } from "./llamaLibrary.mjs";
import { noise, noiseIds } from "./noise.mjs";
import { serve } from "./protocol.mjs";

/** Noise for matrices, as fresh parameters have it; ones and zeros for vectors. */
function tensorsOf(config) {
  const valuesOf = ({ ours, shape: [rows, columns] }) => {
    if (columns !== undefined) return noise(rows * columns, 0.02);
    return new Float32Array(rows).fill(ours.endsWith("gain") ? 1 : 0);
  };
  const sourceOf = (tensor) => ({ shape: tensor.shape, pieces: () => [valuesOf(tensor)] });
  return new Map(gpt2Tensors(config).map((tensor) => [tensor.ours, sourceOf(tensor)]));
}

async function writeModel(path, { vocabulary, context, width, layers, heads, precision }) {
  const shape = { vocabSize: vocabulary, contextLength: context, embedSize: width, layers, heads };
  const config = parseModelConfig({ kind: "transformer", ...shape });
  const { tokens, merges, special } = bytePairsOf(createTokenizer("gpt2", ""));
  const all = vocabulary === tokens.length;
  const tokenizer = all
    ? { tokens, merges, special }
    : { tokens: tokens.slice(0, vocabulary), merges: [], special: {} };
  const model = { name: "random", config, tensors: tensorsOf(config), tokenizer };
  await pipeline(encodeGpt2Gguf(model, precision), createWriteStream(path));
}

/** The model in llama.cpp; its file is gone again, as the memory map keeps it. */
async function openModel(library, job) {
  const folder = await mkdtemp(join(tmpdir(), "softbox-llama-"));
  try {
    await writeModel(join(folder, "model.gguf"), job);
    const silent = { logLevel: "error", progressLogs: false };
    const llama = await library.getLlama({ gpu: false, build: "never", maxThreads: job.threads, ...silent });
    return await llama.loadModel({ modelPath: join(folder, "model.gguf"), gpuLayers: 0 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await serve(async (job) => {
  const library = await loadLibrary(job.llama);
  const model = await openModel(library, job);
  const { threads, prompt: length, tokens, context: contextSize } = job;
  const context = await model.createContext({ contextSize, threads, sequences: 1, failedCreationRemedy: false });
  const sequence = context.getSequence();
  const prompt = [...noiseIds(length, job.vocabulary)];
  const settings = { temperature: 0.8, topK: 40, topP: 1, minP: 0, seed: 1, yieldEogToken: true };
  let written = 0;
  let text;
  const step = async () => {
    if (text === undefined || written === tokens) {
      const kept = Math.min(sequence.nextTokenIndex, length - 1);
      await sequence.eraseContextTokenRanges([{ start: kept, end: sequence.nextTokenIndex }]);
      text = sequence.evaluate(prompt.slice(kept), settings);
      written = 0;
    }
    await text.next();
    written++;
  };
  return { step, description: `llama.cpp by node-llama-cpp, ${job.precision}` };
});
