// The two tables of recurrent models for docs/log.md, on Moby Dick by words:
//
//     node bench/recurrent.mjs                    about 20 minutes on two quiet cores
//     node bench/recurrent.mjs --steps 3000       longer; all options: --steps, --seeds, --precision, --out, --recipe, --twin
//
// 1. lstm-small with one softmax and with a mixture of four, of equal parameters.
// 2. The softmax runs of table 1 beside a transformer of equal parameters that trains for the same time: a short run tells how
//    long its step takes, its schedule is set to as many steps as the LSTM's training time holds.
//
// Both are `softbox compare`; everything is kept in --out and gone on with when the command is given again.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const program = fileURLToPath(new URL("../bin/softbox.js", import.meta.url));
const { values: wanted } = parseArgs({
  options: {
    steps: { type: "string", default: "1200" },
    seeds: { type: "string", default: "3" },
    precision: { type: "string", default: "bfloat16" },
    out: { type: "string", default: "checkpoints/recurrent-tables" },
    recipe: { type: "string", default: "lstm-small" },
    twin: { type: "string", default: "transformer-small" },
  },
});
/** Steps that tell how long one takes, and how many of the first are not counted. */
const [speedSteps, warmingSteps] = [40, 10];

function softbox(...args) {
  console.log(`\n$ softbox ${args.join(" ")}`);
  const { status } = spawnSync(process.execPath, [program, ...args], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** Milliseconds of each step of a run. */
const times = (run) =>
  readFileSync(join(run, "timings.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).milliseconds);

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const seeds = Array.from({ length: Number(wanted.seeds) }, (_, i) => i + 1);
const { out } = wanted;

/** Trains a run to its end, or goes on with it. */
function train(run, steps, ...flags) {
  if (existsSync(join(run, "config.json"))) softbox("train", "--resume", run);
  else softbox("train", "--run", run, "--steps", String(steps), "--precision", wanted.precision, ...flags);
}

const schedule = (steps) => ["--decay-steps", String(steps)];
softbox(
  ...[
    "compare",
    "--recipe",
    wanted.recipe,
    "--head",
    "softmax,mos:4",
    "--match",
    "parameters",
    "--seeds",
    wanted.seeds,
  ],
  ...["--steps", wanted.steps, ...schedule(wanted.steps), "--precision", wanted.precision, "--out", out],
);

const softmaxRuns = seeds.map((seed) => join(out, `softmax-seed-${seed}`));
const budget = median(softmaxRuns.map((run) => sum(times(run))));
const speedRun = join(out, "speed-transformer");
train(speedRun, speedSteps, "--recipe", wanted.twin, "--set", "training.evaluateEvery=0", "--set", "sample.tokens=0");
const step = median(times(speedRun).slice(warmingSteps));
const steps = Math.max(1, Math.round(budget / step));
console.log(
  `\nthe LSTM trained ${(budget / 1000).toFixed(1)} s; the transformer's step takes ${step.toFixed(1)} ms, so ${steps} steps`,
);
const twins = seeds.map((seed) => join(out, `transformer-seed-${seed}`));
for (const [i, run] of twins.entries())
  train(run, steps, "--recipe", wanted.twin, "--seed", String(seeds[i]), ...schedule(steps));
softbox("compare", ...softmaxRuns, ...twins);
for (const [name, runs] of [
  ["LSTM", softmaxRuns],
  ["transformer", twins],
])
  console.log(`${name}: trained for ${runs.map((run) => `${(sum(times(run)) / 1000).toFixed(1)} s`).join(", ")}`);
