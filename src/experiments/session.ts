/** @file A run at hand: its folder locked, text, model and optimiser in memory, at the step where it goes on. */
import { join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { makeFolder, replaceFile } from "../engine/files.ts";
import { namedVariables } from "../engine/params.ts";
import { parseModelConfig } from "../lm/config.ts";
import { createBlankModel, createModel, type LanguageModel } from "../lm/model.ts";
import { type Corpus, loadCorpus } from "../text/corpus.ts";
import { type Dataset, prepareDataset } from "../text/dataset.ts";
import { type Tokenizer, tokenizerFromJson } from "../text/tokenizer.ts";
import { type CarriedState, createCarriedState } from "../training/carriedState.ts";
import { createOptimizer, type Optimizer } from "../training/optimizer.ts";
import { freshProgress, type Progress } from "../training/train.ts";
import { beginFrom } from "./beginning.ts";
import { restoreCheckpoint } from "./checkpoints.ts";
import type { RunConfig } from "./config.ts";
import { expectNoDrift, noteOverride } from "./drift.ts";
import { describeEnvironment } from "./environment.ts";
import { cutLines } from "./jsonLines.ts";
import { lockRun } from "./lock.ts";
import { encodePrompts, type RunPrompts } from "./prompts.ts";
import { isRun, readRunConfig, readRunFile, stepsToTry, writeRunFile } from "./runFolder.ts";

/** Everything that training a run needs; whoever opened it closes it. */
export interface Session {
  readonly folder: string;
  readonly config: RunConfig;
  readonly dataset: Dataset;
  readonly prompts: RunPrompts;
  readonly model: LanguageModel;
  readonly optimizer: Optimizer;
  readonly carried: CarriedState;
  readonly progress: Progress;
  /** Whether event files for TensorBoard are written too. */
  readonly tensorboard: boolean;
  /** Frees tensors and the lock. */
  close(): void;
}

export interface SessionOptions {
  readonly folder: string;
  /** The engine's description, for `environment.json`. */
  readonly engine: string;
  /** Replace bytes that are not UTF-8 instead of refusing the text. */
  readonly lossy?: boolean;
  /** Also write event files for TensorBoard; default: no. */
  readonly tensorboard?: boolean;
  /** Receives what the user should hear of, e.g. a damaged checkpoint that was passed over. */
  readonly onWarning: (line: string) => void;
}

function expectNoRun(folder: string): void {
  if (!isRun(folder)) return;
  throw new SandboxError(
    `run ${folder}: there is one already`,
    `Go on with it: softbox train --resume ${folder}. Or choose another folder with --run, or remove this one.`,
  );
}

/** What may be asked of a run that goes on. */
export interface ResumeOptions {
  /** Optimiser steps in all; the run's own number where absent. */
  readonly steps?: number;
  /** The run's own where absent. */
  readonly config?: RunConfig;
  /** Whether to go on with `config` although it is another than the run's. */
  readonly override?: boolean;
}

/** Files of lines that a resumed run goes on writing. */
export const lineFiles = ["metrics.jsonl", "timings.jsonl", "probes.jsonl", "samples.jsonl"] as const;

/**
 * Starts a new run in an empty place.
 *
 * @param options.from - another run, whose newest model and tokenizer this one starts with; then its model is saved as step 0.
 * @throws {SandboxError} if the folder already holds a run, the text cannot be used, or the folder cannot be written.
 */
export async function startRun(
  config: RunConfig,
  options: SessionOptions & { readonly from?: string },
): Promise<Session> {
  const { folder, from } = options;
  expectNoRun(folder);
  const tokenizer = from === undefined ? config.tokenizer : tokenizerFromJson(readRunFile(from, "tokenizer.json"));
  const dataset = await prepareText(config, await loadText(config, options), tokenizer);
  parseModelConfig({ ...config.model, vocabSize: dataset.tokenizer.vocabSize }); // what cannot be made leaves no folder
  makeFolder(folder);
  const unlock = lockRun(folder);
  return closingOnError(unlock, async () => {
    expectNoRun(folder); // another process may have been faster
    const session = assemble(config, dataset, freshProgress, options, unlock, from === undefined ? "fresh" : "blank");
    try {
      const begun = from === undefined ? undefined : await beginFrom(from, session, options.onWarning);
      const { kind, hash, vocabSize } = dataset.tokenizer;
      const environment = {
        ...describeEnvironment(options.engine),
        corpus: dataset.corpus,
        tokenizer: { kind, hash, vocabSize },
        ...(begun && { from: begun }),
      };
      await writeRunFile(folder, "tokenizer.json", dataset.tokenizer.toJSON());
      await writeRunFile(folder, "environment.json", environment);
      for (const file of lineFiles) await replaceFile(join(folder, file), "");
      await writeRunFile(folder, "config.json", config); // last: what makes the folder a run
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  });
}

/**
 * Goes on with a run from its newest whole checkpoint, exactly as if it had not been interrupted.
 *
 * @throws {SandboxError} if there is no run or whole checkpoint, the text is another than it was, or so is the configuration and
 *   nobody insists.
 */
export async function resumeRun(options: SessionOptions & ResumeOptions): Promise<Session> {
  const { folder } = options;
  const stored = readRunConfig(folder);
  const wanted = options.config ?? stored;
  const changes = expectNoDrift(folder, stored, wanted, options.override ?? false);
  const steps = options.steps ?? wanted.training.steps;
  const config = { ...wanted, training: { ...wanted.training, steps } };
  const unlock = lockRun(folder);
  return closingOnError(unlock, async () => {
    const tokenizer = tokenizerFromJson(readRunFile(folder, "tokenizer.json"));
    const corpus = await loadText(config, options);
    expectSameText(folder, corpus);
    const dataset = await prepareText(config, corpus, tokenizer);
    const saved = stepsIfAny(folder);
    const session = assemble(config, dataset, freshProgress, options, unlock, saved.length > 0 ? "blank" : "fresh");
    try {
      const variables = checkpointVariables(session);
      const restored = await restoreCheckpoint(
        folder,
        saved,
        variables,
        { tokenizer: tokenizer.hash, model: config.model },
        options.onWarning,
      );
      session.optimizer.swap(); // what is saved is what is to be used
      if (restored.step >= steps) return { ...session, progress: restored }; // nothing to do: nothing changes
      tellOtherEngine(options);
      for (const file of lineFiles) await cutLines(join(folder, file), restored.step);
      if (changes.length > 0) await noteOverride(folder, restored.step, changes);
      if (changes.length > 0 || steps !== stored.training.steps) await writeRunFile(folder, "config.json", config);
      return { ...session, progress: restored };
    } catch (error) {
      session.close();
      throw error;
    }
  });
}

/** Another engine rounds otherwise: the run goes on well, but not byte for byte. */
function tellOtherEngine({ folder, engine, onWarning }: SessionOptions): void {
  const { engine: before } = readRunFile(folder, "environment.json") as { readonly engine?: string };
  const kind = (description: string): string => description.replace(/,? \d+ threads?/, "");
  if (before !== undefined && kind(before) !== kind(engine))
    onWarning(
      `run ${folder} was begun on the engine ${before} and goes on with ${engine}: its numbers round otherwise from here on`,
    );
}

/** Everything of a session that a checkpoint holds in tensors. */
export const checkpointVariables = ({
  model,
  optimizer,
  carried,
}: Pick<Session, "model" | "optimizer" | "carried">) => ({
  model: namedVariables(model.params),
  optimizer: new Map([...optimizer.variables, ...carried.variables]),
});

/** A run stopped before its first checkpoint starts again from step 0. */
function stepsIfAny(folder: string): number[] {
  try {
    return stepsToTry(folder, "latest");
  } catch {
    return [];
  }
}

async function closingOnError<T>(close: () => void, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    close();
    throw error;
  }
}

const loadText = ({ corpus }: RunConfig, { lossy = false }: SessionOptions): Promise<Corpus> =>
  loadCorpus(corpus, { lossy });

const prepareText = (
  { splits, model }: RunConfig,
  corpus: Corpus,
  tokenizer: RunConfig["tokenizer"] | Tokenizer,
): Promise<Dataset> => prepareDataset({ corpus, tokenizer, shares: splits, contextLength: model.contextLength });

function expectSameText(folder: string, corpus: Corpus): void {
  const before = readRunFile(folder, "environment.json") as {
    corpus?: { sha256?: string };
    importedFrom?: string;
    weightsOnly?: object;
  };
  if (before.weightsOnly !== undefined)
    throw new SandboxError(
      `run ${folder}: it holds weights without the optimiser's state, there is no training to go on with`,
      `Start a run from it: softbox train --from ${folder}.`,
    );
  if (before.importedFrom !== undefined)
    throw new SandboxError(
      `run ${folder}: its model was imported, there is no training to go on with`,
      `Start a run from it: softbox train --from ${folder}.`,
    );
  if (before.corpus?.sha256 !== corpus.sha256)
    throw new SandboxError(
      `run ${folder}: corpus ${corpus.name} has changed since the run was started`,
      "Put the old text back, or start a new run on the new one.",
    );
}

function assemble(
  config: RunConfig,
  dataset: Dataset,
  progress: Progress,
  { folder, onWarning, tensorboard = false }: SessionOptions,
  unlock: () => void,
  parameters: "fresh" | "blank",
): Session {
  const prompts = encodePrompts(config, dataset.tokenizer, onWarning);
  const modelConfig = parseModelConfig({ ...config.model, vocabSize: dataset.tokenizer.vocabSize });
  const model = parameters === "fresh" ? createModel(modelConfig, config.seed) : createBlankModel(modelConfig);
  const optimizer = createOptimizer(namedVariables(model.params), config.training.optimizer);
  const carried = createCarriedState(model, config.training);
  const close = (): void => {
    carried.dispose();
    optimizer.dispose();
    model.dispose();
    unlock();
  };
  return { folder, config, dataset, prompts, model, optimizer, carried, progress, tensorboard, close };
}
