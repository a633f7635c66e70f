// What holds for a training run: resumption without a trace, threads without influence, no leaks, no poisoned state.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { registerNativeBackend } from "../../src/engine/native/backend.ts";
import { namedVariables } from "../../src/engine/params.ts";
import type { RunEvent } from "../../src/experiments/events.ts";
import { type Line, readLines } from "../../src/experiments/jsonLines.ts";
import { savedSteps } from "../../src/experiments/runFolder.ts";
import { runTraining } from "../../src/experiments/runTraining.ts";
import { startRun } from "../../src/experiments/session.ts";
import { activate, synchronousEngines, testedEngines } from "../support/engines.ts";
import { smallText, temporaryFolder, writeSmallText } from "../support/folders.ts";
import { memoryInUse } from "../support/leaks.ts";
import { tinyRecurrentRun, tinyRun, trainFresh, trainOn } from "../support/runs.ts";

const here = temporaryFolder();
const corpus = writeSmallText(here);
/** A quarter of it, for runs that read it from beginning to end again and again. */
const shortCorpus = join(here, "short.txt");
writeFileSync(shortCorpus, smallText().slice(0, 3000));

/** What a run leaves behind that no clock and no machine decides, file by file. */
function record(folder: string): Record<string, string> {
  const steps = readdirSync(folder).filter((name) => name.startsWith("step-"));
  const inSteps = steps.flatMap((step) =>
    ["model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"].map((file) => join(step, file)),
  );
  const files = ["config.json", "tokenizer.json", "metrics.jsonl", "probes.jsonl", "samples.jsonl", "latest", "best"];
  return Object.fromEntries(
    [...files, ...inSteps].map((file) => [file, readFileSync(join(folder, file)).toString("latin1")]),
  );
}

/** A run of a recurrent model with every regulariser, over text that is read on with carried state. */
const readingOn = (kind: "lstm" | "gru", training: object = {}) =>
  tinyRecurrentRun(shortCorpus, kind, {
    batchSize: 75,
    batches: { kind: "contiguous", lengths: "random" },
    ...training,
  });

describe.each(synchronousEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  // In 75 rows the short text has epochs of two or three steps, so that state is carried and begun anew.
  test.each([
    { kind: "lstm", stops: [5] },
    { kind: "gru", stops: [4, 9] },
  ] as const)(
    "a run of $kind that carries state, stopped at $stops, equals one that was not",
    async ({ kind, stops }) => {
      const name = join(here, `${engine}-${kind}`);
      await trainFresh(readingOn(kind), `${name}-whole`);
      await trainFresh(readingOn(kind, { steps: stops[0] }), `${name}-parts`);
      for (const steps of [...stops.slice(1), 10]) await trainOn(`${name}-parts`, steps);
      expect(record(`${name}-parts`)).toEqual(record(`${name}-whole`));
    },
  );

  // Stops between, at and beside evaluations (every 4) and checkpoints (every 3), once and twice.
  test.each([
    { head: "softmax", stops: [5] },
    { head: "mos:2", stops: [4, 9] },
  ])("a run of $head stopped at $stops and resumed equals one that was not, byte for byte", async ({ head, stops }) => {
    const name = join(here, `${engine}-${head}-${stops.join("-")}`);
    const whole = await trainFresh(tinyRun(corpus, head), `${name}-whole`);
    await trainFresh(tinyRun(corpus, head, { steps: stops[0] }), `${name}-parts`);
    for (const steps of [...stops.slice(1), 10]) await trainOn(`${name}-parts`, steps);
    expect(record(`${name}-parts`)).toEqual(record(`${name}-whole`));
    expect(whole.events.filter(({ type }) => type === "evaluation").map(({ step }) => step)).toEqual([4, 8, 10]);
  });

  test("going on with a finished run changes nothing", async () => {
    const folder = join(here, `${engine}-finished`);
    await trainFresh(tinyRun(corpus, "softmax"), folder);
    const before = record(folder);
    const { events } = await trainOn(folder);
    expect(events).toEqual([{ type: "done", step: 10, reason: "finished" }]);
    await trainOn(folder, 5); // fewer steps than were made
    expect(record(folder)).toEqual(before);
  });

  test("a run that a signal stops is saved where it stands, and goes on as if it had not stopped", async () => {
    const [stopped, whole] = [join(here, `${engine}-stopped`), join(here, `${engine}-unstopped`)];
    const stop = new AbortController();
    const session = await startRun(tinyRun(corpus, "softmax"), { folder: stopped, engine, onWarning: () => {} });
    const events: RunEvent[] = [];
    for await (const event of runTraining(session, stop.signal)) {
      events.push(event);
      if (event.type === "step" && event.step === 5) stop.abort();
    }
    session.close();
    expect(events.slice(-2)).toEqual([
      { type: "checkpoint", step: 5, best: false },
      { type: "done", step: 5, reason: "stopped" },
    ]);
    await trainOn(stopped);
    await trainFresh(tinyRun(corpus, "softmax"), whole);
    expect(record(stopped)).toEqual(record(whole));
  });
});

