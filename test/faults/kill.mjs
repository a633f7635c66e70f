// Kills a training run at random moments while it saves after every step, and resumes it each time.
//
// What must hold each time: the resumed run says nothing of damage, stands at the last step that had been saved or a
// later one, and goes on. And in the end: every step's metrics once, and weights and moments byte for byte those of a run that was never killed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createUniform, expectThat, inFolder, newRun, startSoftbox, writeText } from "./softbox.mjs";

/** More than any session makes. */
const manySteps = 1_000_000;

/** Starts softbox; `onEvent` sees each event as it comes. */
function start(cwd, args, onEvent = () => {}) {
  const child = startSoftbox(cwd, [...args, "--json", "--threads", "1"]);
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
export function killManyTimes(kills, seed = 1, { family = "transformer", onLine = () => {} } = {}) {
  const uniform = createUniform(seed);
  return inFolder("kill", async (folder) => {
    writeText(folder, uniform);
    const saved = await killing(folder, kills, uniform, family, onLine);
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
  });
}

/** Starts and kills so many times; returns the last step that was saved. */
async function killing(folder, kills, uniform, family, onLine) {
  let saved = 0;
  for (let i = 0; i < kills; i++) {
    const early = i > 0 && uniform() < 0.25;
    const args = i === 0 ? [...newRun("killed", family, 1), "--steps", manySteps] : ["train", "--resume", "killed"];
    const { errors, first, saved: now, code } = await runAndKill(folder, args, uniform, early);
    expectThat(
      errors === "" && code === null,
      `start ${i + 1}: expected silence and a kill, got code ${code}: ${errors}`,
    );
    expectThat(first === undefined || first > saved, `start ${i + 1}: step ${saved} was saved, it began with ${first}`);
    onLine(`${i + 1}/${kills}: began with step ${first ?? "–"}, killed after ${now ? `checkpoint ${now}` : "none"}`);
    saved = Math.max(saved, now);
  }
  return saved;
}
