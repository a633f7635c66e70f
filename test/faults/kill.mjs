// Kills a training run at random moments while it saves after every step, and resumes it each time.
//
//     npm run faults                25 times
//     npm run faults -- 100 7      100 times, moments drawn from seed 7
//     npm run faults -- 25 1 lstm  an LSTM with carried state
//
// What must hold each time: the resumed run says nothing of damage, stands at the last step that had been saved or a
// later one, and goes on. And in the end: every step's metrics once, and weights and moments byte for byte those of a run that was never killed.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const program = fileURLToPath(new URL("../../bin/softbox.js", import.meta.url));
const words = "the whale sea ship captain and of a in white old man sails wind".split(" ");
/** More than any session makes. */
const manySteps = 1_000_000;

/** Numbers in [0, 1) from a seed (a linear congruential generator is random enough for moments). */
function createUniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function writeText(folder, uniform) {
  const text = Array.from({ length: 2000 }, () => words[Math.floor(uniform() * words.length)]).join(" ");
  writeFileSync(join(folder, "text.txt"), `${text}\n`);
}

/** What is trained, by family: a transformer; an LSTM that carries its state over contiguous text, with every regulariser. */
const families = {
  transformer: ["--recipe", "nano-char", "--layers", "1", "--heads", "2", "--embed", "16", "--dropout", "0.1"],
  lstm: [
    ...["--recipe", "lstm-small", "--tokenizer", "char", "--embed", "12"],
    ...["--set", "model.hiddenSizes=[16,12]", "--set", 'probes=["the "]', "--set", "sample.prompt=a"],
  ],
};

const newRun = (run, family, every) => [
  ...["train", "--run", run, ...families[family], "--corpus", "text.txt", "--context", "16", "--batch-size", "4"],
  ...["--set", "sample.tokens=4", "--set", `training.checkpointEvery=${every}`, "--set", "training.evaluateEvery=10"],
];

/** Starts softbox; `onEvent` sees each event as it comes. */
function start(cwd, args, onEvent = () => {}) {
  const env = { ...process.env, SOFTBOX_CACHE: join(cwd, "cache") };
  const child = spawn(process.execPath, [program, ...args, "--json", "--threads", "1"], { cwd, env });
  const seen = { errors: "", first: undefined, saved: 0 };
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => (seen.errors += chunk));
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const event of lines.map((line) => JSON.parse(line))) {
      if (event.type === "step") seen.first ??= event.step;
      if (event.type === "checkpoint") seen.saved = event.step;
      onEvent(event);
    }
  });
  const ended = new Promise((resolve) => child.on("close", (code) => resolve({ code, ...seen })));
  return { child, ended };
}

/** Runs until killed: some moments after a checkpoint, or (`early`) while it still starts. */
async function runAndKill(cwd, args, uniform, early) {
  const running = start(cwd, args, ({ type }) => type === "checkpoint" && kill(300));
  let wanted = false;
  function kill(within) {
    if (wanted) return;
    wanted = true;
    setTimeout(() => running.child.kill("SIGKILL"), within * uniform());
  }
  if (early) kill(700);
  return running.ended;
}

function expectThat(condition, what) {
  if (!condition) throw new Error(what);
}

/** Metrics of each step exactly once. */
function expectWholeMetrics(file, last) {
  const steps = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "step")
    .map(({ step }) => step);
  expectThat(
    steps.length === last && steps.every((step, i) => step === i + 1),
    `metrics of steps 1 to ${last} are not there once each`,
  );
}

/**
 * Kills and resumes `kills` times.
 *
 * @throws {Error} naming the first thing that does not hold.
 * @returns how many steps were made in all.
 */
export async function killManyTimes(kills, seed = 1, { family = "transformer", onLine = () => {} } = {}) {
  const uniform = createUniform(seed);
  const folder = await mkdtemp(join(tmpdir(), "softbox-kill-"));
  writeText(folder, uniform);
  let saved = 0;
  try {
    for (let i = 0; i < kills; i++) {
      const early = i > 0 && uniform() < 0.25;
      const args = i === 0 ? [...newRun("killed", family, 1), "--steps", manySteps] : ["train", "--resume", "killed"];
      const { errors, first, saved: now, code } = await runAndKill(folder, args.map(String), uniform, early);
      expectThat(
        errors === "" && code === null,
        `start ${i + 1}: expected silence and a kill, got code ${code}: ${errors}`,
      );
      expectThat(
        first === undefined || first > saved,
        `start ${i + 1}: step ${saved} was saved, it began with ${first}`,
      );
      onLine(`${i + 1}/${kills}: began with step ${first ?? "–"}, killed after ${now ? `checkpoint ${now}` : "none"}`);
      saved = Math.max(saved, now);
    }
    const last = saved + 10;
    const { errors, code } = await start(folder, ["train", "--resume", "killed", "--steps", String(last)]).ended;
    expectThat(errors === "" && code === 0, `the last resume: code ${code}: ${errors}`);
    const whole = await start(folder, [...newRun("whole", family, 0), "--steps", String(last)]).ended;
    expectThat(whole.code === 0, `the run that was never killed: code ${whole.code}: ${whole.errors}`);
    const step = `step-${String(last).padStart(6, "0")}`;
    for (const file of [
      `${step}/model.safetensors`,
      `${step}/optimizer.safetensors`,
      "metrics.jsonl",
      "samples.jsonl",
    ]) {
      const [a, b] = ["killed", "whole"].map((run) => readFileSync(join(folder, run, file)));
      expectThat(a.equals(b), `${file} differs from that of a run that was never killed`);
    }
    expectWholeMetrics(join(folder, "killed/metrics.jsonl"), last);
    return last;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [kills = 25, seed = 1] = process.argv.slice(2, 4).map(Number);
  const steps = await killManyTimes(kills, seed, { family: process.argv[4], onLine: console.log });
  console.log(`${kills} kills in ${steps} steps: each time it went on, and ended as if it had never been killed`);
}
