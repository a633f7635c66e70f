/** @file A trained model for use: everything but the optimiser. */
import { namedVariables } from "../engine/params.ts";
import { parseModelConfig } from "../lm/config.ts";
import { createBlankModel, type LanguageModel } from "../lm/model.ts";
import { type Tokenizer, tokenizerFromJson } from "../text/tokenizer.ts";
import { restoreCheckpoint } from "./checkpoints.ts";
import type { RunConfig } from "./config.ts";
import { readRunConfig, readRunFile, stepsToTry } from "./runFolder.ts";

/** A model with its tokenizer; whoever loaded it disposes it. */
export interface LoadedRun {
  readonly folder: string;
  readonly config: RunConfig;
  readonly step: number;
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  dispose(): void;
}

/**
 * Loads a checkpoint of a run.
 *
 * @param step - `latest` (a damaged one is passed over aloud), `best`, or a step's number.
 * @throws {SandboxError} if there is no such run or step, or it is damaged.
 */
export async function loadRun(folder: string, step: string, onWarning: (line: string) => void): Promise<LoadedRun> {
  const config = readRunConfig(folder);
  const tokenizer = tokenizerFromJson(readRunFile(folder, "tokenizer.json"));
  const steps = stepsToTry(folder, step);
  const model = createBlankModel(parseModelConfig({ ...config.model, vocabSize: tokenizer.vocabSize }));
  try {
    const variables = { model: namedVariables(model.params) };
    const progress = await restoreCheckpoint(
      folder,
      steps,
      variables,
      { tokenizer: tokenizer.hash, model: config.model },
      onWarning,
    );
    return { folder, config, step: progress.step, model, tokenizer, dispose: () => model.dispose() };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
