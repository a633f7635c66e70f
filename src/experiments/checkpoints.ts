/** @file Saves a run's state and finds it again; what is damaged is passed over aloud. */
import { readFile } from "node:fs/promises";
import type * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { checkCheckpointFolder, writeCheckpointFolder } from "../lm/checkpoint/folder.ts";
import type { NumberType } from "../lm/checkpoint/numberTypes.ts";
import { encodeSafetensors, openSafetensors } from "../lm/checkpoint/safetensors.ts";
import type { TensorSources } from "../lm/checkpoint/tensorSource.ts";
import { variableSources, writeVariables } from "../lm/checkpoint/tensors.ts";
import { ModelRecipe } from "../lm/config.ts";
import { freshProgress, type Progress } from "../training/train.ts";
import { changeLine, configChanges } from "./configDiff.ts";
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
  model: z.looseObject({}).optional(), // absent in older checkpoints
});

/** What the tensors of a checkpoint mean: numbers alone fit other models too. */
export interface ModelIdentity {
  /** Hash of the run's tokenizer. */
  readonly tokenizer: string;
  /** Of the run's configuration. */
  readonly model: ModelRecipe;
}

const modelFile = "model.safetensors";
const optimizerFile = "optimizer.safetensors";

const encodeState = (progress: Progress, { tokenizer, model }: ModelIdentity): Uint8Array[] => {
  const state = { ...progress, tokenizer, model } satisfies z.infer<typeof State>;
  return [Buffer.from(`${JSON.stringify(state, null, 2)}\n`)];
};

/** Saves a model that comes from elsewhere as step 0 of a run: nothing was trained yet, so there is no optimiser's state. */
export async function saveBeginning(run: string, model: TensorSources, identity: ModelIdentity): Promise<void> {
  await writeCheckpointFolder(stepFolder(run, 0), {
    [modelFile]: encodeSafetensors(model),
    "state.json": encodeState(freshProgress, identity),
  });
  await pointAt(run, "latest", 0);
  await pointAt(run, "best", 0);
  await pruneCheckpoints(run, 1); // what an import that was killed has left
}

/** Saves an open model as a run's only checkpoint, without the optimiser's state. @param type - how numbers are stored. */
export async function saveWeights(
  run: string,
  model: OpenModel,
  identity: ModelIdentity,
  type: NumberType,
): Promise<void> {
  const { step, progress } = model;
  await writeCheckpointFolder(stepFolder(run, step), {
    [modelFile]: encodeSafetensors(model.tensors, { type }),
    "state.json": encodeState(progress, identity),
  });
  await pointAt(run, "latest", step);
  await pointAt(run, "best", step);
}

/** Saves the present state as a step of the run, points at it, and removes what is too old. */
export async function saveCheckpoint(
  run: string,
  variables: Required<CheckpointVariables>,
  progress: Progress,
  options: { readonly identity: ModelIdentity; readonly best: boolean; readonly keep: number },
): Promise<void> {
  await writeCheckpointFolder(stepFolder(run, progress.step), {
    [modelFile]: encodeSafetensors(variableSources(variables.model)),
    [optimizerFile]: encodeSafetensors(variableSources(variables.optimizer)),
    "state.json": encodeState(progress, options.identity),
  });
  await pointAt(run, "latest", progress.step);
  if (options.best) await pointAt(run, "best", progress.step);
  await pruneCheckpoints(run, options.keep);
}

/**
 * Restores the first of `steps` that is whole.
 *
 * @param identity - a checkpoint of another tokenizer or form of model is refused.
 * @param onWarning - told of each that is not.
 * @returns where the run stands: step 0 if `steps` is empty.
 * @throws {SandboxError} the first failure, if none is whole.
 */
export async function restoreCheckpoint(
  run: string,
  steps: readonly number[],
  variables: CheckpointVariables,
  identity: ModelIdentity,
  onWarning: (line: string) => void,
): Promise<Progress> {
  if (steps.length === 0) return freshProgress;
  return firstWhole(run, steps, onWarning, (folder) => restoreStep(folder, variables, identity));
}

async function restoreStep(folder: string, variables: CheckpointVariables, identity: ModelIdentity): Promise<Progress> {
  const paths = await checkCheckpointFolder(folder);
  const progress = await readState(folder, paths, identity);
  await load(pathOf(folder, paths, modelFile), variables.model);
  const isBeginning = progress.step === 0 && !paths.has(optimizerFile); // what the optimiser was made with is right then
  if (variables.optimizer && !isBeginning) await load(pathOf(folder, paths, optimizerFile), variables.optimizer);
  return progress;
}

type Paths = ReadonlyMap<string, string>;

function pathOf(folder: string, paths: Paths, name: string): string {
  const path = paths.get(name);
  if (path !== undefined) return path;
  throw new SandboxError(`checkpoint ${folder}: ${name} is missing`, "Choose another step of this run.");
}

async function load(path: string, into: Variables): Promise<void> {
  const file = await openSafetensors(path);
  await writeVariables(path, into, file.tensors).finally(file.close);
}

/** Where training stands in a checkpoint. @throws {SandboxError} if it was made with another tokenizer or model. */
async function readState(folder: string, paths: Paths, { tokenizer, model }: ModelIdentity): Promise<Progress> {
  const state = State.safeParse(parseJson(await readFile(pathOf(folder, paths, "state.json"), "utf8")));
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
  if (state.data.model) expectSameModel(folder, state.data.model, model);
  const { tokenizer: _, model: __, ...progress } = state.data;
  return progress;
}

function expectSameModel(folder: string, stored: object, model: ModelRecipe): void {
  const then = ModelRecipe.safeParse(stored); // keys that came since have their defaults
  const changes = configChanges({ model: then.success ? then.data : stored }, { model });
  if (changes.length === 0) return;
  throw new SandboxError(
    `checkpoint ${folder}: the run's config.json describes another model than was trained:\n${changes.map((change) => `  ${changeLine(change)}`).join("\n")}`,
    "Put the config.json back that belongs to it.",
  );
}

/** The tensors of a run's model, not read yet; whoever opened them closes them. */
export interface OpenModel {
  readonly tensors: TensorSources;
  readonly step: number;
  /** Where training stood. */
  readonly progress: Progress;
  close(): Promise<void>;
}

/**
 * Opens the model of the first of `steps` that is whole. Arguments and errors as in `restoreCheckpoint`.
 */
export async function openModel(
  run: string,
  steps: readonly number[],
  identity: ModelIdentity,
  onWarning: (line: string) => void,
): Promise<OpenModel> {
  return firstWhole(run, steps, onWarning, async (folder) => {
    const paths = await checkCheckpointFolder(folder);
    const progress = await readState(folder, paths, identity);
    return { ...(await openSafetensors(pathOf(folder, paths, modelFile))), step: progress.step, progress };
  });
}

/** What `use` makes of the first step that it does not refuse. @throws {SandboxError} the first refusal, if it refuses all. */
async function firstWhole<T>(
  run: string,
  steps: readonly number[],
  onWarning: (line: string) => void,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  let failure: SandboxError | undefined;
  for (const [i, step] of steps.entries()) {
    try {
      return await use(stepFolder(run, step));
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      failure ??= error;
      if (i + 1 < steps.length) onWarning(`${error.message}; trying the one before`);
    }
  }
  throw failure ?? new RangeError("firstWhole: expected at least one step");
}

/** The value of a JSON text; undefined, which no schema takes, where it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
