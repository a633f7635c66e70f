// softbox runs show, tag, note, rm, diff; train --like; going on otherwise than configured.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine/engine.ts";
import { lockRun } from "../../src/experiments/lock.ts";
import { type Ended, softbox } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { tinyRun, trainFresh } from "../support/runs.ts";

const folder = temporaryFolder();
const [a, b] = ["checkpoints/a", "checkpoints/b"];
beforeAll(async () => {
  await useEngine("cpu");
  mkdirSync(join(folder, "checkpoints"));
  const text = writeSmallText(folder);
  await trainFresh(tinyRun(text, "softmax"), join(folder, a));
  await trainFresh({ ...tinyRun(text, "mos:2"), seed: 9 }, join(folder, b));
});

const run = (...args: string[]): Promise<Ended> => softbox(folder, args);
const json = async (...args: string[]) => JSON.parse((await run(...args, "--json")).out);
const config = (name: string) => JSON.parse(readFileSync(join(folder, name, "config.json"), "utf8"));

describe("runs", { timeout: 30_000 }, () => {
  test("show tells what it takes to make a run again", async () => {
    const shown = await json("runs", "show", a);
    expect(shown.config).toEqual(config(a));
    expect(shown.environment).toMatchObject({
      engine: "test",
      libraries: { "@tensorflow/tfjs": "4.22.0" },
      corpus: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      tokenizer: { kind: "char", hash: expect.stringMatching(/^[0-9a-f]{64}$/), vocabSize: 18 },
    });
    expect(shown.environment.git === null || shown.environment.git.clean || "diff" in shown.environment.git).toBe(true);
    const { out } = await run("runs", "show", a);
    expect(out).toMatch(/^state +finished, step 10 of 10$/m);
    expect(out).toMatch(/^like it +softbox train --like checkpoints\/a$/m);
  });

  test("tags and notes are kept, listed, filtered by, and taken away", async () => {
    expect((await run("runs", "tag", a, "baseline", "small,old")).out).toBe("checkpoints/a: baseline, old, small\n");
    expect(await json("runs", "tag", a, "old", "--remove")).toEqual({ run: a, tags: ["baseline", "small"] });
    await run("runs", "note", a, "looks", "\u001b[31mright");
    expect((await run("runs", "note", a)).out).toBe("looks ␛[31mright\n");
    const [only, ...others] = await json("runs", "ls", "--tag", "baseline");
    expect([only.name, only.tags, others]).toEqual(["a", ["baseline", "small"], []]);
    expect((await run("runs", "ls", "--tag", "none")).err).toBe("no run has the tag none\n");
    expect((await run("runs")).out).toContain("baseline, small");
  });

  test("diff names every key that differs, once each", async () => {
    const { config: changes } = await json("runs", "diff", a, b);
    expect(changes.map(({ path }: { path: string }) => path)).toEqual(["seed", "model.head"]);
    const { out } = await run("runs", "diff", a, b);
    expect(out).toContain("  model.head: softmax → mos:2\n");
    expect((await run("runs", "diff", a, a)).out).toBe("config: the same\nenvironment: the same\nresult: the same\n");
  });

  test("rm removes nothing without --yes in a pipe, nor what is being trained", async () => {
    const victim = "checkpoints/victim";
    await trainFresh(tinyRun(join(folder, "text.txt"), "softmax"), join(folder, victim));
    const asked = await run("runs", "rm", victim);
    expect([asked.code, existsSync(join(folder, victim))]).toEqual([1, true]);
    const unlock = lockRun(join(folder, victim));
    const busy = await run("runs", "rm", victim, "--yes");
    unlock();
    expect([busy.code, busy.err]).toEqual([1, expect.stringContaining("is being trained")]);
    expect((await run("runs", "rm", victim, "--yes")).code).toBe(0);
    expect(existsSync(join(folder, victim))).toBe(false);
  });

  test("rm touches no folder that holds no runs", async () => {
    mkdirSync(join(folder, "precious"));
    writeFileSync(join(folder, "precious/file"), "");
    const { code, err } = await run("runs", "rm", "precious", "--yes");
    expect([code, err, existsSync(join(folder, "precious/file"))]).toEqual([
      1,
      expect.stringContaining("is neither"),
      true,
    ]);
  });

  test.each([
    [["show"], "expected a run's folder"],
    [["tag", a], "expected tags"],
    [["tag", a, "two words"], "A tag is a word"],
    [["diff", a], "expected two runs, got 1"],
    [["rm"], "expected folders of runs"],
  ])("runs %j is an error with what to do", async (args, words) => {
    const { code, err } = await run("runs", ...args);
    expect([code, err]).toEqual([1, expect.stringContaining(words)]);
  });
});

describe("train", { timeout: 60_000 }, () => {
  test("--like begins another run from a run's configuration, with flags on top, under a free name", async () => {
    const { code, out } = await run("train", "--like", a, "--set", "head=mos:3", "--steps", "2", "--engine", "cpu");
    expect([code, out]).toEqual([0, expect.stringContaining("saved in checkpoints/a-2")]);
    const [before, after] = [config(a), config("checkpoints/a-2")];
    expect(after).toEqual({
      ...before,
      model: { ...before.model, head: { kind: "mos", mixtures: 3 } },
      training: { ...before.training, steps: 2 },
    });
    expect((await run("train", "--like", a, "--recipe", "moby")).err).toContain(
      "--recipe and --like do not go together",
    );
  });

  test("--override goes on otherwise, and the run remembers from which step on", async () => {
    const flags = ["train", "--resume", b, "--steps", "12", "--learning-rate", "0.01", "--engine", "cpu"];
    const refused = await run(...flags);
    expect(refused.err).toContain("training.optimizer.learningRate: 0.001 → 0.01");
    expect(config(b).training.steps).toBe(10);
    const { code, err } = await run(...flags, "--override");
    expect([code, err]).toEqual([0, expect.stringContaining("was begun on the engine test")]);
    expect(config(b).training).toMatchObject({ steps: 12, optimizer: { learningRate: 0.01 } });
    const overrides = readFileSync(join(folder, b, "overrides.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(overrides.map((line) => JSON.parse(line))).toEqual([
      { step: 10, changes: [{ path: "training.optimizer.learningRate", before: 0.001, after: 0.01 }] },
    ]);
  });

  test("flags that say what the run says already are no drift", async () => {
    const { code } = await run("train", "--resume", b, "--learning-rate", "0.01", "--head", "mos:2", "--engine", "cpu");
    expect(code).toBe(0);
  });
});
