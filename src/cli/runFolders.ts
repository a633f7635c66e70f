/** @file The runs that a name on the command line means. */
import { SandboxError } from "../engine/errors.ts";
import { didYouMean } from "../engine/nearest.ts";
import { isRun } from "../experiments/runFolder.ts";
import { findRuns } from "../experiments/runSummary.ts";

/**
 * A run, or the runs that a folder holds.
 *
 * @param command - for the message, as are the words that could have stood there instead.
 * @throws {SandboxError} if it is neither.
 */
export function runFolders(name: string, command: string, words: readonly string[] = []): string[] {
  if (isRun(name)) return [name];
  const found = findRuns(name);
  if (found.length > 0) return found;
  throw new SandboxError(
    `${command}: ${JSON.stringify(name)} is neither ${words.map((word) => `${word} nor `).join("")}a run, nor a folder with runs`,
    `${didYouMean(name, words)}softbox runs ls lists what is in checkpoints.`,
  );
}
