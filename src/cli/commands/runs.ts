/** @file `softbox runs`: what there is under checkpoints/, as a table or on a screen. */
import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import { findRuns, readRun } from "../../experiments/runSummary.ts";
import { columnWidths, headText, runText, sortRuns } from "../../tui/runs/table.ts";
import type { CommandModule } from "../command.ts";
import { canDraw, note, print, printJson } from "../output.ts";
import { runFolders } from "../runFolders.ts";

interface RunsFlags {
  readonly json?: boolean;
  readonly ui?: boolean;
}

type RunsAction = (flags: RunsFlags, names: readonly string[]) => Promise<void>;

/** By the word after `softbox runs`. */
const actions: Readonly<Record<string, RunsAction>> = { ls: list };
/** Where runs are looked for when none is named. */
const root = "checkpoints";

function declare(command: Command): void {
  command
    .argument("[action]", "ls: a line a run, the best first (default)")
    .argument("[runs...]", "folders of runs, or folders that hold some (default: checkpoints)")
    .option("--ui", "curves over each other and a table that can be sorted; plain lines in a pipe")
    .option("--json", "JSON instead of text");
}

async function run(options: Readonly<Record<string, unknown>>, positional: readonly unknown[]): Promise<void> {
  const [word, names = []] = positional as readonly [string | undefined, readonly string[] | undefined];
  const action = word === undefined ? list : Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action !== undefined) return action(options as RunsFlags, names);
  // `softbox runs checkpoints/a`: a folder, not an action
  return list(options as RunsFlags, [word!, ...names]);
}

async function list(flags: RunsFlags, names: readonly string[]): Promise<void> {
  const folders = (): string[] =>
    names.length === 0 ? findRuns(root) : names.flatMap((name) => runFolders(name, "runs", Object.keys(actions)));
  folders(); // a wrong name is told before a screen opens
  if (flags.ui && canDraw() && !flags.json) return showOnScreen(folders);
  const summaries = folders().map((folder) => readRun(folder).summary);
  if (flags.json) return printJson(summaries);
  if (summaries.length === 0) return note(`there is no run in ${root}; softbox train makes one`);
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
