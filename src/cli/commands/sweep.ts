/** @file `softbox sweep`: many runs that differ in some keys, several at once, resumable, the best first. */
import { basename, join } from "node:path";
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { createLocalWorkshop } from "../../experiments/localWorkshop.ts";
import { lockRun } from "../../experiments/lock.ts";
import { expectQueueUrl } from "../../experiments/queue/redis.ts";
import { recipeNames } from "../../experiments/recipes.ts";
import { writeStudy } from "../../experiments/study.ts";
import { gridPoints, type Point, parseAxis, pointName, randomPoints } from "../../experiments/sweep/axes.ts";
import { type PointResult, runSweep, type SweepPlan } from "../../experiments/sweep/runSweep.ts";
import { expectSameSweep, parseSweep, readSweepFile, type SweepSpec } from "../../experiments/sweep/spec.ts";
import { expectSameTrial, fileName } from "../../experiments/trials.ts";
import type { Workshop } from "../../experiments/workshop.ts";
import { type CommandModule, declareEngine, type EngineOptions, wholeNumber } from "../command.ts";
import { addHelp } from "../helpText.ts";
import { note, print, printJson } from "../output.ts";
import { configFlags, defaultsOfRecipe, givenSettings, pathOf, resolveConfig, setOption } from "../runOptions.ts";
import { stopOnSignals } from "../stopOnSignals.ts";
import { sweepTable } from "../sweepTable.ts";
import { engineFlags, sharedThreads } from "../trainVariants.ts";
import { createTrialTeller } from "../trialProgress.ts";

