/** @file softbox's logits of a text, and the tokens that are likeliest one after the other: node softbox.mjs <job.json>. */
import { readFileSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { loadModel } from "../../dist/experiments/loadModel.js";
import { createReader } from "../../dist/lm/reader.js";

const { run, ids, prompt, tokens, out } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { model } = await loadModel(run);

const logits = tf.tidy(() => {
  const hidden = model.hidden(tf.tensor2d(ids, [1, ids.length], "int32")); // [T, E]
  return tf.matMul(hidden, model.params.output.table ?? model.params.trunk.tokenEmbedding, false, true); // [T, V]
});
writeFileSync(out, Buffer.from((await logits.data()).buffer, 0, 4 * logits.size));

const reader = createReader(model);
const text = [...prompt];
for (let i = 0; i < tokens; i++) {
  const { logProbs } = await reader.next(text);
  text.push(logProbs.reduce((best, value, id) => (value > logProbs[best] ? id : best), 0));
}
console.log(JSON.stringify({ greedy: text.slice(prompt.length) }));
