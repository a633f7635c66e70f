/** @file How far an installation has come: a live line on a terminal, else a line now and then. */
import { endLive, isLive, print, showLive } from "../output.ts";

export interface Progress {
  /** A line that stays. */
  line(text: string): void;
  /** Bytes that are done, of how many where that is known. */
  part(what: string, done: number, all?: number): void;
}

/** Least time between two lines, where lines stay, and between two drawings, where they do not. */
const betweenLines = 5000;
const betweenDrawings = 100;

export function createProgress(): Progress {
  let told = performance.now();
  let current = "";
  let since = { time: told, bytes: 0 };
  return {
    line: (text) => {
      current = "";
      print(text);
    },
    part: (what, done, all) => {
      const now = performance.now();
      if (what !== current) since = { time: now, bytes: done };
      const due = now - told >= (isLive() ? betweenDrawings : betweenLines);
      if (!due && !(isLive() && (what !== current || done === all))) return;
      current = what;
      told = now;
      const text = `  ${what}: ${describe(done, all)}${speed(done - since.bytes, now - since.time, all && all - done)}`;
      if (isLive()) showLive(text);
      else print(text);
      if (isLive() && done === all) endLive();
    },
  };
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);

const describe = (done: number, all?: number): string =>
  all ? `${mega(done)} of ${mega(all)} MB` : `${mega(done)} MB`;

/** Megabytes a second and seconds left, once there is something to tell them from. */
function speed(bytes: number, milliseconds: number, left?: number): string {
  if (milliseconds < 500 || bytes <= 0) return "";
  const rate = bytes / milliseconds; // kB a second
  const rest = left ? `, ${Math.ceil(left / rate / 1000)} s left` : "";
  return `, ${(rate / 1000).toFixed(rate < 10_000 ? 1 : 0)} MB/s${rest}`;
}
