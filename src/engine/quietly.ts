/** @file Lets a library of others start without a word on stderr, by a small addon (`native/quiet`) that lies where the library does. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

/**
 * Runs `work` with the process's stderr turned off. Errors are thrown all the same.
 *
 * @param addon - path of the compiled addon; where it is missing, what the library says is seen.
 */
export async function quietly<T>(addon: string, work: () => Promise<T>): Promise<T> {
  if (!existsSync(addon)) return work();
  const quiet = createRequire(import.meta.url)(addon) as { mute(): void; restore(): void };
  quiet.mute();
  try {
    return await work();
  } finally {
    quiet.restore();
  }
}