describe("on native", () => {
  beforeAll(() => activate("native"));
  beforeEach(() => () => registerNativeBackend());

  test.each(["softmax", "mos:3"])("one thread and two give the same run of %s, byte for byte", async (head) => {
    // Wide enough that the kernels do share their work among threads.
    const wide = tinyRun(corpus, head, { batchSize: 8 });
    const config = { ...wide, model: { ...wide.model, embedSize: 64, contextLength: 64, heads: 4 } };
    const folders = [];
    for (const threads of [1, 2, 3]) {
      registerNativeBackend({ threads });
      const folder = join(here, `${head}-${threads}-threads`);
      await trainFresh(config, folder);
      folders.push(record(folder));
    }
    expect(folders[1]).toEqual(folders[0]);
    expect(folders[2]).toEqual(folders[0]);
  });

  test.each(["softmax", "mos:4"])("tensors and memory are flat over 1,000 steps of %s", async (head) => {
    const changes = { steps: 1300, evaluateEvery: 100, checkpointEvery: 100, accumulate: 1 };
    const config = tinyRun(corpus, head, { ...changes, schedule: { warmupSteps: 100, decaySteps: 1300 } });
    const session = await startRun(config, { folder: join(here, `${head}-long`), engine: "test", onWarning: () => {} });
    const seen: { tensors: number; bytes: number; heap: number; arrays: number; resident: number }[] = [];
    for await (const event of runTraining(session))
      if (event.type === "step" && event.step % 100 === 50) {
        const { numTensors, numBytes } = tf.memory();
        seen.push({ tensors: numTensors, bytes: numBytes, ...memoryInUse() });
      }
    session.close();
    expect(new Set(seen.map(({ tensors }) => tensors)).size).toBe(1);
    expect(new Set(seen.map(({ bytes }) => bytes)).size).toBe(1);
    // From step 250 on. A leak of one [16, 8] tensor a step would be 0.5 MB of data, of one batch's graph 20 MB;
    // what JavaScript's heap breathes between collections is let through.
    // From step 250 to 1,250, after a collection each. Of a step's 20 kB of fresh objects nothing may stay: 1,000 kept
    // batches would be 0.6 MB of arrays, 1,000 kept events 0.3 MB of heap; code that is compiled late takes some 0.3 MB.
    const [warm, end] = [seen[2]!, seen.at(-1)!];
    const grown = (key: "heap" | "arrays" | "resident"): number => (end[key] - warm[key]) / 2 ** 20;
    expect(grown("arrays")).toBeLessThan(0.3);
    expect(grown("heap")).toBeLessThan(2);
    expect(grown("resident")).toBeLessThan(16);
  });
});

