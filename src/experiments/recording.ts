/** @file What a run's folder tells, as the events it was written from, and then what another process adds to it. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { StepEvent } from "../training/events.ts";
import type { RunEvent } from "./events.ts";

/** Reads a run's record from its beginning on, as often as one likes. */
export interface Recording {
  /** The events since the last call, in order. Lines that are not whole yet come with a later call. */
  read(): RunEvent[];
}

interface Timing {
  readonly step: number;
  readonly tokens: number;
  readonly milliseconds: number;
}

/** Opens no file: each call reads what is there. */
export function openRecording(folder: string): Recording {
  const tails = {
    metrics: createTail(join(folder, "metrics.jsonl")),
    timings: createTail(join(folder, "timings.jsonl")),
    probes: createTail(join(folder, "probes.jsonl")),
    samples: createTail(join(folder, "samples.jsonl")),
  };
  let newest: Timing | undefined;
  return {
    read: () => {
      const timings = new Map((tails.timings() as Timing[]).map((timing) => [timing.step, timing]));
      const metrics = (tails.metrics() as RunEvent[]).map((event): RunEvent => {
        if (event.type !== "step") return event;
        newest = timings.get(event.step) ?? newest; // a timing that is not on the disk yet is like the one before
        return { ...event, tokens: newest?.tokens ?? 0, milliseconds: newest?.milliseconds ?? 0 } satisfies StepEvent;
      });
      const events = [...metrics, ...(tails.probes() as RunEvent[]), ...(tails.samples() as RunEvent[])];
      return events.sort((a, b) => a.step - b.step); // stable: a step, its evaluation, probes, sample
    },
  };
}

/** Reads the whole lines that a file has grown by; if it was cut back, what came again is left out. */
function createTail(path: string): () => readonly { readonly step: number }[] {
  let offset = 0;
  let newest = 0;
  let seen = 0; // after a cut: what comes again up to here is known
  return () => {
    if (!existsSync(path)) return [];
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      if (size < offset) [offset, seen] = [0, newest];
      const bytes = Buffer.alloc(size - offset);
      const text = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
      const whole = text.lastIndexOf("\n") + 1;
      offset += whole;
      const lines = text.subarray(0, whole).toString().split("\n").flatMap(parseLine);
      const fresh = lines.filter(({ step }) => step > seen);
      newest = fresh.at(-1)?.step ?? newest;
      return fresh;
    } finally {
      closeSync(file);
    }
  };
}

/** A line's object; a torn or foreign line gives none. */
function parseLine(line: string): { readonly step: number }[] {
  if (line === "") return [];
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "step" in value ? [value as { step: number }] : [];
  } catch {
    return [];
  }
}
