/** @file `softbox compare`: finished runs side by side, or heads that are trained for it, in one honest table. */
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { type Comparison, compareRuns } from "../../experiments/comparison.ts";
import { readOutcome } from "../../experiments/outcome.ts";
import { recipeNames } from "../../experiments/recipes.ts";
import { type CommandModule, declareEngine, type EngineOptions, startEngine, wholeNumber } from "../command.ts";
import { compareTables } from "../compareTable.ts";
import { examineRank, type RankFinding, usualRows } from "../examineRank.ts";
import { addHelp } from "../helpText.ts";
import { print, printJson } from "../output.ts";
import { runFolders } from "../runFolders.ts";
import { configFlags, defaultsOfRecipe, givenFlags, setOption } from "../runOptions.ts";
import { trainVariants, type VariantFlags } from "../trainVariants.ts";

interface CompareFlags extends EngineOptions, VariantFlags {
  readonly head?: string;
  readonly rank?: boolean;
  readonly json?: boolean;
}

function declare(command: Command): void {
  command
    .argument("[runs...]", "finished runs, or folders that hold some; the first is what the others are compared with")
    .option("--head <list>", "train these heads instead, the first as baseline: softmax,mos:4,moc:4,sigsoftmax")
    .option("--seeds <n>", "runs of each head, with seeds from --seed on (default: 3)", wholeNumber("--seeds", 1, 100))
    .option(
      "--match <what>",
      "parameters: the layers' width is set so that totals agree with the first head's; time: steps are set so that training takes as long; or parameters,time (default: parameters)",
    )
    .option("--out <folder>", "where the runs are kept (default: checkpoints/compare-<recipe>)")
    .option("--rank", "also measure the rank of the log-probabilities, of each variant's first run")
    .option("--json", "one JSON object instead of tables")
    .option(
      "--recipe <name>",
      `where the heads' configuration starts from: ${recipeNames().join(", ")}, or a .json file (default: moby)`,
    );
  for (const { flag, help, path } of configFlags) if (path !== "model.head") command.option(flag, help);
  setOption(command);
  declareEngine(command);
  addHelp(command, () => [
    "Runs that differ in nothing but the seed are one variant. With --head every run is trained in a folder of its own by softbox train; what is trained already is not trained again, so an interrupted comparison goes on where it stopped.",
    defaultsOfRecipe,
  ]);
}

async function run(options: Readonly<Record<string, unknown>>, positional: readonly unknown[]): Promise<void> {
  const flags = options as unknown as CompareFlags;
  const names = (positional[0] ?? []) as readonly string[];
  expectOneWay(flags, names);
  const folders = flags.head === undefined ? finished(names) : await trainVariants(flags.head, flags, options);
  if (folders === undefined) return; // stopped by the user, who has been told
  const comparison = compareRuns(folders.map(readOutcome));
  const ranks = flags.rank ? await ranksOf(comparison, flags) : undefined;
  if (flags.json) return printJson(plain(comparison, ranks));
  for (const line of compareTables(comparison, ranks)) print(line);
}

/** @throws {SandboxError} where runs and heads are both named, or flags of training go with finished runs. */
function expectOneWay(flags: CompareFlags, names: readonly string[]): void {
  if (flags.head !== undefined && names.length > 0)
    throw new SandboxError(
      `compare: got finished runs (${names.join(", ")}) and --head, which trains new ones`,
      "Leave one of them out.",
    );
  if (flags.head !== undefined) return;
  const given = givenFlags({ ...flags });
  for (const key of ["seeds", "match", "out"] as const) if (flags[key] !== undefined) given.push(`--${key}`);
  if (given.length > 0)
    throw new SandboxError(
      `compare: ${given.join(", ")} ${given.length === 1 ? "is" : "are"} for runs to be trained, and no --head is named`,
      "For example softbox compare --head softmax,mos:4 --steps 400.",
    );
}

/** @throws {SandboxError} for fewer than two runs. */
function finished(names: readonly string[]): string[] {
  const folders = [...new Set(names.flatMap((name) => runFolders(name, "compare")))];
  if (folders.length >= 2) return folders;
  throw new SandboxError(
    `compare: expected at least two runs, got ${folders.length === 0 ? "none" : folders[0]}`,
    "Name finished runs, softbox runs ls lists them; or heads to train: softbox compare --head softmax,mos:4.",
  );
}

async function ranksOf({ variants }: Comparison, flags: CompareFlags): Promise<Map<string, RankFinding>> {
  await startEngine(flags);
  const found = new Map<string, RankFinding>();
  for (const { label, runs } of variants) {
    const [first] = runs;
    found.set(label, await examineRank(first!.folder, { step: "latest", contexts: usualRows }));
  }
  return found;
}

/** Without whole configurations, which stand in the runs' folders. */
function plain({ variants, ...rest }: Comparison, ranks: ReadonlyMap<string, RankFinding> | undefined): object {
  const shown = variants.map((variant) => {
    const finding = ranks?.get(variant.label);
    const rank = finding && {
      ...{ rank: finding.spectrum.rank, effectiveRank: finding.spectrum.effectiveRank, bound: finding.bound ?? null },
      size: finding.spectrum.singularValues.length,
    };
    const runs = variant.runs.map(({ config, ...run }) => ({ ...run, seed: config.seed }));
    return { ...variant, ...rank, runs };
  });
  return { ...rest, variants: shown };
}

export const compare: CommandModule = { declare, run };
