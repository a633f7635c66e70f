// Writes a text with a trained model, and says of each token how probable it was: node examples/sample.mjs checkpoints/moby
import { describeNext, generate, loadModel, parseSamplingSettings } from "softbox";

const run = await loadModel(process.argv[2] ?? "checkpoints/moby");
const settings = parseSamplingSettings({ temperature: 0.8, minP: 0.05, seed: 7 });
for await (const { text, logProb, next } of generate(run, { prompt: "the ", settings, maxTokens: 20 })) {
  const { entropy, candidates } = describeNext(next.logProbs, settings, 3);
  const list = candidates.map(({ id, raw }) => `${JSON.stringify(run.tokenizer.decode([id]))} ${raw.toFixed(2)}`);
  console.log(
    `${JSON.stringify(text)}  p ${Math.exp(logProb).toFixed(2)}  entropy ${entropy.toFixed(2)}  ${list.join("  ")}`,
  );
}
run.dispose();
