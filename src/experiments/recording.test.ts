import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRecording } from "./recording.ts";

const line = (value: object): string => `${JSON.stringify(value)}\n`;
const step = (at: number) => ({ type: "step", step: at, loss: at / 2, gradientNorm: 1, learningRate: 0.1 });

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "softbox-recording-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("steps come with their times, and an evaluation with what was looked at", () => {
  const run = folder();
  writeFileSync(join(run, "metrics.jsonl"), line(step(1)) + line({ type: "evaluation", step: 1 }) + line(step(2)));
  writeFileSync(join(run, "timings.jsonl"), line({ step: 1, tokens: 8, milliseconds: 5 }));
  writeFileSync(join(run, "probes.jsonl"), line({ type: "probe", step: 1 }));
  writeFileSync(join(run, "samples.jsonl"), line({ type: "sample", step: 1 }));
  const events = openRecording(run).read();
  expect(events.map(({ type, step }) => `${type} ${step}`)).toEqual([
    "step 1",
    "evaluation 1",
    "probe 1",
    "sample 1",
    "step 2",
  ]);
  expect(events[0]).toMatchObject({ tokens: 8, milliseconds: 5 });
  expect(events.at(-1)).toMatchObject({ tokens: 8, milliseconds: 5 });
});

test("what another process appends comes with the next call, a torn line when it is whole", () => {
  const run = folder();
  const metrics = join(run, "metrics.jsonl");
  const recording = openRecording(run);
  expect(recording.read()).toEqual([]);
  writeFileSync(metrics, line(step(1)) + line(step(2)).slice(0, 20));
  expect(recording.read().map(({ step }) => step)).toEqual([1]);
  expect(recording.read()).toEqual([]);
  appendFileSync(metrics, line(step(2)).slice(20) + line(step(3)));
  expect(recording.read().map(({ step }) => step)).toEqual([2, 3]);
});

test("a file that was cut back by a resumed run brings nothing twice", () => {
  const run = folder();
  const metrics = join(run, "metrics.jsonl");
  const recording = openRecording(run);
  writeFileSync(metrics, [1, 2, 3, 4].map((at) => line(step(at))).join(""));
  recording.read();
  writeFileSync(metrics, line(step(1)));
  expect(recording.read()).toEqual([]);
  appendFileSync(metrics, [2, 3, 4, 5].map((at) => line(step(at))).join(""));
  expect(recording.read().map(({ step }) => step)).toEqual([5]);
});

test("a line that is no JSON is passed over", () => {
  const run = folder();
  writeFileSync(join(run, "metrics.jsonl"), `nonsense\n${line(step(1))}`);
  expect(openRecording(run).read().length).toBe(1);
});
