/** @file Files of one JSON object a line, appended while a run goes on and cut back to a step when it is resumed. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { SandboxError } from "../engine/errors.ts";
import { explainFailure, replaceFile } from "../engine/files.ts";

/** A line; `step` orders it, `final` marks what exists only because the run stopped there. */
export interface Line {
  readonly step: number;
  readonly final?: true;
}

export interface LineWriter {
  append<T extends Line>(line: T): void;
  /** Hands lines to the disk; returns when they are safe there. */
  flush(): void;
  close(): void;
}

/** Lines are gathered for at most this long, so that a step does not wait for the disk. */
const patienceMilliseconds = 1000;

/** Opens a file for appending. */
export function openLines(path: string): LineWriter {
  const file = openSync(path, "a");
  let waiting: string[] = [];
  let written = performance.now();
  const explained = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw explainFailure(path, error);
    }
  };
  const write = (): void => {
    explained(() => waiting.length && writeSync(file, waiting.join("")));
    waiting = [];
    written = performance.now();
  };
  return {
    append: (line) => {
      waiting.push(`${JSON.stringify(line)}\n`);
      if (performance.now() - written > patienceMilliseconds) write();
    },
    flush: () => {
      write();
      explained(() => fsyncSync(file));
    },
    close: () => {
      write();
      closeSync(file);
    },
  };
}

/**
 * Reads every whole line; a torn last one is left out.
 *
 * @throws {SandboxError} naming a line that holds no object with a step: something has damaged it since it was written.
 */
export function readLines<T extends Line>(path: string): T[] {
  if (!existsSync(path)) return [];
  const whole = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return whole.map((line, i) => parseLine<T>(line, `${path}:${i + 1}`));
}

function parseLine<T extends Line>(text: string, where: string): T {
  try {
    const line = JSON.parse(text) as Partial<T> | null;
    if (Number.isSafeInteger(line?.step)) return line as T;
  } catch {
    // told below
  }
  throw new SandboxError(
    `${where}: expected a line softbox wrote, got ${JSON.stringify(text.slice(0, 60))}`,
    "The file was damaged; the model is not affected. Remove this line and go on, or take the file from a copy.",
  );
}

/** Drops what a resumed run will write again: lines after `step`, torn lines, and final ones. */
export async function cutLines(path: string, step: number): Promise<void> {
  const kept = readLines(path).filter((line) => line.step <= step && !line.final);
  await replaceFile(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