interface SweepFlags extends EngineOptions {
  readonly recipe?: string;
  readonly sweep?: readonly string[];
  readonly seeds?: number;
  readonly random?: number;
  readonly sweepSeed?: number;
  readonly halving?: number;
  readonly parallel?: number;
  readonly queue?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** More trials than this are a mistake. */
const mostTrials = 10_000;

function declare(command: Command): void {
  command
    .argument("[file]", "a sweep as a .json file, see below; flags go before it")
    .option(
      "--sweep <key=values>",
      "what is varied: a list or a range; may be repeated",
      (value, all: string[] = []) => [...all, value],
    )
    .option("--seeds <n>", "runs of each point, with seeds from --seed on (default: 1)", wholeNumber("--seeds", 1, 100))
    .option(
      "--random <n>",
      "so many points drawn at random in place of the whole grid",
      wholeNumber("--random", 1, mostTrials),
    )
    .option("--sweep-seed <n>", "fixes which points are drawn (default: 1)", wholeNumber("--sweep-seed", 0))
    .option(
      "--halving <n>",
      "stop early: one point in n goes on for n times the steps, and so on",
      wholeNumber("--halving", 2, 100),
    )
    .option(
      "--parallel <n>",
      "trials at once, each a process of its own (default: 1)",
      wholeNumber("--parallel", 1, 64),
    )
    .option(
      "--queue <url>",
      "put the trials on a queue in Redis (redis://host:6379), from which softbox worker takes them on any machine",
    )
    .option("--out <folder>", "where the runs are kept (default: checkpoints/sweep-<recipe or file>)")
    .option("--json", "one JSON object instead of a table")
    .option(
      "--recipe <name>",
      `where the configuration starts from: ${recipeNames().join(", ")}, or a .json file (default: moby)`,
    );
  for (const { flag, help } of configFlags) command.option(flag, help);
  setOption(command);
  declareEngine(command);
  addHelp(command, () => [
    {
      title: "Keys are flags' names (head, learning-rate or lr, layers) or whole paths as in --set. Values:",
      items: [
        ["--sweep head=softmax,mos:4,mos:8", "a list"],
        ["--sweep lr=1e-4..1e-2:log", "a range: five points of a grid, :log:7 for seven, or drawn by --random"],
        ["--sweep layers=1..4", "whole numbers"],
      ],
    },
    "The same command goes on after any interruption, with what is missing. On several machines: start softbox worker --queue redis://host:6379 on each, in the same shared folder, then the sweep with the same --queue.",
    {
      title: "A file holds the same:",
      items: [['{ "recipe": "nano-char", "sweep": ["layers=1..4"], "seeds": 3, "halving": 3 }', ""]],
    },
    defaultsOfRecipe,
  ]);
}

/** File first, flags over it. */
function specOf(file: string | undefined, flags: SweepFlags, options: Readonly<Record<string, unknown>>): SweepSpec {
  const base = file === undefined ? {} : readSweepFile(file);
  const given = { recipe: flags.recipe, sweep: flags.sweep, seeds: flags.seeds, random: flags.random };
  const more = { sweepSeed: flags.sweepSeed, halving: flags.halving };
  const set = [...((base as { set?: string[] }).set ?? []), ...givenSettings(options)];
  const known = Object.entries({ ...given, ...more }).filter(([, value]) => value !== undefined);
  const raw = { ...base, ...Object.fromEntries(known), set };
  if (!("sweep" in raw))
    throw new SandboxError(
      "sweep: nothing is varied",
      "For example softbox sweep --sweep lr=1e-4..1e-2:log --sweep head=softmax,mos:4.",
    );
  return parseSweep(file ?? "sweep", raw);
}

/** Every point with every seed, each configuration checked before anything is trained. */
function planOf(study: string, spec: SweepSpec): SweepPlan {
  const axes = spec.sweep.map((text) => parseAxis(text, pathOf));
  const twice = axes.find(({ path }, i) => axes.findIndex((other) => other.path === path) < i);
  if (twice) throw new SandboxError(`--sweep: ${twice.path} is varied twice`, "Put its values into one list.");
  const counted = axes.find(({ path }) => path === "seed" || path === "training.steps");
  if (counted)
    throw new SandboxError(
      `--sweep: ${counted.path} cannot be varied`,
      "--seeds 3 makes runs of several seeds; all trials of a sweep have the same --steps, so that they can be compared.",
    );
  const points = spec.random === undefined ? gridPoints(axes) : randomPoints(axes, spec.random, spec.sweepSeed);
  if (points.length * spec.seeds > mostTrials)
    throw new SandboxError(
      `sweep: ${points.length} points with ${spec.seeds} seeds are more than ${mostTrials} trials`,
      "Draw some of them: --random 50.",
    );
  const planned = points.map((point, i) => sweepPoint(study, spec, point, i + 1));
  const steps = planned[0]!.trials[0]!.config.training.steps;
  return { study, points: planned, steps, ...(spec.halving !== undefined && { halving: spec.halving }) };
}

function sweepPoint(study: string, spec: SweepSpec, point: Point, number: number): SweepPlan["points"][number] {
  const set = [...spec.set, ...point.map(({ path, value }) => `${path}=${value}`)];
  const config = resolveConfig(spec.recipe, { set });
  const label = fileName(pointName(point)).slice(0, 80);
  const trials = Array.from({ length: spec.seeds }, (_, i) => {
    const seed = config.seed + i;
    const name = `${String(number).padStart(3, "0")}-${label}-seed-${seed}`;
    return { name, folder: join(study, name), config: { ...config, seed } };
  });
  return { name: pointName(point), trials };
}

async function run(options: Readonly<Record<string, unknown>>, [file]: readonly (string | undefined)[]): Promise<void> {
  const flags = options as unknown as SweepFlags;
  await expectWorkshop(flags);
  const spec = specOf(file, flags, options);
  const study = flags.out ?? join("checkpoints", `sweep-${basename(file ?? spec.recipe, ".json")}`);
  const plan = planOf(study, spec);
  expectSameSweep(study, spec);
  for (const { trials } of plan.points) for (const trial of trials) expectSameTrial(trial);
  await writeStudy(
    study,
    plan.points.flatMap(({ trials }) => trials),
    { kind: "sweep", spec },
  );
  const unlock = lockRun(study);
  try {
    await carryOut(plan, flags);
  } finally {
    unlock();
  }
}

/** @throws {SandboxError} if the queue is not there, or flags are for this machine alone. */
async function expectWorkshop({ queue, parallel }: SweepFlags): Promise<void> {
  if (queue === undefined) return;
  if (parallel !== undefined)
    throw new SandboxError(
      "--parallel: is for trials of this machine, with --queue the workers train them",
      "Give it to each worker: softbox worker --queue … --parallel 2.",
    );
  expectQueueUrl(queue);
  const { expectQueue } = await import("../../experiments/queue/queueWorkshop.ts");
  await expectQueue({ url: queue, onLine: note });
}

/** Who trains: processes of this machine, or workers at a queue. */
async function workshopOf({ study }: SweepPlan, flags: SweepFlags): Promise<Workshop> {
  if (flags.queue !== undefined) {
    const { createQueueWorkshop } = await import("../../experiments/queue/queueWorkshop.ts");
    return createQueueWorkshop({ url: flags.queue, study, flags: engineFlags(flags), onLine: note });
  }
  const parallel = flags.parallel ?? 1;
  return createLocalWorkshop({ study, parallel, flags: engineFlags(sharedThreads(flags, parallel)) });
}

async function carryOut(plan: SweepPlan, flags: SweepFlags): Promise<void> {
  const { signal, release } = stopOnSignals(
    flags.queue === undefined ? "stopping after the steps at hand, saving" : "stopping, taking back what waits",
  );
  const teller = createTrialTeller(flags.json === true);
  const workshop = await workshopOf(plan, flags);
  const trials = plan.points.flatMap((point) => point.trials);
  const hands = flags.queue === undefined ? `${flags.parallel ?? 1} at a time` : "for workers at the queue";
  note(`${plan.points.length} points, ${trials.length} trials, ${hands}; runs are kept in ${plan.study}`);
  try {
    for await (const event of runSweep(plan, workshop, signal)) {
      if (event.type === "rung") {
        const jobs = trials.map((trial) => ({ trial, steps: event.steps }));
        teller.begin(jobs, event.todo);
        const all = event.points * plan.points[0]!.trials.length;
        note(`${event.points} points up to step ${event.steps}: ${event.todo} of ${all} trials to make`);
      } else if (event.type === "trial") teller.tell(event.event);
      else tellEnd(event.results, event.failed, flags, plan);
    }
  } finally {
    release();
    teller.end();
  }
  if (!signal.aborted) return;
  note("stopped; the same command goes on");
  process.exitCode = 130;
}

function tellEnd(
  results: readonly PointResult[],
  failed: ReadonlyMap<string, string>,
  flags: SweepFlags,
  plan: SweepPlan,
): void {
  if (flags.json) printJson({ study: plan.study, steps: plan.steps, results, failed: Object.fromEntries(failed) });
  else for (const line of sweepTable(results)) print(line);
  for (const [name, reason] of failed) note(`failed: ${name}: ${reason}`);
  if (failed.size > 0) process.exitCode = 1;
}

export const sweep: CommandModule = { declare, run };
