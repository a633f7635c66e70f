/** @file `softbox runs`: what there is under checkpoints/, as a table or on a screen; single runs shown, tagged, removed. */
import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import { findRuns, readRun } from "../../experiments/runSummary.ts";
import { columnWidths, headText, runText, sortRuns } from "../../tui/runs/table.ts";
import type { CommandModule } from "../command.ts";
import { addHelp } from "../helpText.ts";
import { canDraw, note, print, printJson } from "../output.ts";
import { runFolders } from "../runFolders.ts";
import { type ActionFlags, actions } from "../runs/actions.ts";

interface RunsFlags extends ActionFlags {
  readonly ui?: boolean;
  readonly tag?: string;
}

type RunsAction = (flags: RunsFlags, names: readonly string[]) => Promise<void>;

/** By the word after `softbox runs`. */
const words: Readonly<Record<string, RunsAction>> = { ls: list, ...actions };
/** Where runs are looked for when none is named. */
const root = "checkpoints";

function declare(command: Command): void {
  command
    .argument("[action]", "ls (default), show, tag, note, rm or diff; see below")
    .argument("[runs...]", "folders of runs, or folders that hold some (default: checkpoints)")
    .option("--tag <word>", "ls: only runs with this tag")
    .option("--remove", "tag, note: take away instead of adding")
    .option("--yes", "rm: without a question")
    .option("--ui", "curves over each other and a table that can be sorted; plain lines in a pipe")
    .option("--json", "JSON instead of text");
  addHelp(command, () => [
    {
      title: "Actions:",
      items: [
        ["softbox runs ls [runs...]", "a line a run, the best first"],
        ["softbox runs show <run>", "what it is, what it was made of and on"],
        ["softbox runs tag <run> <words...>", "tags to find it by; --remove takes them away"],
        ["softbox runs note <run> [words...]", "writes a note, or shows it"],
        ["softbox runs rm <runs...>", "removes runs, or whole folders of them"],
        ["softbox runs diff <run> <run>", "where configuration, environment and result differ"],
      ],
    },
  ]);
}

async function run(options: Readonly<Record<string, unknown>>, positional: readonly unknown[]): Promise<void> {
  const [word, names = []] = positional as readonly [string | undefined, readonly string[] | undefined];
  const action = word === undefined ? list : Object.hasOwn(words, word) ? words[word] : undefined;
  if (action !== undefined) return action(options as RunsFlags, names);
  // `softbox runs checkpoints/a`: a folder, not an action
  return list(options as RunsFlags, [word!, ...names]);
}

async function list(flags: RunsFlags, names: readonly string[]): Promise<void> {
  const folders = (): string[] =>
    names.length === 0 ? findRuns(root) : names.flatMap((name) => runFolders(name, "runs", Object.keys(words)));
  folders(); // a wrong name is told before a screen opens
  if (flags.ui && canDraw() && !flags.json) return showOnScreen(folders);
  const all = folders().map((folder) => readRun(folder).summary);
  const summaries = flags.tag === undefined ? all : all.filter(({ tags }) => tags?.includes(flags.tag!));
  if (flags.json) return printJson(summaries);
  if (all.length === 0) return note(`there is no run in ${root}; softbox train makes one`);
  if (summaries.length === 0) return note(`no run has the tag ${flags.tag}`);
  const widths = columnWidths(summaries, Number.POSITIVE_INFINITY);
  print(headText(widths).trimEnd());
  const best = sortRuns(
    summaries.map((summary) => ({ summary })),
    1,
    false,
  );
  for (const { summary } of best) print(runText(summary, widths).trimEnd());
}

async function showOnScreen(folders: () => string[]): Promise<void> {
  const { runRuns } = await import("../../tui/runs/runs.ts");
  await runRuns({
    read: async function* () {
      for (const folder of folders()) {
        yield readRun(folder);
        await setImmediate(); // keys come before the next run
      }
    },
  });
}

export const runs: CommandModule = { declare, run };
