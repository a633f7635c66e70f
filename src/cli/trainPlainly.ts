/** @file Trains with lines as progress. Loads tfjs. */
import { startEngine } from "./command.ts";
import { openSession } from "./openSession.ts";
import { note, print } from "./output.ts";
import { profileRun } from "./profileRun.ts";
import type { TrainWork } from "./train/messages.ts";
import { introduce, trainRun } from "./trainRun.ts";

export async function trainPlainly(
  { job, engine: wanted, precision }: TrainWork,
  { json, profile }: { readonly json: boolean; readonly profile: boolean },
): Promise<void> {
  const engine = await startEngine(wanted, precision);
  if (!json) print(`engine: ${engine.description}`);
  const session = await openSession(job, engine.description, note);
  try {
    if (session.progress.step >= session.config.training.steps)
      return note(`the run is at step ${session.progress.step} already; train further with --steps <more>`);
    if (!json) introduce(session);
    await (profile ? profileRun(session, json) : trainRun(session, json));
  } finally {
    session.close();
  }
}
