/** @file From flags to a run's configuration: recipe first, then flags, then `--set`. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { SandboxError } from "../engine/errors.ts";
import { packageRoot } from "../engine/packageRoot.ts";
import { parseRunConfig, type RunConfig } from "../experiments/config.ts";
import { expectContinuable } from "../experiments/continuable.ts";
import { readRecipe } from "../experiments/recipes.ts";
import { isRun, readRunConfig } from "../experiments/runFolder.ts";
import { parseHead } from "../lm/heads/shortForm.ts";
import { listCorpora } from "../text/corpus.ts";

/** Flags that set one key of the configuration; `--set path=value` reaches all others. */
export const configFlags = [
  { flag: "--corpus <name>", path: "corpus", help: "a corpus's name, or a file, folder or glob of text" },
  { flag: "--tokenizer <kind>", path: "tokenizer", help: "gpt2, gpt2-compact, char, byte, word, or word:N" },
  {
    flag: "--head <head>",
    path: "model.head",
    help: "output head: softmax, mos:K or moc:K (K = 4 if left out), sigsoftmax, adaptive:2000,10000 or sigmoid",
  },
  { flag: "--steps <n>", path: "training.steps", help: "optimiser steps in all" },
  {
    flag: "--decay-steps <n>",
    path: "training.schedule.decaySteps",
    help: "step at which the learning rate's decay ends",
  },
  { flag: "--learning-rate <x>", path: "training.optimizer.learningRate", help: "largest learning rate" },
  { flag: "--batch-size <n>", path: "training.batchSize", help: "sequences a batch" },
  { flag: "--context <n>", path: "model.contextLength", help: "tokens seen at once" },
  { flag: "--layers <n>", path: "model.layers", help: "blocks of attention and feed-forward" },
  { flag: "--heads <n>", path: "model.heads", help: "attention heads a block" },
  { flag: "--kv-heads <n>", path: "model.keyValueHeads", help: "keys and values a block, shared by heads" },
  {
    flag: "--attention <kind>",
    path: "model.attention",
    help: "weights of attention: softmax, softmax1, sigmoid, sparsemax or entmax15",
  },
  { flag: "--window <n>", path: "model.window", help: "tokens that a position sees in a block; 0: the whole context" },
  { flag: "--embed <n>", path: "model.embedSize", help: "features a token" },
  { flag: "--positions <kind>", path: "model.positions", help: "learned, rotary, alibi or none" },
  { flag: "--norm <kind>", path: "model.norm", help: "layer or rms" },
  { flag: "--feed-forward <kind>", path: "model.feedForward", help: "gelu or swiglu" },
  { flag: "--dropout <share>", path: "model.dropout", help: "share of activations dropped, 0..1" },
  { flag: "--precision <kind>", path: "precision", help: "float32, or bfloat16 for the inputs of matrix products" },
  { flag: "--seed <n>", path: "seed", help: "fixes parameters, batches and dropout" },
] as const;

/** For the help of commands that take these flags. */
export const defaultsOfRecipe = "A flag that names no default leaves what the recipe says.";

type Json = Record<string, unknown>;

/** A plain property whatever its name, `__proto__` included: the schema then says that there is no such key. */
const setOwn = (node: Json, key: string, value: unknown): void => {
  Object.defineProperty(node, key, { value, writable: true, enumerable: true, configurable: true });
};

/** Sets `path` (`a.b.c`) in a nested object, making what is missing. */
function setPath(root: Json, path: string, value: unknown): void {
  const keys = path.split(".");
  let node = root;
  for (const key of keys.slice(0, -1)) {
    const child = Object.hasOwn(node, key) ? node[key] : undefined;
    if (typeof child !== "object" || child === null) setOwn(node, key, {});
    node = node[key] as Json;
  }
  setOwn(node, keys.at(-1)!, value);
}

/** Declares `--set`. */
export const setOption = (command: Command): Command =>
  command.option(
    "--set <path=value>",
    "any other key, softbox train --help lists them; may be repeated",
    (value: string, all: string[] = []) => [...all, value],
  );

/** Keys that hold text even where it looks like a number. */
const textKeys: ReadonlySet<string> = new Set(["corpus", "tokenizer", "description", "sample.prompt"]);

