// A model's next token under several temperatures and filters, and a text at each: npm run example temperature checkpoints/moby
import { describeNext, generate, loadModel, parseSamplingSettings } from "softbox";

const run = await loadModel(process.argv[2] ?? "checkpoints/twin-softmax");
const prompt = "The whale";
const { logProbs } = await run.model.next([...run.tokenizer.encode(prompt)]);

const ways = {
  "as it is": {},
  "temperature 0.5": { temperature: 0.5 },
  "temperature 2": { temperature: 2 },
  "top-k 3": { topK: 3 },
  "top-p 0.5": { topP: 0.5 },
  "min-p 0.1": { minP: 0.1 },
};
console.log(`after ${JSON.stringify(prompt)}:\n`);
for (const [name, given] of Object.entries(ways)) {
  const { finalEntropy, candidates } = describeNext(logProbs, parseSamplingSettings(given), 4);
  const list = candidates.map(({ id, final }) => `${JSON.stringify(run.tokenizer.decode([id]))} ${final.toFixed(3)}`);
  console.log(`${name.padEnd(16)} entropy ${finalEntropy.toFixed(2)}  ${list.join("  ")}`);
}

for (const temperature of [0, 0.7, 1.5]) {
  let text = prompt;
  const settings = parseSamplingSettings({ temperature, seed: 1 });
  for await (const token of generate(run, { prompt, settings, maxTokens: 25 })) text += token.text;
  console.log(`\ntemperature ${temperature}: ${JSON.stringify(text)}`);
}
run.dispose();
