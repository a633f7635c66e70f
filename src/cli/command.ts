/** @file What a command of the command line is, and the options that several share. */
import type { Command } from "commander";
import type { Engine } from "../engine/engine.ts";
import { SandboxError } from "../engine/errors.ts";
import { engineNames, type Precision } from "../engine/ladder/ladder.ts";
import { didYouMean } from "../engine/nearest.ts";
import { parseFilters, SamplingSettings, settingKeys } from "../sampling/settings.ts";
import { note } from "./output.ts";

/** One command: it declares its arguments and does its work. */
export interface CommandModule {
  /** Adds arguments, options and help to a fresh command. */
  declare(command: Command): void;
  /** @param positional - arguments in order, absent ones undefined. */
  run(options: Readonly<Record<string, unknown>>, positional: readonly (string | undefined)[]): Promise<void>;
}

export interface EngineOptions {
  readonly engine?: string;
  readonly threads?: number;
}

/** Reads a whole number in a range. @throws {SandboxError} naming the flag. */
export const wholeNumber =
  (flag: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
    const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new SandboxError(
      `${flag}: expected a whole number ${range}, got ${JSON.stringify(text)}`,
      "softbox <command> --help lists defaults and units.",
    );
  };

/** Reads any number. @throws {SandboxError} naming the flag. */
export const anyNumber =
  (flag: string) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value)) return value;
    throw new SandboxError(
      `${flag}: expected a number, got ${JSON.stringify(text)}`,
      "softbox <command> --help lists defaults and units.",
    );
  };

/**
 * One of a few words.
 *
 * @throws {SandboxError} naming the flag, the words and the nearest of them.
 */
export function oneOf<T extends string>(flag: string, words: readonly T[], given: string, hint?: string): T {
  const word = words.find((candidate) => candidate === given);
  if (word !== undefined) return word;
  throw new SandboxError(
    `${flag}: expected ${words.join(", ").replace(/, ([^,]*)$/, " or $1")}, got ${JSON.stringify(given)}`,
    `${didYouMean(given, words)}${hint ?? "softbox <command> --help tells what each is."}`,
  );
}

export const calibratedHelp = "use the repair that softbox calibrate --save kept beside the checkpoint";

export function declareEngine(command: Command): void {
  command.option(
    "--engine <name>",
    `what executes tensors: ${engineNames.join(", ")} (default: $SOFTBOX_ENGINE, else auto)`,
  );
  command.option(
    "--threads <n>",
    "threads of the engines native, wasm, tensorflow (default: processor cores)",
    wholeNumber("--threads", 1, 256),
  );
}

/**
 * Starts the engine that flags, then the environment name. Loads tfjs only now: a screen is drawn before that.
 *
 * @param onLine - receives what is told of long work; stderr where absent.
 */
export async function startEngine(
  { engine, threads }: EngineOptions,
  precision: Precision = "float32",
  onLine: (line: string) => void = note,
): Promise<Engine> {
  const { useEngine } = await import("../engine/engine.ts");
  const name = engine ?? process.env.SOFTBOX_ENGINE ?? "auto";
  return useEngine(name, { onLine, precision, ...(threads === undefined ? {} : { threads }) });
}

export function declareSampling(command: Command): void {
  command
    .option(
      "--temperature <t>",
      "divides log-probabilities; 0 always takes the likeliest",
      anyNumber("--temperature"),
      0.8,
    )
    .option("--top-k <k>", "keep the K likeliest tokens; 0 = off", anyNumber("--top-k"), 0)
    .option("--top-p <p>", "keep the fewest tokens that reach this probability; 1 = off", anyNumber("--top-p"), 1)
    .option(
      "--min-p <p>",
      "keep tokens at least this share as likely as the likeliest; 0 = off",
      anyNumber("--min-p"),
      0,
    )
    .option("--seed <n>", "fixes the text", wholeNumber("--seed", 0), 1)
    .option("--filters <list>", 'in place of the four above: any filters, in this order: "min-p=0.05,temperature=0.8"');
}

/** Names, ranges and meanings of all filters, for `--help`. */
export const describeFilters = (): [name: string, meaning: string][] =>
  [...settingKeys]
    .filter(([name]) => name !== "seed")
    .map(([name, key]) => [name, SamplingSettings.shape[key].description ?? ""]);

/** The sampling settings among a command's options. */
export function samplingOf(options: Readonly<Record<string, unknown>>): object {
  const { temperature, topK, topP, minP, seed, filters } = options;
  return filters === undefined ? { temperature, topK, topP, minP, seed } : { seed, ...parseFilters(String(filters)) };
}
