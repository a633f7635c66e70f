/** @file A trained model in one call, for programs: the engine is started, the newest checkpoint loaded. */
import { useEngine } from "../engine/engine.ts";
import type { Precision } from "../engine/ladder/ladder.ts";
import { type LoadedRun, loadRun } from "./loadRun.ts";

export interface LoadOptions {
  /** As `--engine`; `auto` unless given. */
  readonly engine?: string;
  readonly precision?: Precision;
  /** `latest`, `best`, or a step's number; `latest` unless given. */
  readonly step?: string;
  /** Told what is passed over, e.g. a damaged checkpoint. */
  readonly onWarning?: (line: string) => void;
}

/**
 * Starts an engine and loads a run's model with its tokenizer. The caller disposes it.
 *
 * @throws {SandboxError} if the engine cannot start, or there is no such run or step.
 */
export async function loadModel(folder: string, options: LoadOptions = {}): Promise<LoadedRun> {
  const { engine = "auto", precision = "float32", step = "latest", onWarning = () => {} } = options;
  await useEngine(engine, { precision });
  return loadRun(folder, step, onWarning);
}