/** Numbers, lists and the like as JSON; everything else is text. */
function parseValue(path: string, text: string): unknown {
  if (path === "model.head" && !text.startsWith("{")) return parseHead(text);
  if (textKeys.has(path)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `path=value` pairs of `--set`. @throws {SandboxError} where there is no `=`. */
function parseAssignment(assignment: string): [string, string] {
  const at = assignment.indexOf("=");
  if (at > 0) return [assignment.slice(0, at), assignment.slice(at + 1)];
  throw new SandboxError(
    `--set: expected path=value, got ${JSON.stringify(assignment)}`,
    "For example --set training.batchSize=24.",
  );
}

const anchorCorpus = (config: RunConfig): RunConfig => ({ ...config, corpus: anchoredCorpus(config.corpus) });

/** A file given by a path is remembered as a whole path, so that the run can be used from anywhere. */
export function anchoredCorpus(corpus: string): string {
  const isName = listCorpora().some(({ name }) => name === corpus);
  const isPlace = existsSync(corpus) || /[*?[{(!]/.test(corpus); // else a name mistyped, told as it was typed
  return isName || !isPlace ? corpus : resolve(corpus);
}

/** The option's key in commander's result: `--batch-size <n>` is `batchSize`. */
const optionKey = (flag: string): string =>
  flag
    .split(" ")[0]!
    .slice(2)
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Which of the flags that make a configuration were given. */
export const givenFlags = (options: Readonly<Record<string, unknown>>): string[] =>
  [...configFlags.map(({ flag }) => flag), "--set", "--recipe <name>"]
    .filter((flag) => options[optionKey(flag)] !== undefined)
    .map((flag) => flag.split(" ")[0]!);

/** What flags and `--set` change, as `--set` would say it. */
export const givenSettings = (options: Readonly<Record<string, unknown>>): string[] => [
  ...configFlags.flatMap(({ flag, path }) => {
    const given = options[optionKey(flag)];
    return given === undefined ? [] : [`${path}=${String(given)}`];
  }),
  ...((options.set as string[] | undefined) ?? []),
];

/** The whole configuration, checked. @throws {SandboxError} naming every wrong key at once. */
export const resolveConfig = (recipe: string, options: Readonly<Record<string, unknown>>): RunConfig =>
  withFlags(`configuration from recipe ${recipe} and flags`, readRecipe(recipe), options);

/**
 * A configuration with what flags and `--set` change of it, checked.
 *
 * @param where - for the message.
 * @throws {SandboxError} naming every wrong key at once.
 */
export function withFlags(where: string, base: object, options: Readonly<Record<string, unknown>>): RunConfig {
  const raw = structuredClone(base) as Json;
  for (const assignment of givenSettings(options)) {
    const [path, value] = parseAssignment(assignment);
    const whole = pathOf(path);
    setPath(raw, whole, parseValue(whole, value));
  }
  return anchorCorpus(parseRunConfig(where, raw));
}

/**
 * The configuration of a run that goes on from another's model: the other's, or a recipe's with the other's model and tokenizer;
 * then flags.
 *
 * @throws {SandboxError} naming every wrong key at once, and what a trained model cannot change any more.
 */
export function resolveConfigFrom(from: string, options: Readonly<Record<string, unknown>>): RunConfig {
  const source = readRunConfig(from);
  const { model, tokenizer } = source;
  const base = options.recipe === undefined ? source : { ...readRecipe(String(options.recipe)), model, tokenizer };
  const config = withFlags(`configuration from run ${from} and flags`, base, options);
  expectContinuable(from, source, config);
  return config;
}

/** A key by the name of its flag, such as `head` or `learning-rate`, or by its whole path. */
export const pathOf = (name: string): string =>
  configFlags.find(({ flag }) => flag.split(" ")[0] === `--${name}`)?.path ?? shortNames.get(name) ?? name;

const shortNames: ReadonlyMap<string, string> = new Map([["lr", "training.optimizer.learningRate"]]);

/** A model that comes with softbox. */
const shippedRun = join("checkpoints", "twin-softmax");

/**
 * The run that is only read: the one named, else the newest under `checkpoints/`, else the one that comes with softbox.
 *
 * @param tell - told where it is that one.
 */
export function chooseRunToRead(named: string | undefined, tell: (line: string) => void): string {
  const newest = named ?? newestRun();
  if (newest !== undefined) return newest;
  const shipped = join(packageRoot(), shippedRun);
  tell(`there is no run under checkpoints/ here: this is ${shippedRun}, which comes with softbox`);
  return shipped;
}

/** The run a command means: the one named, else the newest under `checkpoints/`. */
export function chooseRun(named: string | undefined): string {
  const run = named ?? newestRun();
  if (run !== undefined) return run;
  throw new SandboxError(
    "run: there is none under checkpoints/ here",
    "Train one: softbox train. Or name a run's folder.",
  );
}

function newestRun(): string | undefined {
  const runs = (existsSync("checkpoints") ? readdirSync("checkpoints") : [])
    .map((name) => join("checkpoints", name))
    .filter(isRun)
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return runs[0];
}
