import { expect, test } from "vitest";
import { probeEvent, sampleRun, sampleRunCard, stepEvent } from "../../../test/tui/sampleRun.ts";
import { meanOf } from "../series.ts";
import type { TrainEvent } from "./port.ts";
import { type Action, reduce, type State } from "./state.ts";

const after = (state: State, ...actions: readonly Action[]): State => actions.reduce(reduce, state);
const told = (...events: readonly TrainEvent[]): Action => ({ type: "told", batch: { events } });
const run = sampleRun(80, 24);

test("events become curves, the latest figures, films and warnings", () => {
  expect(run).toMatchObject({ phase: "running", step: 200, savedStep: 200, memory: 320.4 });
  expect(run.curves.loss.buckets.length).toBe(200);
  expect(run.curves.validation.buckets.map(meanOf)).toEqual([2.5, 2.25]);
  expect(run.evaluation?.nats).toBe(2.25);
  expect(run.best?.step).toBe(200);
  expect(run.probes.get("the ")?.map(({ step }) => step)).toEqual([100, 200]);
  expect(run.warnings.length).toBe(1);
});

test("the smoothed loss is an exponential mean that begins at the first loss", () => {
  const losses = run.curves.loss.buckets.map(meanOf);
  let mean = losses[0]!;
  for (const loss of losses.slice(1)) mean += 0.05 * (loss - mean);
  expect(run.smoothed?.loss).toBeCloseTo(mean, 12);
});

test("a loss that is not finite spoils neither curves nor means", () => {
  const spoilt = reduce(run, told({ ...stepEvent(201), loss: Number.NaN } as TrainEvent));
  expect(spoilt.smoothed?.loss).toBe(run.smoothed?.loss);
  expect(spoilt.curves.loss.buckets.length).toBe(200);
});

test("lists stay bounded however long a run is", () => {
  let state = run;
  for (let i = 0; i < 40; i++)
    state = reduce(
      state,
      told(
        ...Array.from({ length: 100 }, (_, j) => stepEvent(201 + i * 100 + j)),
        ...Array.from({ length: 5 }, (_, j) => probeEvent(300 + i * 5 + j, { a: 0.1 })),
        ...Array.from({ length: 5 }, (): TrainEvent => ({ type: "warning", step: 1, text: "w" })),
        { ...probeEvent(1, { a: 1 }), prompt: `prompt ${i}` } as TrainEvent,
      ),
    );
  expect(state.curves.loss.buckets.length).toBeLessThanOrEqual(1024);
  expect(state.probes.get("the ")?.length).toBeLessThanOrEqual(64);
  expect(state.probes.size).toBeLessThanOrEqual(20);
  expect(state.warnings.length).toBeLessThanOrEqual(50);
});

test("space pauses and goes on, also when the run has ended nothing happens", () => {
  const paused = reduce(run, { type: "pause-toggled" });
  expect(paused.phase).toBe("paused");
  expect(reduce(paused, { type: "pause-toggled" }).phase).toBe("running");
  const done = reduce(run, told({ type: "done", step: 400, reason: "finished" }));
  expect(reduce(done, { type: "pause-toggled" }).phase).toBe("finished");
});

test("leaving a training asks, saves, and ends when it is saved", () => {
  const asked = reduce(run, { type: "leave-asked" });
  expect(asked).toMatchObject({ page: "leave", ended: false });
  expect(reduce(asked, { type: "page-closed" })).toMatchObject({ page: "run", phase: "running" });
  const stopping = reduce(asked, { type: "stop-asked" });
  expect(stopping).toMatchObject({ phase: "stopping", ended: false });
  expect(reduce(stopping, told({ type: "done", step: 201, reason: "stopped" }))).toMatchObject({
    phase: "stopped",
    ended: true,
  });
  expect(reduce(stopping, { type: "stop-asked" }).ended).toBe(true);
});

test("leaving a record, a finished or a failed run asks nothing", () => {
  const record = { ...run, card: { ...sampleRunCard, source: "replay" as const } };
  expect(reduce(record, { type: "leave-asked" }).ended).toBe(true);
  const failed = reduce(run, { type: "failed", notice: { kind: "error", text: "gone" } });
  expect(failed).toMatchObject({ phase: "failed", notice: { text: "gone" } });
  expect(reduce(failed, { type: "leave-asked" }).ended).toBe(true);
});

test("a save is told when it is done, and refused where there is nothing to save", () => {
  expect(reduce(run, { type: "save-asked" }).notice?.text).toBe("step 200 is saved already");
  const further = after(run, told(stepEvent(201)), { type: "save-asked" });
  expect(further.notice?.text).toMatch(/^saving/);
  expect(reduce(further, told({ type: "checkpoint", step: 202, best: false })).notice?.text).toBe("saved step 202");
  const record = { ...run, card: { ...sampleRunCard, source: "watching" as const } };
  expect(reduce(record, { type: "save-asked" }).notice?.text).toContain("record");
});

test("panels, probes and scales turn", () => {
  expect(reduce(run, { type: "panel-turned", by: -1 }).panel).toBe("warnings");
  expect(reduce(run, { type: "probe-turned", by: 1 }).probe).toBe(0);
  expect(reduce(run, { type: "scale-toggled", axis: "y" }).logY).toBe(true);
});

test("a gate's trouble is a warning when it is new, not at every evaluation", () => {
  const dead = (step: number, weights: readonly number[]): TrainEvent => ({
    ...{ type: "gate", step, weights, entropy: 0.5, tokens: 64 },
  });
  const state = after(
    { ...run, warnings: [] },
    ...[dead(210, [0.5, 0.499, 0.001]), dead(220, [0.5, 0.498, 0.002]), dead(230, [0.998, 0.001, 0.001])].map((event) =>
      told(event),
    ),
  );
  expect(state.warnings.map(({ step, text }) => [step, text.slice(0, 31)])).toEqual([
    [210, "component 3 of 3 is dead: mean "],
    [230, "components 2 and 3 of 3 are dea"],
  ]);
});
