/** @file Saves a run's state and finds it again; what is damaged is passed over aloud. */
import type * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { readCheckpointFolder, writeCheckpointFolder } from "../lm/checkpoint/folder.ts";
import { decodeSafetensors, encodeSafetensors } from "../lm/checkpoint/safetensors.ts";
import { readVariables, writeVariables } from "../lm/checkpoint/tensors.ts";
import { freshProgress, type Progress } from "../training/train.ts";
import { pointAt, pruneCheckpoints, stepFolder } from "./runFolder.ts";

type Variables = ReadonlyMap<string, tf.Variable>;

/** What a checkpoint holds in variables; the optimiser's are left alone where only the model is wanted. */
export interface CheckpointVariables {
  readonly model: Variables;
  readonly optimizer?: Variables;
}

const State = z.strictObject({
  step: z.int().nonnegative(),
  skippedInARow: z.int().nonnegative(),
  bestNats: z.number().nullable(),
  tokenizer: z.string(),
});

/** Saves the present state as a step of the run, points at it, and removes what is too old. */
export async function saveCheckpoint(
  run: string,
  variables: Required<CheckpointVariables>,
  progress: Progress,
  options: { readonly tokenizer: string; readonly best: boolean; readonly keep: number },
): Promise<void> {
  const state = { ...progress, tokenizer: options.tokenizer } satisfies z.infer<typeof State>;
  await writeCheckpointFolder(stepFolder(run, progress.step), {
    "model.safetensors": encodeSafetensors(await readVariables(variables.model)),
    "optimizer.safetensors": encodeSafetensors(await readVariables(variables.optimizer)),
    "state.json": [Buffer.from(`${JSON.stringify(state, null, 2)}\n`)],
  });
  await pointAt(run, "latest", progress.step);
  if (options.best) await pointAt(run, "best", progress.step);
  await pruneCheckpoints(run, options.keep);
}

/**
 * Restores the first of `steps` that is whole.
 *
 * @param tokenizer - hash of the run's tokenizer; a checkpoint of another one is refused.
 * @param onWarning - told of each that is not.
 * @returns where the run stands: step 0 if `steps` is empty.
 * @throws {SandboxError} the first failure, if none is whole.
 */
export async function restoreCheckpoint(
  run: string,
  steps: readonly number[],
  variables: CheckpointVariables,
  tokenizer: string,
  onWarning: (line: string) => void,
): Promise<Progress> {
  let failure: SandboxError | undefined;
  for (const [i, step] of steps.entries()) {
    try {
      return await restoreStep(stepFolder(run, step), variables, tokenizer);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      failure ??= error;
      if (i + 1 < steps.length) onWarning(`${error.message}; trying the one before`);
    }
  }
  if (failure) throw failure;
  return freshProgress;
}

async function restoreStep(folder: string, variables: CheckpointVariables, tokenizer: string): Promise<Progress> {
  const files = await readCheckpointFolder(folder);
  const file = (name: string): Buffer => {
    const content = files.get(name);
    if (!content)
      throw new SandboxError(`checkpoint ${folder}: ${name} is missing`, "Choose another step of this run.");
    return content;
  };
  const state = State.safeParse(parseJson(file("state.json").toString()));
  if (!state.success)
    throw new SandboxError(
      `checkpoint ${folder}: state.json is not what softbox writes (${state.error.issues[0]?.message})`,
      "Choose another step of this run.",
    );
  if (state.data.tokenizer !== tokenizer)
    throw new SandboxError(
      `checkpoint ${folder}: it was trained with another tokenizer than the run's tokenizer.json`,
      "Put the tokenizer.json back that belongs to it.",
    );
  const { tokenizer: _, ...progress } = state.data;
  const load = (name: string, into: Variables): void =>
    writeVariables(`${folder}/${name}`, into, decodeSafetensors(`${folder}/${name}`, file(name)));
  load("model.safetensors", variables.model);
  if (variables.optimizer) load("optimizer.safetensors", variables.optimizer);
  return progress;
}

/** The value of a JSON text; undefined, which no schema takes, where it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
