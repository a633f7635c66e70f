/** @file A run from a GPT-2 in Hugging Face's layout: a configuration, a tokenizer, and the weights as step 0. No tensor is made. */
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { makeFolder, replaceFile } from "../engine/files.ts";
import { readGpt2Config } from "../interchange/gpt2Config.ts";
import { openGpt2Tensors } from "../interchange/huggingFaceTensors.ts";
import { readJsonFile } from "../interchange/jsonFile.ts";
import { readTokenizerFiles } from "../interchange/tokenizerFiles.ts";
import { tokenizerOf } from "../interchange/tokenizerOf.ts";
import { sizeOf } from "../lm/checkpoint/tensorSource.ts";
import { parseModelConfig, type TransformerConfig } from "../lm/config.ts";
import { createTokenizer, type Tokenizer } from "../text/tokenizer.ts";
import { saveBeginning } from "./checkpoints.ts";
import { parseRunConfig, type RunConfig } from "./config.ts";
import { describeEnvironment } from "./environment.ts";
import { isRun, writeRunFile } from "./runFolder.ts";
import { lineFiles } from "./session.ts";

/** Tokenizers that a folder without tokenizer files may be given by name. */
export const givenTokenizers = ["gpt2", "byte"] as const;

export interface ImportOptions {
  /** The folder of the run to be. */
  readonly run: string;
  /** The text that `eval` and `calibrate` judge on where they are told no other. */
  readonly corpus: string;
  /** In place of the folder's tokenizer files. */
  readonly tokenizer?: (typeof givenTokenizers)[number];
}

/** What came in. */
export interface Imported {
  readonly run: string;
  readonly model: RunConfig["model"];
  readonly vocabSize: number;
  readonly tokenizer: string;
  readonly parameters: number;
}

/**
 * Makes a run of a folder. Weights pass through piece by piece, so memory does not grow with the model.
 *
 * @throws {SandboxError} if there is a run already, or the folder holds no GPT-2 that we compute the same; nothing is left then.
 */
export async function importRun(folder: string, options: ImportOptions): Promise<Imported> {
  const { run } = options;
  if (isRun(run))
    throw new SandboxError(`run ${run}: there is one already`, "Choose another folder with --run, or remove this one.");
  const configPath = join(folder, "config.json");
  const model = readGpt2Config(configPath, await readJsonFile(configPath));
  parseModelConfig(model);
  const tokenizer = await chooseTokenizer(folder, model, options.tokenizer);
  const config = runConfig(folder, model, tokenizer, options.corpus);
  const { tensors, close } = await openGpt2Tensors(folder, model);
  let made: string | undefined;
  try {
    made = makeFolder(run);
    const identity = { tokenizer: tokenizer.hash, model: config.model };
    await writeRun(run, config, tokenizer, folder, () => saveBeginning(run, tensors, identity));
  } catch (error) {
    if (made !== undefined) await rm(made, { recursive: true, force: true });
    throw error;
  } finally {
    await close();
  }
  const parameters = [...tensors.values()].reduce((total, { shape }) => total + sizeOf(shape), 0);
  return { run, model: config.model, vocabSize: model.vocabSize, tokenizer: tokenizer.kind, parameters };
}

async function chooseTokenizer(
  folder: string,
  { vocabSize }: TransformerConfig,
  given: ImportOptions["tokenizer"],
): Promise<Tokenizer> {
  if (given === undefined) {
    const pairs = await readTokenizerFiles(folder);
    if (pairs) return tokenizerOf(folder, pairs, vocabSize);
    throw new SandboxError(
      `${folder}: it has neither tokenizer.json nor vocab.json with merges.txt`,
      `Put the tokenizer's files there, or name one that fits: --tokenizer ${givenTokenizers.join("|")}.`,
    );
  }
  const tokenizer = createTokenizer(given, "");
  if (tokenizer.vocabSize === vocabSize) return tokenizer;
  throw new SandboxError(
    `--tokenizer: ${given} has ${tokenizer.vocabSize} tokens, the model has ${vocabSize}`,
    "Use the tokenizer that the model was trained with.",
  );
}

/** Training in it is what fine-tuning starts from (`train --from`): small steps, soon at their largest. */
function runConfig(folder: string, model: TransformerConfig, tokenizer: Tokenizer, corpus: string): RunConfig {
  const { vocabSize: _, ...recipe } = model;
  return parseRunConfig(`configuration of ${folder}`, {
    description: `GPT-2 imported from ${resolve(folder)}`,
    corpus,
    tokenizer: tokenizer.kind,
    model: recipe,
    training: {
      steps: 200,
      batchSize: 4,
      optimizer: { learningRate: 3e-5, beta2: 0.999, weightDecay: 0.01 },
      schedule: { warmupSteps: 20, decaySteps: 200 },
      evaluateEvery: 50,
      evaluationTokens: 8192,
      checkpointEvery: 100,
      keepCheckpoints: 1,
    },
  });
}

async function writeRun(
  run: string,
  config: RunConfig,
  tokenizer: Tokenizer,
  folder: string,
  saveWeights: () => Promise<void>,
): Promise<void> {
  await saveWeights();
  await writeRunFile(run, "tokenizer.json", tokenizer.toJSON());
  await writeRunFile(run, "environment.json", { ...describeEnvironment("none"), importedFrom: resolve(folder) });
  for (const file of lineFiles) await replaceFile(join(run, file), "");
  await writeRunFile(run, "config.json", config); // last: what makes the folder a run
}
