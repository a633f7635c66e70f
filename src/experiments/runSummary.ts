/** @file Runs in a line each: what they are, how far they came, how good they are. Reads files only. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { headName } from "../lm/heads/shortForm.ts";
import type { RunEvent } from "./events.ts";
import { isRunBusy } from "./lock.ts";
import { openRecording } from "./recording.ts";
import { isRun, readRunConfig } from "./runFolder.ts";
import { readNotes } from "./runNotes.ts";
import { studyRuns } from "./study.ts";

/** Where a run stands; `damaged`: its configuration cannot be read. */
export type RunState = "finished" | "training" | "stopped" | "damaged";

/** A run in a line. */
export interface RunSummary {
  readonly name: string;
  readonly folder: string;
  readonly state: RunState;
  /** Why it is damaged. */
  readonly problem?: string;
  /** Family and head. */
  readonly model?: string;
  readonly corpus?: string;
  readonly tokenizer?: string;
  /** Steps made, and steps in all. */
  readonly step: number;
  readonly steps?: number;
  /** The lowest validation loss, nats per token. */
  readonly bestNats?: number;
  /** At that evaluation: comparable across tokenizers. */
  readonly bitsPerByte?: number;
  /** Of the last steps. */
  readonly tokensPerSecond?: number;
  /** What people say of it; absent where they say nothing. */
  readonly tags?: readonly string[];
  readonly note?: string;
  /** When something was last recorded, milliseconds since 1970. */
  readonly changedAt: number;
}

/** A run's record, reduced to what can be compared. */
export interface RunCurves {
  /** Training loss of each step, nats per token. */
  readonly loss: readonly { readonly step: number; readonly value: number }[];
  readonly validation: readonly { readonly step: number; readonly value: number }[];
}

/** Steps whose mean speed is told. */
const recentSteps = 50;

/** The folders of runs in a folder: of a study in its order, else by name. */
export function findRuns(root: string): string[] {
  if (!existsSync(root)) return [];
  const planned = studyRuns(root);
  if (planned) return planned;
  return readdirSync(root)
    .sort()
    .map((name) => join(root, name))
    .filter(isRun);
}

/** A run in a line and its curves; one that cannot be read is told as damaged, not thrown. */
export function readRun(folder: string): { readonly summary: RunSummary; readonly curves: RunCurves } {
  const base = { name: basename(folder), folder, changedAt: changedAt(folder) };
  try {
    const events = openRecording(folder).read();
    return { summary: { ...base, ...factsOf(folder, events) }, curves: curvesOf(events) };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const problem = error.message;
    return { summary: { ...base, state: "damaged", step: 0, problem }, curves: { loss: [], validation: [] } };
  }
}

function factsOf(folder: string, events: readonly RunEvent[]): Omit<RunSummary, "name" | "folder" | "changedAt"> {
  const { model, corpus, tokenizer, training } = readRunConfig(folder);
  const step = events.at(-1)?.step ?? 0;
  const { tags, note } = readNotes(folder);
  const evaluations = events.filter((event) => event.type === "evaluation");
  const best = evaluations.reduce<(typeof evaluations)[number] | undefined>(
    (least, event) => (least === undefined || event.nats < least.nats ? event : least),
    undefined,
  );
  const recent = events.filter((event) => event.type === "step").slice(-recentSteps);
  const milliseconds = recent.reduce((sum, event) => sum + event.milliseconds, 0);
  const tokens = recent.reduce((sum, event) => sum + event.tokens, 0);
  return {
    state: isRunBusy(folder) ? "training" : step >= training.steps ? "finished" : "stopped",
    model: `${model.kind} ${headName(model.head)}`,
    corpus: basename(corpus),
    tokenizer,
    step,
    steps: training.steps,
    ...(best && { bestNats: best.nats, bitsPerByte: best.bitsPerByte }),
    ...(tags.length > 0 && { tags }),
    ...(note && { note }),
    ...(milliseconds > 0 && { tokensPerSecond: (1000 * tokens) / milliseconds }),
  };
}

function curvesOf(events: readonly RunEvent[]): RunCurves {
  return {
    loss: events.flatMap((event) => (event.type === "step" ? [{ step: event.step, value: event.loss }] : [])),
    validation: events.flatMap((event) =>
      event.type === "evaluation" ? [{ step: event.step, value: event.nats }] : [],
    ),
  };
}

function changedAt(folder: string): number {
  const path = join(folder, "metrics.jsonl");
  return statSync(existsSync(path) ? path : folder).mtimeMs;
}
