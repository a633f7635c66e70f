// What mixtures tell of their gates, in training and afterwards, in plain output and in the run's record.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { useEngine } from "../../src/engine/engine.ts";
import { saveCheckpoint } from "../../src/experiments/checkpoints.ts";
import { openRecording } from "../../src/experiments/recording.ts";
import { checkpointVariables, resumeRun } from "../../src/experiments/session.ts";
import type { MixtureParams } from "../../src/lm/heads/components.ts";
import { softbox } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { tinyRun, trainFresh } from "../support/runs.ts";

const folder = temporaryFolder();
const runs = join(folder, "checkpoints");
beforeAll(async () => {
  await useEngine("cpu");
  mkdirSync(runs);
});

/** A trained run whose gate was pushed away from its first component: the bias of the last norm meets row 0 of the gate. */
async function runWithDeadComponent(name: string): Promise<string> {
  const run = join(runs, name);
  await trainFresh(tinyRun(writeSmallText(folder), "mos:3"), run);
  const session = await resumeRun({ folder: run, engine: "test", onWarning: () => {}, steps: 20 });
  const { finalNorm } = session.model.params.trunk as unknown as { finalNorm: Record<string, tf.Variable> };
  finalNorm.bias!.assign(tf.tensor1d([1, 0, 0, 0, 0, 0, 0, 0]));
  finalNorm.gain!.assign(tf.mul(tf.ones([8]), 0.01));
  const { gate } = session.model.params.head as MixtureParams;
  gate.kernel.assign(tf.tensor2d([[-12, 0, 0], ...Array.from({ length: 7 }, () => [0, 0, 0])]));
  const identity = { tokenizer: session.dataset.tokenizer.hash, model: session.config.model };
  await saveCheckpoint(run, checkpointVariables(session), session.progress, { identity, best: false, keep: 2 });
  session.close();
  return run;
}

test("a dead component is told while training, with what to do, once, and stands in the record", {
  timeout: 60_000,
}, async () => {
  const run = await runWithDeadComponent("dead");
  const { code, out } = await softbox(folder, ["train", "--resume", run, "--steps", "20", "--engine", "cpu"]);
  expect(code).toBe(0);
  expect(out).toMatch(/gate: entropy 0\.\d\d of at most 1\.10 nats, mean weights 0\.00 0\.50 0\.50/);
  expect(
    out.match(/warning: component 1 of 3 is dead: mean weight .* %, where an even share is 33\.3 %/g),
  ).toHaveLength(1);
  expect(out).toContain("A mixture of 2 does the same for less");
  const gates = openRecording(run)
    .read()
    .flatMap((event) => (event.type === "gate" ? [event] : []));
  expect(gates.map(({ step }) => step)).toEqual([4, 8, 12, 16, 20]);
  expect(gates.at(-1)!.weights[0]).toBeLessThan(0.01);
});

test("eval tells the gate of a mixture and what is wrong with it", { timeout: 60_000 }, async () => {
  const run = await runWithDeadComponent("judged");
  const text = await softbox(folder, ["eval", run, "--engine", "cpu"]);
  expect(text.out).toMatch(/^gate: entropy/m);
  expect(text.err).toContain("component 1 of 3 is dead");
  const { gate } = JSON.parse((await softbox(folder, ["eval", run, "--engine", "cpu", "--json"])).out);
  expect(gate.weights).toHaveLength(3);
  expect(gate.warnings).toEqual([expect.stringContaining("component 1 of 3 is dead")]);
});
