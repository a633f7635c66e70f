/** @file `softbox bottleneck`: the rank of a model's log-probabilities, and the bound its head sets. */
import type { Command } from "commander";
import { spectrumText } from "../../analysis/spectrumPlot.ts";
import { SandboxError } from "../../engine/errors.ts";
import { replaceFile } from "../../engine/files.ts";
import { bottleneckExperiment, type ExperimentResult } from "../../experiments/bottleneckExperiment.ts";
import { type CommandModule, declareEngine, type EngineOptions, startEngine, wholeNumber } from "../command.ts";
import { examineRank, type RankFinding, usualColumns, usualRows } from "../examineRank.ts";
import { contestantName, experimentTable } from "../experimentTable.ts";
import { addHelp } from "../helpText.ts";
import { formatDuration, note, print, printJson } from "../output.ts";
import { chooseRun } from "../runOptions.ts";

interface BottleneckFlags extends EngineOptions {
  readonly on?: string;
  readonly split: string;
  readonly step: string;
  readonly contexts: number;
  readonly tokens?: number;
  readonly svg?: string;
  readonly lossy?: boolean;
  readonly json?: boolean;
  readonly experiment?: boolean;
  readonly steps: number;
  readonly seeds: number;
}

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/)")
    .argument("[other]", "a second run to show beside it")
    .option(
      "--contexts <n>",
      "contexts: rows of the matrix, spread evenly over the text",
      wholeNumber("--contexts", 2, 4096),
      usualRows,
    )
    .option(
      "--tokens <n>",
      `tokens: columns, the text's commonest (default: ${usualColumns}, or as many as the text has)`,
      wholeNumber("--tokens", 2, 4096),
    )
    .option("--on <corpus>", "a corpus's name, or a file, folder or glob (default: the run's own corpus)")
    .option("--split <name>", "which split of the run's own corpus (default: validation; with --on: all)")
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option("--svg <file>", "write the spectra as a picture")
    .option(
      "--experiment",
      "train small models with each head on a source of high rank, and compare them with the truth",
    )
    .option("--steps <n>", "of the experiment: training steps of each model", wholeNumber("--steps", 1), 5000)
    .option("--seeds <n>", "of the experiment: how many sources and models", wholeNumber("--seeds", 1, 100), 3)
    .option("--lossy", "replace bytes that are not UTF-8 instead of refusing the text")
    .option("--json", "one JSON object a run");
  declareEngine(command);
  addHelp(command, () => [
    "With one softmax the matrix of log-probabilities has at most rank E + 1, E the features a token, whatever the text is like. Mixtures of softmaxes and sigsoftmax have no such bound. Take more contexts and tokens than E + 1.",
  ]);
}

function describeFinding({ run, head, embedSize, bound, spectrum }: RankFinding): string[] {
  const { rank, effectiveRank, tolerance } = spectrum;
  const size = spectrum.singularValues.length;
  const limit = bound === undefined ? "none set by the head" : `${bound}${bound < size ? "" : " (beyond this matrix)"}`;
  return [
    `${run}: head ${head}, ${embedSize} features a token`,
    `  rank ${rank} of ${size} · bound ${limit} · effective rank ${effectiveRank.toFixed(1)}`,
    `  (singular values above ${tolerance.toExponential(1)}, more than rounding can make)`,
  ];
}

async function run(
  options: Readonly<Record<string, unknown>>,
  folders: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as BottleneckFlags;
  const [first, second] = folders;
  if (flags.experiment) return experiment(flags, folders);
  const chosen = [chooseRun(first), ...(second === undefined ? [] : [second])];
  await startEngine(flags);
  const findings: RankFinding[] = [];
  for (const folder of chosen) findings.push(await examineRank(folder, flags));
  const curves = findings.map(({ run: folder, head, spectrum }) => ({ name: `${folder} (${head})`, spectrum }));
  if (flags.svg !== undefined) await replaceFile(flags.svg, await picture(findings));
  if (flags.json) return findings.forEach(printJson);
  for (const finding of findings) for (const line of describeFinding(finding)) print(line);
  for (const line of spectrumText(curves, Math.min(80, process.stdout.columns || 80))) print(line);
  if (flags.svg !== undefined) print(`picture: ${flags.svg}`);
}

/** The spectra as an SVG; the charts' library is loaded for it alone. */
async function picture(findings: readonly RankFinding[]): Promise<string> {
  const [{ spectrumChart }, { chartFile }] = await Promise.all([
    import("../../experiments/report/modelCharts.ts"),
    import("../../drawing/chart.ts"),
  ]);
  const curves = findings.map(({ run: folder, head, spectrum, bound }, index) => ({
    label: `${folder} (${head})`,
    index,
    figures: { spectrum: { spectrum, bound } },
  }));
  return chartFile(spectrumChart(curves, 640));
}

async function experiment(flags: BottleneckFlags, folders: readonly (string | undefined)[]): Promise<void> {
  if (folders.some((folder) => folder !== undefined))
    throw new SandboxError("--experiment: trains models of its own, got a run as well", "Leave the run out.");
  await startEngine(flags);
  const seeds = Array.from({ length: flags.seeds }, (_, i) => i + 1);
  const results: ExperimentResult[] = [];
  for await (const result of bottleneckExperiment({ steps: flags.steps, seeds })) {
    results.push(result);
    if (flags.json) printJson(result);
    else note(`seed ${result.seed}: ${contestantName(result)} done in ${formatDuration(result.seconds)}`);
  }
  if (!flags.json) for (const line of experimentTable(results)) print(line);
}

export const bottleneck: CommandModule = { declare, run };
