/** @file A run as a report shows it, read from its folder alone: figures, curves, film, samples. Plain data. */
import { z } from "zod";
import type { StepEvent } from "../../training/events.ts";
import type { GateEvent, ProbeEvent, RunEvent, SampleEvent } from "../events.ts";
import { type CurvePoint, type RunOutcome, readOutcome } from "../outcome.ts";
import { openRecording } from "../recording.ts";
import { readRunFile } from "../runFolder.ts";
import { type RunNotes, readNotes } from "../runNotes.ts";

/** What is told of where a run was made. */
const Environment = z.object({
  softbox: z.string().optional(),
  engine: z.string().optional(),
  processor: z.string().optional(),
  git: z.object({ commit: z.string(), clean: z.boolean() }).nullish(),
  corpus: z.object({ name: z.string().optional(), sha256: z.string().optional() }).optional(),
});

/** A training curve with few enough points to draw. */
export interface TrainingCurve {
  /** Each the mean of `stepsEach` steps, at the last of them. */
  readonly points: readonly CurvePoint[];
  readonly stepsEach: number;
}

export interface ReportRun {
  /** Tells it from the others. */
  readonly label: string;
  readonly outcome: RunOutcome;
  readonly training: TrainingCurve;
  /** Frames by prompt, in the order of the configuration. */
  readonly film: ReadonlyMap<string, readonly ProbeEvent[]>;
  readonly samples: readonly SampleEvent[];
  readonly gate: readonly GateEvent[];
  readonly notes: RunNotes;
  readonly environment: z.infer<typeof Environment>;
}

/** Points of a training curve, at most. */
const longestCurve = 100;

/** @throws {SandboxError} if a folder is no run, is damaged, or its run has not been evaluated yet. */
export function readReportRuns(folders: readonly string[]): ReportRun[] {
  const outcomes = folders.map(readOutcome);
  const isDistinct = new Set(outcomes.map(({ name }) => name)).size === outcomes.length;
  return outcomes.map((outcome) => readReportRun(outcome, isDistinct ? outcome.name : outcome.folder));
}

function readReportRun(outcome: RunOutcome, label: string): ReportRun {
  const events = openRecording(outcome.folder).read();
  const probes = ofType(events, "probe");
  const prompts = new Set([...outcome.config.probes, ...probes.map(({ prompt }) => prompt)]);
  const film = [...prompts].map((prompt) => [prompt, probes.filter((probe) => probe.prompt === prompt)] as const);
  return {
    label,
    outcome,
    training: trainingCurve(ofType(events, "step")),
    film: new Map(film.filter(([, frames]) => frames.length > 0)),
    samples: ofType(events, "sample"),
    gate: ofType(events, "gate"),
    notes: readNotes(outcome.folder),
    environment: Environment.safeParse(readRunFile(outcome.folder, "environment.json")).data ?? {},
  };
}

const ofType = <K extends RunEvent["type"]>(events: readonly RunEvent[], type: K) =>
  events.filter((event): event is Extract<RunEvent, { type: K }> => event.type === type);

/** Means of so many steps each that at most {@link longestCurve} are left. */
export function trainingCurve(steps: readonly StepEvent[]): TrainingCurve {
  const stepsEach = Math.max(1, Math.ceil(steps.length / longestCurve));
  const points: CurvePoint[] = [];
  let [tokens, milliseconds] = [0, 0];
  for (let from = 0; from < steps.length; from += stepsEach) {
    const some = steps.slice(from, from + stepsEach);
    for (const step of some) {
      tokens += step.tokens;
      milliseconds += step.milliseconds;
    }
    const nats = some.reduce((sum, { loss }) => sum + loss, 0) / some.length;
    points.push({ step: some.at(-1)!.step, tokens, seconds: milliseconds / 1000, nats });
  }
  return { points, stepsEach };
}
