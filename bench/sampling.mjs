/**
 * @file What a token costs besides its forward pass, at V = 50,257: filters and draw; the description that `generate --json` prints, handed
 * what the draw knows; both and the rank together. Milliseconds, the smallest and the median of many. `node bench/sampling.mjs`
 */
import { describeOutlook, lookAhead, rankOf } from "../dist/sampling/distribution.js";
import { drawFrom } from "../dist/sampling/sample.js";
import { parseSamplingSettings } from "../dist/sampling/settings.js";
import { noise } from "./workers/noise.mjs";

const turns = Number(process.argv[2] ?? 300);
const [V, top] = [50_257, 20];
/** Standard deviations of the scores: a fresh model's, and two of trained ones. */
const spreads = [0.55, 2, 3.5];
const all = [
  {},
  { temperature: 0.8 },
  { topK: 40, temperature: 0.8 },
  { topP: 0.95 },
  { topP: 0.95, temperature: 0.8 },
  { minP: 0.05, temperature: 0.8 },
  { topK: 40, topP: 0.95, minP: 0.05, temperature: 0.8 },
  { typical: 0.9 },
  { topNSigma: 1 },
  { eta: 3e-4 },
  { xtc: 1 },
  { mirostat: 5 },
  { dynamicTemperature: 0.5 },
  { repetition: 1.2, temperature: 0.8 },
];

function logProbsOf(spread) {
  const scores = noise(V, spread);
  const top = scores.reduce((a, b) => Math.max(a, b));
  const logTotal = top + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - top), 0));
  return scores.map((score) => score - logTotal);
}

/** `smallest / median` of the milliseconds of a call. */
function time(call) {
  for (let i = 0; i < 20; i++) call();
  const times = Array.from({ length: turns }, () => {
    const start = performance.now();
    call();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return `${times[0].toFixed(2)} / ${times[turns >> 1].toFixed(2)}`;
}

console.log(`V = ${V}, ${top} candidates described, ${turns} calls: smallest / median milliseconds\n`);
console.log(
  "| settings | spread | filters and draw | description after it | all, with the rank |\n|---|---|---|---|---|",
);
for (const spread of spreads) {
  const logProbs = logProbsOf(spread);
  for (const given of all) {
    const settings = parseSamplingSettings(given);
    const context = { ids: [1, 2, 3, 4, 5], uniform: 0 };
    const draw = () => {
      const outlook = lookAhead(logProbs, settings, context);
      return { outlook, id: drawFrom(outlook.final, 1, 3).id };
    };
    const alone = time(draw);
    const { outlook } = draw();
    const described = time(() => describeOutlook({ ...outlook }, top));
    const whole = time(() => {
      const { outlook, id } = draw();
      describeOutlook(outlook, top);
      rankOf(outlook.raw, id);
    });
    const name = Object.entries(given).map(([key, value]) => `${key} ${value}`);
    console.log(`| ${name.join(", ") || "none"} | ${spread} | ${alone} | ${described} | ${whole} |`);
  }
}
