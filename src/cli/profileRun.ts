/** @file Trains with a clock around every kernel, then says where the milliseconds went. */
import { startProfiler } from "../engine/profile.ts";
import { writeRunFile } from "../experiments/runFolder.ts";
import type { Session } from "../experiments/session.ts";
import { print } from "./output.ts";
import { type TrainResult, trainRun } from "./trainRun.ts";

/** One row: a kernel, or what was spent outside of kernels. */
interface ProfileRow {
  readonly kernel: string;
  readonly callsPerStep: number;
  readonly millisecondsPerStep: number;
  /** Of the whole time, 0..1. */
  readonly share: number;
}

/** Kernels listed on the terminal; the file has all. */
const shownRows = 20;

/** As `trainRun`, and a table afterwards. Evaluations, samples and checkpoints are part of the time. */
export async function profileRun(session: Session, json: boolean): Promise<TrainResult> {
  const profiler = startProfiler();
  const start = performance.now();
  const result = await trainRun(session, json);
  const whole = performance.now() - start;
  const steps = Math.max(1, result.step - session.progress.step);
  const times = profiler.take();
  const inside = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const outside = { kernel: "outside of kernels (JavaScript, files)", calls: 0, milliseconds: whole - inside };
  const rows: ProfileRow[] = [...times, outside]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .map(({ kernel, calls, milliseconds }) => ({
      kernel,
      callsPerStep: calls / steps,
      millisecondsPerStep: milliseconds / steps,
      share: milliseconds / whole,
    }));
  await writeRunFile(session.folder, "profile.json", { steps, millisecondsPerStep: whole / steps, rows });
  if (!json) for (const line of tableOf(rows, whole / steps)) print(line);
  return result;
}

function tableOf(rows: readonly ProfileRow[], perStep: number): string[] {
  const line = (kernel: string, calls: string, milliseconds: string, share: string): string =>
    `${kernel.padEnd(40)}${calls.padStart(12)}${milliseconds.padStart(12)}${share.padStart(8)}`;
  const body = rows.slice(0, shownRows).map(({ kernel, callsPerStep, millisecondsPerStep, share }) => {
    const calls = callsPerStep ? callsPerStep.toFixed(1) : "";
    return line(kernel, calls, millisecondsPerStep.toFixed(3), `${(100 * share).toFixed(1)}%`);
  });
  return ["", line("kernel", "calls/step", "ms/step", "share"), ...body, line("all", "", perStep.toFixed(3), "100%")];
}
