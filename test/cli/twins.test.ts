// The two small models that come with softbox, and the form in which they come: a run's weights alone.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { exportRun } from "../../src/experiments/exportRun.ts";
import { loadRun } from "../../src/experiments/loadRun.ts";
import { readRunConfig } from "../../src/experiments/runFolder.ts";
import { openSafetensors } from "../../src/lm/checkpoint/safetensors.ts";
import { softbox, tinyFlags } from "../support/cli.ts";
import { activate } from "../support/engines.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const twins = ["checkpoints/twin-softmax", "checkpoints/twin-mos"] as const;
const quiet = (line: string) => expect.unreachable(line);
const here = temporaryFolder();
beforeAll(() => activate("native"));

describe("the models that come along", () => {
  test("are 8 MB at most, without the optimiser's state", () => {
    const files = twins.flatMap((twin) =>
      readdirSync(twin, { recursive: true, encoding: "utf8" }).map((file) => join(twin, file)),
    );
    expect(files.reduce((bytes, file) => bytes + statSync(file).size, 0)).toBeLessThan(8e6);
    expect(files.filter((file) => file.endsWith(".safetensors"))).toHaveLength(2);
    expect(files.filter((file) => file.includes("optimizer"))).toEqual([]);
    for (const twin of twins) expect(readFileSync(join(twin, "environment.json"), "utf8")).not.toContain("diff");
  });

  test("differ in nothing but the head, and say something of the next token", async () => {
    const [softmax, mixture] = twins.map(readRunConfig);
    expect(mixture!.model.head).toEqual({ kind: "mos", mixtures: 4 });
    expect({ ...mixture, model: { ...mixture!.model, head: softmax!.model.head } }).toEqual(softmax);
    for (const twin of twins) {
      const run = await loadRun(twin, "latest", quiet);
      const { logProbs } = await run.model.next([...run.tokenizer.encode("The whale")]);
      const likeliest = run.tokenizer.decode([logProbs.indexOf(Math.max(...logProbs))]);
      expect(logProbs.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 4); // of 15,932 in float32
      expect(likeliest).toMatch(/^[ -~]+$/); // a piece of English: nothing outside of ASCII
      run.dispose();
    }
  });

  test("softbox play starts on them with no argument: on those under checkpoints/ here, else on softbox's own, and says so", async () => {
    const empty = join(here, "empty");
    mkdirSync(empty);
    const anywhere = await softbox(empty, ["play"]);
    expect(anywhere.err).toContain("checkpoints/twin-softmax, which comes with softbox");
    expect(anywhere.out).toMatch(/entropy: \d\.\d\d nats[\s\S]*The whale/);
    expect([anywhere.code, readdirSync(empty)]).toEqual([0, []]);
    const clone = join(here, "clone");
    for (const twin of twins) cpSync(twin, join(clone, twin), { recursive: true });
    const { code, out, err } = await softbox(clone, ["play"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("The whale");
  });
});

describe("a run exported as weights alone", () => {
  const run = join(here, "run");
  beforeAll(async () => {
    writeSmallText(here);
    const { code, err } = await softbox(here, ["train", ...tinyFlags, "--run", "run", "--steps", "6"]);
    expect(code, err).toBe(0);
  });

  /** log p of the next token. */
  const nextOf = async (folder: string): Promise<Float32Array> => {
    const loaded = await loadRun(folder, "best", quiet);
    const { logProbs } = await loaded.model.next([...loaded.tokenizer.encode("the ")]);
    loaded.dispose();
    return logProbs;
  };

  test("is a run that says the same, in numbers of the type asked for", async () => {
    const whole = await loadRun(run, "latest", quiet);
    const { logProbs } = await whole.model.next([...whole.tokenizer.encode("the ")]);
    whole.dispose();
    for (const [type, stored] of [
      ["float32", "F32"],
      ["bfloat16", "BF16"],
    ] as const) {
      const out = join(here, `weights-${type}`);
      expect(await exportRun(run, { format: "run", out, type, step: "latest", onWarning: quiet })).toBe(6);
      const { tensors, close } = await openSafetensors(join(out, "step-000006/model.safetensors"));
      expect(new Set([...tensors.values()].map((tensor) => tensor.type))).toEqual(new Set([stored]));
      await close();
      const next = await nextOf(out);
      // A weight rounded to 8 bits is off by a part in 256 at most.
      for (const [id, value] of logProbs.entries())
        expect(Math.abs(next[id]! - value)).toBeLessThan(type === "float32" ? 1e-7 : 0.02);
      for (const file of ["metrics.jsonl", "config.json", "tokenizer.json"])
        expect(readFileSync(join(out, file)).equals(readFileSync(join(run, file))), file).toBe(true);
    }
  });

  test("cannot be gone on with but started from, and is not written over anything", async () => {
    const out = await softbox(here, ["export", "run", "--format", "run"]);
    expect([out.code, out.out]).toEqual([0, "run, step 6, as run in float32: run-weights\n"]);
    const again = await softbox(here, ["export", "run", "--format", "run"]);
    expect([again.code, again.err]).toEqual([
      1,
      expect.stringContaining("run-weights: there is something of this name"),
    ]);
    const resumed = await softbox(here, ["train", "--resume", "run-weights", "--steps", "8"]);
    expect([resumed.code, resumed.err]).toEqual([1, expect.stringContaining("train --from run-weights")]);
    const tuned = await softbox(here, ["train", "--from", "run-weights", "--steps", "2", "--run", "tuned"]);
    expect(tuned.code, tuned.err).toBe(0);
    expect(existsSync(join(here, "tuned/step-000002"))).toBe(true);
  });
});
