/** @file `softbox report`: runs as one HTML file that needs nothing else, and each chart as SVG. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { explainFailure, replaceFile } from "../../engine/files.ts";
import { softboxVersion } from "../../experiments/environment.ts";
import type { FiguresOrReason } from "../../experiments/report/figures.ts";
import { readReportRuns } from "../../experiments/report/reportRun.ts";
import { type CommandModule, declareEngine, type EngineOptions, startEngine } from "../command.ts";
import { addHelp } from "../helpText.ts";
import { note, print, printJson } from "../output.ts";
import { runFolders } from "../runFolders.ts";
import { chooseRun } from "../runOptions.ts";

interface ReportFlags extends EngineOptions {
  readonly out: string;
  readonly svg?: string;
  readonly quick?: boolean;
  readonly json?: boolean;
}

function declare(command: Command): void {
  command
    .argument(
      "[runs...]",
      "runs, or folders that hold some; the first is what the others are compared with (default: the newest under checkpoints/)",
    )
    .option("--out <file>", "where the page is written; one that is there is replaced", "report.html")
    .option("--svg <folder>", "also write each chart as a picture of its own into this folder")
    .option(
      "--quick",
      "only what stands in the runs' folders: no model is loaded, so no calibration, spectrum or attention",
    )
    .option("--json", "one JSON object: which files were written");
  declareEngine(command);
  addHelp(command, () => [
    "One HTML file with loss curves, the comparison, the film of each probe, samples, reliability diagrams, spectra, attention maps and configurations. It loads nothing, runs no script, and follows the reader's light or dark. What needs a model is computed from each run's best checkpoint: calibration on up to 4,096 tokens of its validation text, the spectrum from up to 256 contexts and tokens, attention on its first 16 tokens.",
  ]);
}

async function run(options: Readonly<Record<string, unknown>>, positional: readonly unknown[]): Promise<void> {
  const flags = options as unknown as ReportFlags;
  const names = (positional[0] ?? []) as readonly string[];
  const folders = names.length === 0 ? [chooseRun(undefined)] : names.flatMap((name) => runFolders(name, "report"));
  const runs = readReportRuns([...new Set(folders)]);
  const { createReport, reportCharts } = await import("../../experiments/report/report.ts");
  const facts = { runs, madeAt: new Date(), version: softboxVersion() };
  createReport(facts); // what cannot be compared or written is told before anything slow
  expectPlaces(flags);
  const figures = flags.quick
    ? undefined
    : await askModels(
        runs.map(({ outcome }) => outcome.folder),
        flags,
      );
  const report = createReport({ ...facts, ...(figures && { figures }) });
  const { reportPage } = await import("../../experiments/report/page.ts");
  await replaceFile(flags.out, reportPage(report));
  const files = [flags.out];
  if (flags.svg !== undefined) {
    const { chartFile } = await import("../../drawing/chart.ts");
    for (const [name, chart] of reportCharts(report)) {
      files.push(join(flags.svg, `${name}.svg`));
      await replaceFile(files.at(-1)!, chartFile(chart));
    }
  }
  if (flags.json) return printJson({ files });
  print(`wrote ${flags.out}${flags.svg === undefined ? "" : ` and ${files.length - 1} charts in ${flags.svg}`}`);
}

async function askModels(folders: readonly string[], flags: EngineOptions): Promise<FiguresOrReason[]> {
  await startEngine(flags);
  const { modelFigures } = await import("../report/modelFigures.ts");
  const found: FiguresOrReason[] = [];
  for (const [i, folder] of folders.entries()) {
    if (folders.length > 1) note(`asking the model of ${folder} (${i + 1} of ${folders.length})`);
    found.push(await modelFigures(folder));
  }
  return found;
}

/** Makes the charts' folder. @throws {SandboxError} where it or the page cannot be written. */
function expectPlaces({ out, svg }: ReportFlags): void {
  try {
    accessSync(dirname(out), constants.W_OK);
  } catch (error) {
    throw explainFailure(out, error);
  }
  if (svg === undefined) return;
  try {
    mkdirSync(svg, { recursive: true });
  } catch (error) {
    throw explainFailure(svg, error);
  }
}

export const report: CommandModule = { declare, run };
