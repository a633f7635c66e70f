/** @file The tokens that llama.cpp finds likeliest one after the other: node llama.mjs <job.json>. */
import { readFileSync } from "node:fs";
import { loadLibrary } from "../workers/llamaLibrary.mjs";

const { llama: folder, file, prompt, tokens, threads } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const library = await loadLibrary(folder);
const silent = { logLevel: "error", progressLogs: false };
const llama = await library.getLlama({ gpu: false, build: "never", maxThreads: threads, ...silent });
const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
const context = await model.createContext({
  contextSize: Math.min(1024, prompt.length + tokens),
  threads,
  sequences: 1,
});
const greedy = [];
for await (const id of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
  greedy.push(id);
  if (greedy.length === tokens) break;
}
console.log(JSON.stringify({ greedy }));
process.exit(0); // its threads would go on waiting
