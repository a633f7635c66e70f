// softbox sweep --queue and softbox worker, with a Redis, workers that are killed, and whatever else goes wrong between machines.
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { environment, program, softbox, tinyFlags } from "../support/cli.ts";
import { smallText, temporaryFolder, writeSmallText } from "../support/folders.ts";
import { findRedis, type RedisServer, startRedis } from "../support/redis.ts";

const folder = temporaryFolder();
writeSmallText(folder);
const common = [
  ...tinyFlags,
  ..."--set training.evaluateEvery=0 --set training.checkpointEvery=20 --set probes=[] --engine native".split(" "),
];
let redis: RedisServer;

interface Running {
  readonly child: ChildProcess;
  /** Lines of stdout so far. */
  readonly lines: string[];
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}

/** Starts softbox and goes on. */
function start(args: readonly string[], cwd = folder, entry = program): Running {
  const child = spawn(process.execPath, [entry, ...args], { cwd, env: environment(folder) });
  const lines: string[] = [];
  let [errors, rest] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, lines, errors: () => errors, ended };
}

const sweep = (out: string, ...args: string[]): Running =>
  start(["sweep", ...common, "--queue", redis.url, "--out", out, "--json", ...args]);
const worker = (...args: string[]): Running => start(["worker", "--queue", redis.url, "--json", ...args]);

/** Waits for what must come to pass. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (const begun = performance.now(); !holds(); await setTimeout(20))
    if (performance.now() - begun > 60_000) throw new Error(`not within 60 s: ${what}`);
}

interface Told {
  readonly type: string;
  readonly name: string;
  readonly step?: number;
}
const eventsOf = ({ lines }: Running): Told[] => lines.map((line) => JSON.parse(line) as Told);

/** Waits until a worker is in the middle of a trial that has a checkpoint; tells which. */
async function middleOfTrial(of: Running, step = 40): Promise<string> {
  const last = (): Told => JSON.parse(of.lines.at(-1) ?? "{}");
  await until(`a worker is past step ${step}`, () => last().type === "progress" && last().step! >= step);
  return last().name;
}

