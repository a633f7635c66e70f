/** @file A run's model to take elsewhere: a folder that transformers load, a file that llama.cpp runs, or a small run of ours. */
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { explainFailure, makeFolder, replaceFile } from "../engine/files.ts";
import { encodeGpt2Gguf, type Gpt2Model } from "../interchange/gpt2Gguf.ts";
import { expectGpt2, withoutScale } from "../interchange/gpt2Layout.ts";
import { huggingFaceFiles } from "../interchange/huggingFaceFolder.ts";
import { writeFolder } from "../lm/checkpoint/folder.ts";
import type { NumberType } from "../lm/checkpoint/numberTypes.ts";
import { parseModelConfig } from "../lm/config.ts";
import { type BytePairs, bytePairsOf } from "../text/bytePairs.ts";
import { type Tokenizer, tokenizerFromJson } from "../text/tokenizer.ts";
import { openModel } from "./checkpoints.ts";
import { exportWeights } from "./exportWeights.ts";
import { readRunConfig, readRunFile, stepsToTry } from "./runFolder.ts";

/** What each format is written as. */
const writers = {
  hf: (path, model, type) => writeFolder(path, () => huggingFaceFiles(model, type)),
  gguf: (path, model, type) => replaceFile(path, encodeGpt2Gguf(model, type)),
} satisfies Record<string, (path: string, model: Gpt2Model, type: NumberType) => Promise<void>>;

export type ExportFormat = keyof typeof writers | "run";
export const exportFormats: readonly ExportFormat[] = [...(Object.keys(writers) as (keyof typeof writers)[]), "run"];

export interface ExportOptions {
  readonly format: ExportFormat;
  /** The folder (`hf`, `run`) or file (`gguf`) to be. */
  readonly out: string;
  /** How matrices are stored. */
  readonly type: NumberType;
  /** `latest`, `best` or a step's number. */
  readonly step: string;
  readonly onWarning: (line: string) => void;
}

/**
 * Writes a run's model. Weights pass through piece by piece.
 *
 * @returns the step that was written.
 * @throws {SandboxError} if GPT-2's layout cannot hold the model or its tokenizer, or there is something at `out` already.
 */
export async function exportRun(run: string, options: ExportOptions): Promise<number> {
  const { format, out, type, step, onWarning } = options;
  if (format === "run") {
    expectFree(out);
    return exportWeights(run, { out: resolve(out), type, step, onWarning });
  }
  const tokenizer = tokenizerFromJson(readRunFile(run, "tokenizer.json"));
  const { model } = readRunConfig(run);
  const config = expectGpt2(`run ${run}`, parseModelConfig({ ...model, vocabSize: tokenizer.vocabSize }));
  const pairs = expectBytePairs(run, tokenizer);
  const steps = stepsToTry(run, step);
  expectFree(out);
  const { tensors, step: found, close } = await openModel(run, steps, { tokenizer: tokenizer.hash, model }, onWarning);
  try {
    makeFolder(dirname(resolve(out)));
    const model = { name: basename(resolve(run)), ...withoutScale(config, tensors), tokenizer: pairs };
    await writers[format](resolve(out), model, type);
  } catch (error) {
    throw explainFailure(out, error);
  } finally {
    await close();
  }
  return found;
}

function expectBytePairs(run: string, tokenizer: Tokenizer): BytePairs {
  const pairs = bytePairsOf(tokenizer);
  if (pairs) return pairs;
  throw new SandboxError(
    `run ${run}: its tokenizer, ${tokenizer.kind}, has no form that other programs read`,
    "Train with --tokenizer gpt2 or byte to export a model; an imported one keeps its own.",
  );
}

function expectFree(out: string): void {
  if (existsSync(out))
    throw new SandboxError(
      `${out}: there is something of this name already`,
      "Choose another place with --out, or remove it.",
    );
}
