/** @file Carries a sweep out, rung by rung. What is done is on the disk at once, so that after any crash the rest alone is made. */
import { join } from "node:path";
import { cutLines, type Line, openLines, readLines } from "../jsonLines.ts";
import { readOutcome } from "../outcome.ts";
import { meanOf } from "../statistics.ts";
import type { Trial } from "../trials.ts";
import type { Workshop, WorkshopEvent } from "../workshop.ts";
import { rungsOf, survivors } from "./halving.ts";

/** One point of a sweep with all its seeds. */
export interface SweepPoint {
  readonly name: string;
  readonly trials: readonly Trial[];
}

export interface SweepPlan {
  readonly study: string;
  readonly points: readonly SweepPoint[];
  /** Of each trial that goes to the end. */
  readonly steps: number;
  /** η of successive halving; absent where every trial goes to the end. */
  readonly halving?: number;
}

/** How far a point came, and how good it was there. */
export interface PointResult {
  readonly name: string;
  readonly steps: number;
  /** By seed, nats per token. */
  readonly nats: readonly number[];
  readonly folders: readonly string[];
}

export type SweepEvent =
  | { readonly type: "rung"; readonly steps: number; readonly points: number; readonly todo: number }
  | { readonly type: "trial"; readonly event: WorkshopEvent }
  | { readonly type: "end"; readonly results: readonly PointResult[]; readonly failed: ReadonlyMap<string, string> };

/** A trial's loss at the end of a rung. */
interface Recorded extends Line {
  readonly name: string;
  /** `null` where it is not finite. */
  readonly nats: number | null;
}

/** Ends early, without the `end`, where `signal` aborts. */
export async function* runSweep(plan: SweepPlan, workshop: Workshop, signal?: AbortSignal): AsyncGenerator<SweepEvent> {
  const path = join(plan.study, "results.jsonl");
  await cutLines(path, Number.MAX_SAFE_INTEGER); // what a crash tore off goes, before anything is written behind it
  const book = openBook(path);
  const failed = new Map<string, string>();
  const results = new Map<string, PointResult>();
  let alive = plan.points;
  for (const steps of rungsOf(plan.steps, plan.points.length, plan.halving)) {
    if (alive.length === 0) break;
    yield* climb(alive, steps, { book, workshop, failed, signal });
    if (signal?.aborted) return;
    for (const result of alive.flatMap((point) => resultOf(point, steps, book))) results.set(result.name, result);
    alive = survivors(scoresOf(alive, steps, book), plan.halving ?? 1);
  }
  yield { type: "end", results: ranked([...results.values()]), failed };
}

interface Tools {
  readonly book: Book;
  readonly workshop: Workshop;
  readonly failed: Map<string, string>;
  readonly signal: AbortSignal | undefined;
}

/** Trains what is missing of a rung. */
async function* climb(alive: readonly SweepPoint[], steps: number, tools: Tools): AsyncGenerator<SweepEvent> {
  const { book, workshop, failed, signal } = tools;
  const jobs = alive.flatMap(({ trials }) => trials.map((trial) => ({ trial, steps })));
  const todo = jobs.filter(({ trial }) => book.read(trial.name, steps) === undefined);
  yield { type: "rung", steps, points: alive.length, todo: todo.length };
  const byName = new Map(todo.map(({ trial }) => [trial.name, trial]));
  for await (const event of workshop.train(todo, signal)) {
    if (event.type === "finished") book.write(event.name, steps, natsOf(byName.get(event.name)!, steps));
    if (event.type === "failed") failed.set(event.name, event.reason);
    yield { type: "trial", event };
  }
}

const natsOfPoint = ({ trials }: SweepPoint, steps: number, book: Book): number[] =>
  trials.flatMap(({ name }) => book.read(name, steps) ?? []);

function resultOf(point: SweepPoint, steps: number, book: Book): PointResult[] {
  const nats = natsOfPoint(point, steps, book);
  return nats.length === 0
    ? []
    : [{ name: point.name, steps, nats, folders: point.trials.map(({ folder }) => folder) }];
}

/** A point's mean over seeds; NaN where one of them failed. */
const scoresOf = (alive: readonly SweepPoint[], steps: number, book: Book): Map<SweepPoint, number> =>
  new Map(
    alive.map((point) => {
      const nats = natsOfPoint(point, steps, book);
      return [point, nats.length === point.trials.length ? meanOf(nats) : Number.NaN];
    }),
  );

/** The loss at that step; at the last one where the run was evaluated nowhere else. */
function natsOf({ folder }: Trial, steps: number): number {
  const { curve, nats } = readOutcome(folder);
  return curve.find(({ step }) => step === steps)?.nats ?? nats;
}

/** Those that came furthest first, of these the best first. */
const ranked = (results: readonly PointResult[]): PointResult[] =>
  [...results].sort((a, b) => b.steps - a.steps || order(meanOf(a.nats)) - order(meanOf(b.nats)));
const order = (nats: number): number => (Number.isFinite(nats) ? nats : Number.MAX_VALUE);

/** What has been done, on the disk. */
interface Book {
  read(name: string, step: number): number | undefined;
  write(name: string, step: number, nats: number): void;
}

function openBook(path: string): Book {
  const known = new Map(
    readLines<Recorded>(path).map(({ name, step, nats }) => [`${name} ${step}`, nats ?? Number.NaN]),
  );
  return {
    read: (name, step) => known.get(`${name} ${step}`),
    write: (name, step, nats) => {
      known.set(`${name} ${step}`, nats);
      const lines = openLines(path);
      lines.append<Recorded>({ name, step, nats: Number.isFinite(nats) ? nats : null });
      lines.flush();
      lines.close();
    },
  };
}
