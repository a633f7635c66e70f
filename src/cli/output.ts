/** @file The only place that writes to the terminal. */
import { formatCount } from "../experiments/numbers.ts";
import { printableText } from "../text/printable.ts";

export { formatCount, formatDuration, formatSeconds } from "../experiments/numbers.ts";

/** Whether stdout is a terminal that can redraw a line. */
export const isLive = (): boolean => process.stdout.isTTY === true && process.env.TERM !== "dumb";

/** Whether a whole screen can be drawn: a terminal both ways, with colours and cursor movement, wanted by the user. */
export const canDraw = (): boolean => isLive() && process.stdin.isTTY === true && !process.env.NO_COLOR;

/** Whether colours reach somebody on stdout. */
export const hasColour = (): boolean =>
  process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";

let liveLine = false;

/** Replaces the live line, on terminals only. */
export function showLive(text: string): void {
  const width = (process.stdout.columns || 80) - 1; // a terminal may not know its size, and say 0
  process.stdout.write(`\r${text.slice(0, width)}\u001b[K`);
  liveLine = true;
}

/** Ends the live line, so that what follows starts on a line of its own. */
export function endLive(): void {
  if (liveLine) process.stdout.write("\n");
  liveLine = false;
}

/** Writes a line to stdout; a live line gives way to it. */
export function print(line = ""): void {
  if (liveLine) process.stdout.write("\r\u001b[K");
  liveLine = false;
  process.stdout.write(`${line}\n`);
}

/** Writes text as it comes, without a line end. */
export const printPart = (text: string): void => {
  process.stdout.write(text);
};

export const printJson = (value: unknown): void => print(JSON.stringify(value));

/** Notes for the user that are not part of the result: to stderr, so that a pipe stays clean. */
export function note(line: string): void {
  if (liveLine) process.stdout.write("\r\u001b[K");
  liveLine = false;
  process.stderr.write(`${line}\n`);
}

/** Text of a model or a file, with terminal escapes made visible; line ends stay. */
export const safeText = (text: string): string => printableText(text);

/** Least time between two lines of progress. */
const progressMilliseconds = 5000;

/** Says on stderr how far a long evaluation has come; short ones stay silent. */
export function tellNowAndThen(all: number): (tokens: number) => void {
  let told = performance.now();
  return (tokens) => {
    if (performance.now() - told < progressMilliseconds) return;
    told = performance.now();
    note(`predicted ${formatCount(tokens)} of ${formatCount(all)} tokens`);
  };
}
