/** @file What `softbox runs <word>` does to single runs: show, tag, note, rm, diff. */
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { SandboxError } from "../../engine/errors.ts";
import { explainFailure } from "../../engine/files.ts";
import { changeLine, configChanges } from "../../experiments/configDiff.ts";
import { isRunBusy } from "../../experiments/lock.ts";
import { isRun, readRunConfig, readRunFile, savedSteps } from "../../experiments/runFolder.ts";
import { readNotes, writeNotes } from "../../experiments/runNotes.ts";
import { readRun } from "../../experiments/runSummary.ts";
import { formatCount, isLive, note, print, printJson, safeText } from "../output.ts";
import { runFolders } from "../runFolders.ts";

export interface ActionFlags {
  readonly json?: boolean;
  readonly remove?: boolean;
  readonly yes?: boolean;
}

type Action = (flags: ActionFlags, names: readonly string[]) => Promise<void>;

interface Environment {
  readonly softbox?: string;
  readonly engine?: string;
  readonly processor?: string;
  readonly git?: { readonly commit: string; readonly clean: boolean } | null;
  readonly corpus?: { readonly name?: string; readonly sha256?: string };
  readonly tokenizer?: { readonly kind?: string; readonly hash?: string; readonly vocabSize?: number };
}

/** One run is named. @throws {SandboxError} otherwise, or if it is none. */
function oneRun(names: readonly string[], word: string): string {
  const [name] = names;
  if (name === undefined) throw new SandboxError(`runs ${word}: expected a run's folder, got none`, listHint);
  readRunConfig(name); // tells what is wrong with it
  return name;
}
const listHint = "softbox runs ls lists what is in checkpoints.";

async function show({ json }: ActionFlags, names: readonly string[]): Promise<void> {
  const run = oneRun(names, "show");
  const config = readRunConfig(run);
  const environment = readRunFile(run, "environment.json") as Environment;
  const { summary } = readRun(run);
  if (json) return printJson({ ...summary, config, environment, checkpoints: savedSteps(run) });
  const { corpus, tokenizer, git } = environment;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["state", `${summary.state}, step ${formatCount(summary.step)} of ${formatCount(summary.steps ?? 0)}`],
    ["model", summary.model],
    [
      "best",
      summary.bestNats === undefined
        ? undefined
        : `${summary.bestNats.toFixed(4)} nats per token, ${summary.bitsPerByte?.toFixed(4)} bits per byte`,
    ],
    ["text", `${corpus?.name ?? config.corpus} (sha256 ${corpus?.sha256?.slice(0, 12) ?? "unknown"})`],
    [
      "tokenizer",
      `${config.tokenizer}${tokenizer?.hash ? ` (sha256 ${tokenizer.hash.slice(0, 12)}), ${formatCount(tokenizer.vocabSize ?? 0)} tokens` : ""}`,
    ],
    ["seed", String(config.seed)],
    [
      "made by",
      `softbox ${environment.softbox}${git ? `, commit ${git.commit.slice(0, 12)}${git.clean ? "" : " with changes"}` : ""}`,
    ],
    ["engine", `${environment.engine}, ${config.precision}, on ${environment.processor}`],
    ["checkpoints", savedSteps(run).join(", ") || "none yet"],
    ["tags", summary.tags?.join(", ")],
    ["note", summary.note],
    ["like it", `softbox train --like ${run}`],
  ];
  for (const [name, text] of rows) if (text) print(`${name.padEnd(13)}${safeText(text)}`);
}

async function tag({ json, remove }: ActionFlags, names: readonly string[]): Promise<void> {
  const run = oneRun(names, "tag");
  const given = names
    .slice(1)
    .flatMap((text) => text.split(","))
    .filter(Boolean);
  if (given.length === 0)
    throw new SandboxError(
      "runs tag: expected tags after the run, got none",
      "For example softbox runs tag checkpoints/moby baseline.",
    );
  const notes = readNotes(run);
  const tags = remove ? notes.tags.filter((known) => !given.includes(known)) : [...notes.tags, ...given];
  await writeNotes(run, { ...notes, tags });
  const after = readNotes(run).tags;
  if (json) return printJson({ run, tags: after });
  print(`${run}: ${after.join(", ") || "no tags"}`);
}

async function annotate({ json, remove }: ActionFlags, names: readonly string[]): Promise<void> {
  const run = oneRun(names, "note");
  const text = names.slice(1).join(" ");
  if (text || remove) await writeNotes(run, { ...readNotes(run), note: remove ? "" : text });
  const after = readNotes(run).note;
  if (json) return printJson({ run, note: after });
  print(safeText(after) || `${run} has no note; softbox runs note ${run} "words" writes one`);
}

async function remove({ json, yes }: ActionFlags, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new SandboxError("runs rm: expected folders of runs, got none", listHint);
  const doomed = names.map((name) => ({ name, runs: isRun(name) ? [name] : runFolders(name, "runs rm") }));
  const busy = doomed.flatMap(({ runs }) => runs).find(isRunBusy);
  if (busy) throw new SandboxError(`runs rm: ${busy} is being trained`, "Stop it first, or wait for it.");
  const count = doomed.reduce((sum, { runs }) => sum + runs.length, 0);
  const what = `${names.join(", ")}${count > names.length ? ` (${count} runs)` : ""}`;
  if (!yes && !(await confirmed(`remove ${what} for good? [y/N] `)))
    throw new SandboxError(
      `runs rm: nothing was removed; ${what} is still there`,
      "Add --yes to remove without a question.",
    );
  for (const { name } of doomed)
    await rm(name, { recursive: true }).catch((error: unknown) => {
      throw explainFailure(name, error);
    });
  if (json) return printJson({ removed: names });
  note(`removed ${what}`);
}

/** Asks on a terminal; elsewhere the answer is no. */
async function confirmed(question: string): Promise<boolean> {
  if (!isLive() || !process.stdin.isTTY) return false;
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question(question).finally(() => asking.close());
  return /^y(es)?$/i.test(answer.trim());
}

async function diff({ json }: ActionFlags, names: readonly string[]): Promise<void> {
  if (names.length !== 2)
    throw new SandboxError(
      `runs diff: expected two runs, got ${names.length}`,
      "For example softbox runs diff checkpoints/a checkpoints/b.",
    );
  const [before, after] = names.map((name) => describe(name)) as [Described, Described];
  const sections = (["config", "environment", "result"] as const).map(
    (part) => [part, configChanges(before[part], after[part])] as const,
  );
  if (json) return printJson({ runs: names, ...Object.fromEntries(sections) });
  for (const [part, changes] of sections) {
    print(`${part}: ${changes.length === 0 ? "the same" : ""}`.trimEnd());
    for (const change of changes) print(`  ${safeText(changeLine(change))}`);
  }
}

interface Described {
  readonly config: object;
  readonly environment: object;
  readonly result: object;
}

/** What of a run can be compared line by line; the text of its sources' difference cannot. */
function describe(name: string): Described {
  const run = oneRun([name], "diff");
  const { git, ...environment } = readRunFile(run, "environment.json") as Environment;
  const { step, bestNats, bitsPerByte, tags, note: words } = readRun(run).summary;
  const state = git ? { commit: git.commit, clean: git.clean } : {};
  return {
    config: readRunConfig(run),
    environment: { ...environment, git: state },
    result: { step, bestNats, bitsPerByte, tags, note: words },
  };
}

/** By the word after `softbox runs`. */
export const actions: Readonly<Record<string, Action>> = { show, tag, note: annotate, rm: remove, diff };
