/**
 * @file What a token costs besides its forward pass, at V = 50,257: filters and draw; the description that `generate --json` prints, handed
 * what the draw knows; both and the rank together. With the passes of the native engine, and with those in JavaScript that other engines
 * use. Milliseconds, the smallest and the median of many. `node bench/sampling.mjs [calls]`
 */
import { useEngine } from "../dist/engine/engine.js";
import { describeOutlook, lookAhead, rankOf } from "../dist/sampling/distribution.js";
import { drawFrom } from "../dist/sampling/sample.js";
import { parseSamplingSettings } from "../dist/sampling/settings.js";
import { noise } from "./workers/noise.mjs";

const turns = Number(process.argv[2] ?? 300);
const [V, top] = [50_257, 20];
/** Milliseconds a token of GPT-2 small's shape takes (docs/log.md), by precision; a twentieth of it is to spend. */
const tokens = { float32: 13.4, bfloat16: 7.49 };

/** Scores by their name: even ones, of which most filters keep a third or more, and normal ones, a fresh model's first. */
const shapes = {
  "even, ± 2": noise(V, 2),
  "normal, σ 0.55": normal(0.55),
  "normal, σ 2": normal(2),
  "normal, σ 3.5": normal(3.5),
};
const all = [
  {},
  { temperature: 0.8 },
  { topK: 40, temperature: 0.8 },
  { topP: 0.95 },
  { topP: 0.95, temperature: 0.8 },
  { minP: 0.05, temperature: 0.8 },
  { topK: 40, topP: 0.95, minP: 0.05, temperature: 0.8 },
  { typical: 0.9 },
  { typical: 0.9, temperature: 0.8 },
  { topNSigma: 1 },
  { eta: 3e-4 },
  { xtc: 1 },
  { mirostat: 5 },
  { dynamicTemperature: 0.5 },
  { repetition: 1.2, temperature: 0.8 },
];

/** By Box and Muller (1958). */
function normal(sigma) {
  const [radii, turnsOfCircle] = [noise(V, 0.5, 1), noise(V, Math.PI, 2)];
  return radii.map((radius, i) => sigma * Math.sqrt(-2 * Math.log(radius + 0.5)) * Math.cos(turnsOfCircle[i]));
}

function logProbsOf(scores) {
  const highest = scores.reduce((a, b) => Math.max(a, b));
  const logTotal = highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0));
  return scores.map((score) => score - logTotal);
}

/** The smallest and the median of the milliseconds of a call. */
function time(call) {
  for (let i = 0; i < Math.min(20, turns); i++) call();
  const times = Array.from({ length: turns }, () => {
    const start = performance.now();
    call();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return [times[0], times[turns >> 1]];
}

function measure(logProbs, settings) {
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
  return { alone, described, whole };
}

/** Measures everything with one engine's passes. @returns the most that anything took: smallest and median. */
function table() {
  const most = [0, 0];
  console.log(
    "| settings | scores | filters and draw | description after it | all, with the rank |\n|---|---|---|---|---|",
  );
  for (const [shape, scores] of Object.entries(shapes)) {
    const logProbs = logProbsOf(scores);
    for (const given of all) {
      const { alone, described, whole } = measure(logProbs, parseSamplingSettings(given));
      const name = Object.entries(given).map(([key, value]) => `${key} ${value}`);
      const cells = [alone, described, whole].map((pair) => pair.map((ms) => ms.toFixed(2)).join(" / "));
      console.log(`| ${name.join(", ") || "none"} | ${shape} | ${cells.join(" | ")} |`);
      for (const i of [0, 1]) most[i] = Math.max(most[i], whole[i]);
    }
  }
  return most;
}

console.log(`V = ${V}, ${top} candidates described, ${turns} calls: smallest / median milliseconds`);
for (const name of ["native", "cpu"]) {
  const { description } = await useEngine(name);
  console.log(`\nengine ${description}\n`);
  const [smallest, median] = table();
  const shares = Object.entries(tokens).map(
    ([precision, token]) =>
      `${((100 * smallest) / token).toFixed(1)} / ${((100 * median) / token).toFixed(1)} % of ${precision}'s ${token}`,
  );
  console.log(`\nAt most ${smallest.toFixed(2)} / ${median.toFixed(2)} ms: ${shares.join(", ")} ms a token.`);
}
