/**
 * @file llama.cpp's side of decoding, through node-llama-cpp: the same shape with numbers that look random, written as GGUF by our
 * own export. It reads a prompt, then a token a step, drawn from the 40 likeliest at temperature 0.8; prompt and text go on in turn.
 */
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { encodeGpt2Gguf } from "../../dist/interchange/gpt2Gguf.js";
import { gpt2Tensors } from "../../dist/interchange/gpt2Tensors.js";
import { parseModelConfig } from "../../dist/lm/config.js";
import { bytePairsOf } from "../../dist/text/bytePairs.js";
import { createTokenizer } from "../../dist/text/tokenizer.js";
import { noise, noiseIds } from "./noise.mjs";
import { serve, Unavailable } from "./protocol.mjs";

/** node-llama-cpp from the folder that it was installed in. */
async function loadLibrary(folder) {
  try {
    const path = createRequire(pathToFileURL(join(folder, "package.json"))).resolve("node-llama-cpp");
    return await import(pathToFileURL(path));
  } catch (error) {
    throw new Unavailable(`node-llama-cpp is not in the folder named: ${error.code ?? error.message}`);
  }
}

/** Noise for matrices, as fresh parameters have it; ones and zeros for vectors. */
function tensorsOf({ layers, embedSize: E, vocabSize: V, contextLength: T }) {
  const widths = { qkv: [E, 3 * E], output: [E, E], expand: [E, 4 * E], contract: [4 * E, E] };
  const shapeOf = (name) => {
    if (name.endsWith("tokenEmbedding")) return [V, E];
    if (name.endsWith("positionEmbedding")) return [T, E];
    const [owner, part] = name.split(".").slice(-2);
    const [I, O] = widths[owner] ?? [E, E];
    return part === "kernel" ? [I, O] : [O];
  };
  const valuesOf = (name, shape) => {
    if (shape.length === 2) return noise(shape[0] * shape[1], 0.02);
    return new Float32Array(shape[0]).fill(name.endsWith("gain") ? 1 : 0);
  };
  const names = gpt2Tensors(layers, true).map(({ ours }) => ours);
  const source = (name) => ({ shape: shapeOf(name), pieces: () => [valuesOf(name, shapeOf(name))] });
  return new Map(names.map((name) => [name, source(name)]));
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
