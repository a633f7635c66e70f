/**
 * @file Event files: TFRecords, one after the other (tensorflow.org/tutorials/load_data/tfrecord): length as uint64, its masked CRC-32C, the
 * data, theirs; little-endian.
 */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { explainFailure, replaceFile } from "../../engine/files.ts";
import { maskedCrc32c } from "./crc32c.ts";
import { type Shown, stepOf, summaryEvent, versionEvent } from "./summary.ts";

/** Ours are told from others' by their end. */
const [beginning, ending] = ["events.out.tfevents.", ".softbox"];

/** The event files of a run that softbox wrote, the oldest first. */
export const eventFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(beginning) && name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));

export interface EventWriter {
  add(step: number, shown: readonly Shown[]): void;
  /** Hands events to the disk; returns when they are safe there. */
  flush(): void;
  close(): void;
}

/** Events are gathered for at most this long. */
const patienceMilliseconds = 1000;

/**
 * Opens a new event file in a run's folder.
 *
 * @param now - milliseconds since 1970; names and events carry it.
 */
export function openEventFile(folder: string, now: () => number = Date.now): EventWriter {
  const newest = eventFiles(folder).at(-1);
  const before = newest === undefined ? 0 : Number(newest.slice(0, -ending.length).split(".").at(-1));
  const path = join(folder, `${beginning}${Math.max(now(), before + 1)}${ending}`);
  let waiting: Uint8Array[] = [record(versionEvent(now() / 1000))];
  let written = now();
  const file = guarded(path, () => openSync(path, "wx"));
  const write = (): void => {
    if (waiting.length > 0) guarded(path, () => writeSync(file, Buffer.concat(waiting)));
    waiting = [];
    written = now();
  };
  write();
  return {
    add: (step, shown) => {
      if (shown.length === 0) return;
      waiting.push(record(summaryEvent(now() / 1000, step, shown)));
      if (now() - written > patienceMilliseconds) write();
    },
    flush: () => {
      write();
      guarded(path, () => fsyncSync(file));
    },
    close: () => {
      write();
      closeSync(file);
    },
  };
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFailure(path, error);
  }
}

function record(data: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(data.length + 16);
  framed.writeBigUInt64LE(BigInt(data.length));
  framed.writeUInt32LE(maskedCrc32c(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return framed;
}

/** Drops what a resumed run will write again: records after `step`, and everything from a torn or damaged one on. */
export async function cutEventFiles(folder: string, step: number): Promise<void> {
  for (const path of eventFiles(folder)) {
    const content = readFileSync(path);
    const kept = keptLength(content, step);
    if (kept < content.length) await replaceFile(path, [content.subarray(0, kept)]);
  }
}

/** Steps of a file only grow, so what is kept is its beginning. */
function keptLength(content: Buffer, lastStep: number): number {
  let at = 0;
  while (at + 16 <= content.length) {
    const length = Number(content.readBigUInt64LE(at));
    const end = at + length + 16;
    if (end > content.length || content.readUInt32LE(at + 8) !== maskedCrc32c(content.subarray(at, at + 8))) break;
    const data = content.subarray(at + 12, end - 4);
    if (content.readUInt32LE(end - 4) !== maskedCrc32c(data) || (stepOf(data) ?? 0) > lastStep) break;
    at = end;
  }
  return at;
}