describe.each(testedEngines)("numbers that are not finite, on %s", (engine) => {
  beforeAll(() => activate(engine));

  /** Runs until the error that ends it. */
  async function trainToError(name: string, poison: (variable: tf.Variable) => tf.Tensor, atStep: number) {
    const folder = join(here, `${engine}-${name}`);
    const config = tinyRun(corpus, "softmax", {
      steps: 30,
      maximumSkippedSteps: 3,
      checkpointEvery: 1,
      evaluateEvery: 0,
    });
    const session = await startRun(config, { folder, engine: "test", onWarning: () => {} });
    const [variable] = [...namedVariables(session.model.params).values()];
    const events: RunEvent[] = [];
    let error: unknown;
    try {
      for await (const event of runTraining(session)) {
        events.push(event);
        if (event.type === "checkpoint" && event.step === atStep) tf.tidy(() => variable!.assign(poison(variable!)));
      }
    } catch (caught) {
      error = caught;
    }
    session.close();
    return { folder, events, error };
  }

  test.each([
    ["NaN", (x: tf.Tensor) => tf.mul(x, Number.NaN)],
    ["infinite", (x: tf.Tensor) => tf.mul(x, Number.POSITIVE_INFINITY)],
  ] as const)("%s parameters: the steps are skipped, counted, and end the run", async (name, poison) => {
    const { folder, events, error } = await trainToError(name, poison, 4);
    const skipped = events.filter((event) => event.type === "skipped");
    expect(skipped.map(({ step, inARow }) => [step, inARow])).toEqual([
      [5, 1],
      [6, 2],
      [7, 3],
    ]);
    expect(error).toMatchObject({
      name: "SandboxError",
      message: "training: loss or gradient was not finite in 3 steps in a row, the last at step 7",
    });
    // The last good checkpoint is there, and none of the poisoned parameters.
    expect(readdirSync(folder).filter((file) => file.startsWith("step-"))).toEqual(["step-000003", "step-000004"]);
    expect(existsSync(join(folder, "run.lock"))).toBe(false);
    const dumped = JSON.parse(readFileSync(join(folder, "not-finite-batch.json"), "utf8"));
    expect(dumped.step).toBe(7);
    expect(dumped.batches).toHaveLength(2);
    const text = smallText();
    const characters = [...new Set(text)].sort();
    const firstRow = dumped.batches[0].inputs.slice(0, 8).map((id: number) => characters[id]);
    expect(text).toContain(firstRow.join(""));
    expect(JSON.parse(readFileSync(join(folder, "metrics.jsonl"), "utf8").trim().split("\n").at(-1)!)).toMatchObject({
      type: "skipped",
      step: 7,
      inARow: 3,
    });
  });

  test("a run that a wild learning rate blows up ends with a checkpoint from before its first skipped step", async () => {
    const folder = join(here, `${engine}-wild`);
    // Every step multiplies the matrices by 1 − 10 · 10 = −99, so that float32 ends after some twenty of them.
    const optimizer = { learningRate: 10, weightDecay: 10, clipNorm: 0 };
    const schedule = { kind: "constant", warmupSteps: 0 };
    const changes = { steps: 100, evaluateEvery: 5, checkpointEvery: 1, maximumSkippedSteps: 5, optimizer, schedule };
    await expect(trainFresh(tinyRun(corpus, "softmax", changes), folder)).rejects.toThrow("5 steps in a row");
    const lines = readLines<Line & { type: string }>(join(folder, "metrics.jsonl"));
    const firstSkipped = lines.find(({ type }) => type === "skipped")!.step;
    const saved = savedSteps(folder);
    expect(saved.length).toBeGreaterThan(0);
    expect(Math.max(...saved)).toBeLessThan(firstSkipped);
    // What was saved is whole, and resuming meets the same end.
    await expect(trainOn(folder)).rejects.toThrow("5 steps in a row");
  });

  test.each([
    { name: "moments", run: tinyRun(corpus, "softmax", { steps: 6, maximumSkippedSteps: 2 }) },
    { name: "carried state", run: readingOn("lstm", { steps: 6, maximumSkippedSteps: 2 }) },
  ])(
    "one skipped step changes neither parameters nor $name, and the count begins anew",
    async ({ name, run: config }) => {
      const folder = join(here, `${engine}-${name}-once`);
      const session = await startRun(config, { folder, engine: "test", onWarning: () => {} });
      const variables = [
        ...namedVariables(session.model.params),
        ...session.optimizer.variables,
        ...session.carried.variables,
      ];
      const values = (): Promise<number[][]> =>
        Promise.all(variables.map(async ([, variable]) => Array.from(await variable.data())));
      const losses = session.model.losses;
      let poisoned = false;
      const model = {
        ...session.model,
        losses: (...args: Parameters<typeof losses>) => {
          const read = losses(...args);
          return poisoned ? { ...read, losses: tf.mul(read.losses, Number.NaN) as never } : read;
        },
      };
      const outcomes: string[] = [];
      let before: number[][] = [];
      for await (const event of runTraining({ ...session, model })) {
        if (event.type === "skipped") expect(await values()).toEqual(before);
        if (event.type === "step" || event.type === "skipped") {
          outcomes.push(event.type);
          before = await values();
          poisoned = event.step === 1 || event.step === 3; // steps 2 and 4 will be
        }
      }
      session.close();
      expect(outcomes).toEqual(["step", "skipped", "step", "skipped", "step", "step"]);
    },
  );
});