const stepsOf = (study: string, name: string): number[] =>
  readFileSync(join(folder, study, name, "timings.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).step);

/** Every trial once in the table, once in the record, each of its steps once. */
function expectWhole(study: string, out: readonly string[], count: number, steps: number): void {
  const { results, failed } = JSON.parse(out.at(-1)!);
  expect([results.length, failed]).toEqual([count, {}]);
  const recorded = readFileSync(join(folder, study, "results.jsonl"), "utf8")
    .trim()
    .split("\n");
  const names = recorded.map((line) => JSON.parse(line).name as string);
  expect([names.length, new Set(names).size]).toEqual([count, count]);
  const runs = readdirSync(join(folder, study)).filter((name) => existsSync(join(folder, study, name, "config.json")));
  expect(runs.sort()).toEqual(names.sort());
  for (const name of names)
    expect([name, stepsOf(study, name)]).toEqual([name, Array.from({ length: steps }, (_, i) => i + 1)]);
}

const redisProgram = findRedis();
if (redisProgram === undefined)
  process.stderr.write(
    "no redis-server here: sweeps over a queue are not tested (Debian: apt-get install redis-server)\n",
  );
else
  describe("with a Redis", () => {
    beforeAll(async () => {
      redis = await startRedis(redisProgram, folder);
    });
    afterAll(() => redis.kill());

    test("12 trials, two workers, one killed with -9 in the middle of one: each is made once, and that one goes on from its checkpoint", {
      timeout: 180_000,
    }, async () => {
      const [doomed, other] = [worker(), worker("--idle", "30")];
      const asking = sweep(
        "killed",
        "--sweep",
        "lr=1e-3..1e-1:log:6",
        "--sweep",
        "head=softmax,mos:2",
        "--steps",
        "200",
      );
      const name = await middleOfTrial(doomed);
      doomed.child.kill("SIGKILL");
      expect(await asking.ended).toBe(0);
      expectWhole("killed", asking.lines, 12, 200);
      expect(asking.errors()).toMatch(
        new RegExp(`${name}: worker \\S+:${doomed.child.pid} left it, \\S+:${other.child.pid} goes on`),
      );
      expect(eventsOf(other).filter(({ type, name: of }) => type === "finished" && of === name)).toHaveLength(1);
      const first = eventsOf(other).find(({ type, name: of }) => type === "progress" && of === name);
      expect(first!.step).toBeGreaterThan(20); // not from the beginning
      const done = [doomed, other].flatMap(eventsOf).filter(({ type }) => type === "finished");
      expect([done.length, new Set(done.map(({ name: of }) => of)).size]).toEqual([12, 12]);

      const again = await softbox(folder, [
        ...["sweep", ...common, "--queue", redis.url, "--out", "killed", "--steps", "200"],
        ...["--sweep", "lr=1e-3..1e-1:log:6", "--sweep", "head=softmax,mos:2"],
      ]);
      expect([again.code, again.err]).toEqual([0, expect.stringContaining(": 0 of 12 trials to make")]);
      other.child.kill("SIGINT");
      expect(await other.ended).toBe(130);
    });

    test("Ctrl-C on a worker saves its trial and hands it back; a Redis that dies and comes back empty costs nothing either", {
      timeout: 120_000,
    }, async () => {
      const first = worker();
      const asking = sweep("handed", "--sweep", "lr=0.01,0.02", "--steps", "600");
      const name = await middleOfTrial(first);
      first.child.kill("SIGINT");
      expect(await first.ended).toBe(130);
      const saved = readFileSync(join(folder, "handed", name, "latest"), "utf8");
      expect(existsSync(join(folder, "handed", name, "run.lock"))).toBe(false);
      expect(eventsOf(first).at(-1)).toEqual({ type: "stopped", name });

      const second = worker("--idle", "30");
      await middleOfTrial(second);
      expect(eventsOf(second).find(({ type }) => type === "progress")).toMatchObject({
        name,
        step: Number(/\d+/.exec(saved)![0]) + 1,
      });
      await redis.kill();
      await until("the sweep tells of the outage", () =>
        asking.errors().includes("the connection is lost, trying again"),
      );
      await redis.start();
      expect(await asking.ended).toBe(0);
      expect(asking.errors()).toContain("connected again");
      expectWhole("handed", asking.lines, 2, 600);
      second.child.kill("SIGINT");
      await second.ended;
    });

    test("Ctrl-C on a sweep takes back what no worker has; it and the same command do without each other", {
      timeout: 60_000,
    }, async () => {
      const args = ["--sweep", "lr=0.01,0.02,0.03", "--steps", "4"];
      const first = sweep("stopped", ...args);
      await until("it says that nobody works", () => first.errors().includes("no worker of softbox"));
      first.child.kill("SIGINT");
      expect(await first.ended).toBe(130);
      expect(first.errors()).toContain("3 trials withdrawn from the queue\n");
      const idle = worker("--idle", "1");
      expect([await idle.ended, idle.lines]).toEqual([0, []]);
    });

    test("a worker that does not see the sweep's folder, or sees another text, ends and leaves the trial to others", {
      timeout: 120_000,
    }, async () => {
      const text = join(folder, "seen.txt");
      const [right, worker] = [smallText(), () => softbox(folder, ["worker", "--queue", redis.url])];
      writeFileSync(text, right);
      const asking = sweep("seen", "--sweep", "lr=0.01", "--steps", "4", "--corpus", "seen.txt");
      await until("the trial waits", () => asking.errors().includes("no worker of softbox"));
      const elsewhere = join(folder, "elsewhere");
      mkdirSync(elsewhere);
      const blind = await softbox(elsewhere, ["worker", "--queue", redis.url]);
      expect([blind.code, blind.out]).toEqual([1, ""]);
      expect(blind.err).toContain(
        `but ${join(elsewhere, "seen")} is not that folder\nhint: Start workers in the same shared`,
      );
      writeFileSync(text, right.toUpperCase());
      expect(await worker()).toMatchObject({
        code: 1,
        err: expect.stringContaining("which is another text here (SHA-256 "),
      });
      rmSync(text);
      expect(await worker()).toMatchObject({
        code: 1,
        err: expect.stringMatching(/error: worker: trial \S+: .*seen\.txt/),
      });
      writeFileSync(text, right);
      const good = await softbox(folder, ["worker", "--queue", redis.url, "--idle", "1"]);
      expect([good.code, await asking.ended]).toEqual([0, 0]);
      expectWhole("seen", asking.lines, 1, 4);
    });

    test("a worker of another softbox leaves the trials, and both sides say so", { timeout: 120_000 }, async () => {
      const other = join(folder, "other-softbox");
      mkdirSync(other);
      for (const name of ["bin", "dist"]) cpSync(name, join(other, name), { recursive: true });
      cpSync("package.json", join(other, "package.json"));
      for (const name of ["node_modules", "native", "recipes", "corpora"])
        symlinkSync(join(process.cwd(), name), join(other, name));
      writeFileSync(join(other, "dist/changed.js"), "// a line\n");
      const stranger = start(["worker", "--queue", redis.url], folder, join(other, "bin/softbox.js"));
      await until("the stranger is there", () => stranger.errors().includes("takes 1 at a time"));
      const asking = sweep("versions", "--sweep", "lr=0.01", "--steps", "4");
      await until("the sweep tells", () => /there are workers of \S+: they take none/.test(asking.errors()));
      const later = await softbox(folder, ["worker", "--queue", redis.url, "--idle", "2"]);
      expect([later.code, await asking.ended]).toEqual([0, 0]);
      expect(stranger.lines).toEqual([]);
      stranger.child.kill("SIGINT");
      await stranger.ended;
    });
  });

test.each([
  [["worker"], "no queue is named"],
  [["worker", "--queue", "http://127.0.0.1"], "expected redis://host:port"],
  [["worker", "--queue", "redis://127.0.0.1:1"], "cannot be reached (connect ECONNREFUSED 127.0.0.1:1)"],
  [["sweep", "--sweep", "lr=1,2", "--queue", "redis://127.0.0.1:1", "--out", "never"], "Start Redis there"],
  [["sweep", "--sweep", "lr=1,2", "--queue", "redis://h", "--parallel", "2", "--out", "never"], "worker --queue"],
])("softbox %j is an error before anything is made", { timeout: 30_000 }, async (args, words) => {
  const { code, err } = await softbox(folder, args);
  expect([code, err, existsSync(join(folder, "never"))]).toEqual([1, expect.stringContaining(words), false]);
});
