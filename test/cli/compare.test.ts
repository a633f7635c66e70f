// softbox compare: heads trained for it and finished runs, in processes of their own as users start them.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const folder = temporaryFolder();
writeSmallText(folder);
const short = "--steps 12 --decay-steps 12 --seeds 2 --set training.evaluateEvery=6 --engine cpu".split(" ");
const flags = tinyFlags.filter((word, i) => word !== "--threads" && tinyFlags[i - 1] !== "--threads");
const compare = (...args: string[]) => softbox(folder, ["compare", ...args]);
const trained = ["--head", "softmax,mos:2", ...flags, ...short, "--out", "study"];

/** The last validation loss in a run's record. */
function lastEvaluation(run: string): number {
  const lines = readFileSync(join(folder, run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  const events = lines.map((line) => JSON.parse(line) as { type: string; nats: number });
  return events.findLast(({ type }) => type === "evaluation")!.nats;
}

test("trains each head with each seed, matched in parameters, and prints one table", { timeout: 120_000 }, async () => {
  const { code, out, err } = await compare(...trained, "--rank", "--json");
  expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining("feed-forward width") });
  const { variants, cautions } = JSON.parse(out);
  expect(variants.map(({ label }: { label: string }) => label)).toEqual(["softmax", "mos:2"]);
  expect(cautions).toEqual([]);
  const [{ parameters }] = variants;
  for (const variant of variants) {
    expect(variant.seeds).toEqual([3, 4]);
    expect(Math.abs(variant.parameters / parameters - 1)).toBeLessThan(0.01);
    expect(variant.rank).toBeGreaterThan(1);
    const recorded = variant.runs.map((run: { folder: string }) => lastEvaluation(run.folder));
    expect(variant.nats.mean).toBeCloseTo((recorded[0] + recorded[1]) / 2, 12);
    expect(variant.at.step.mean).toBeCloseTo(variant.nats.mean, 12);
  }
});

test("what is trained already is not trained again", { timeout: 60_000 }, async () => {
  const changed = () => readdirSync(join(folder, "study")).map((name) => statSync(join(folder, "study", name)).mtimeMs);
  const before = changed().slice(0, 4);
  const { code, out, err } = await compare(...trained);
  expect(code).toBe(0);
  expect(err.match(/was trained already/g)).toHaveLength(4);
  expect(changed().slice(0, 4)).toEqual(before);
  expect(out).toMatch(/^mos:2 {2,}[+−]\d\.\d{4} \([+−].*\) {2}(better|worse|within the spread)$/m);
  expect(out.split("\n").every((line) => line.length <= 110)).toBe(true);
});

test("finished runs and folders of runs are compared in their order", { timeout: 30_000 }, async () => {
  const all = JSON.parse((await compare("study", "--json")).out);
  expect(all.variants.map(({ label }: { label: string }) => label)).toEqual(["softmax", "mos:2"]);
  const two = await compare("study/mos-2-seed-3", "study/softmax-seed-3");
  expect(two.out).toContain("nats against mos:2:");
  expect(two.out).toContain("one seed: how much of a difference is chance cannot be told");
});

test("another configuration in the same folder is refused, with what differs", { timeout: 30_000 }, async () => {
  const { code, err } = await compare(...trained, "--batch-size", "3");
  expect(code).toBe(1);
  expect(err).toContain("training.batchSize: 4 → 3");
});

test("matched in time, a slower head makes fewer steps of the same schedule", { timeout: 60_000 }, async () => {
  const heads = ["--head", "softmax,mos:16", ...flags, ...short, "--seeds", "1", "--out", "timed", "--match", "time"];
  const { code, out } = await compare(...heads, "--json");
  expect(code).toBe(0);
  const [softmax, mos] = JSON.parse(out).variants;
  expect(softmax.step).toBe(12);
  const { training } = JSON.parse(readFileSync(join(folder, "timed/mos-16-seed-3/config.json"), "utf8"));
  expect(mos.step).toBe(training.steps);
  expect(training.schedule.decaySteps).toBe(training.steps);
});

test.each([
  [["--head", "softmax,softmax"], "softmax is named twice"],
  [["--head", "softmax", "--match", "size"], "expected parameters, time"],
  [["--head", "softmax", "a"], "Leave one of them out"],
  [["--steps", "3"], "no --head is named"],
  [[], "expected at least two runs"],
  [["nowhere", "else"], "is neither a run"],
])("compare %j is an error with what to do", { timeout: 30_000 }, async (args, words) => {
  const { code, err } = await compare(...args);
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining(words) });
});
