/** @file `softbox calibrate`: how sure a model is against how often it is right, before and after each repair. */
import type { Command } from "commander";
import { diagramLegend, diagramText } from "../../calibration/diagramText.ts";
import { type RepairKind, repairKinds } from "../../calibration/repairs/table.ts";
import { SandboxError } from "../../engine/errors.ts";
import { replaceFile } from "../../engine/files.ts";
import { type CalibrationEvent, calibration, kindsFor } from "../../experiments/calibration.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { saveRepair } from "../../experiments/repairs.ts";
import type { ReliabilityPanel } from "../../experiments/report/reliabilityChart.ts";
import { sigmoidsOf } from "../../lm/headParts.ts";
import { modelPredictions } from "../../training/predictions.ts";
import { reportAnswers } from "../answersReport.ts";
import { calibrationStudy, declareStudy, expectStudyFlags, type StudyFlags } from "../calibrationStudy.ts";
import { calibrationTables, verdict } from "../calibrationTable.ts";
import { type CommandModule, declareEngine, oneOf, startEngine, wholeNumber } from "../command.ts";
import { addHelp } from "../helpText.ts";
import { formatCount, note, print, printJson } from "../output.ts";
import { chooseRun } from "../runOptions.ts";
import { type TextOfRun, textOfRun } from "../textOfRun.ts";

interface CalibrateFlags extends StudyFlags {
  readonly on?: string;
  readonly step: string;
  readonly repairs?: string;
  readonly save?: string;
  readonly svg?: string;
}

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/)")
    .option("--on <corpus>", "judge on this text instead of the validation split: a name, file, folder or glob")
    .option("--repairs <list>", `which to fit, with commas: ${repairKinds.join(", ")}, or none (default: all)`)
    .option("--save <repair>", "keep this one beside the checkpoint, for --calibrated of generate, eval and play")
    .option("--svg <file>", "write the reliability diagram, before and after")
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option(
      "--max-tokens <n>",
      "at most so many tokens to fit on, and as many to judge on, spread evenly",
      wholeNumber("--max-tokens", 2),
      10_000,
    )
    .option("--bins <n>", "bins of confidence", wholeNumber("--bins", 1, 100), 15)
    .option("--draws <n>", "bootstrap draws an interval is made of", wholeNumber("--draws", 0, 10_000), 200)
    .option("--seed <n>", "fixes the bootstrap", wholeNumber("--seed", 0), 1)
    .option("--lossy", "replace bytes that are not UTF-8 instead of refusing the text")
    .option("--json", "one JSON object a repair, with every metric and the bins of the diagram");
  declareStudy(command);
  declareEngine(command);
  addHelp(command, () => [
    "temperature, vector and matrix repair the whole distribution; the others repair how sure the model is of its likeliest token, and the rest of the distribution keeps its proportions. Repairs are fitted on the calibration split and judged on the validation split (without a calibration split: on halves of it).",
  ]);
}

const kindNamed = (text: string, flag: string): RepairKind =>
  oneOf(flag, repairKinds, text.trim(), `For example ${flag} temperature.`);

/** Repairs to fit: those named, else all that the vocabulary allows; the one to save among them. */
function kindsOf({ repairs, save }: CalibrateFlags, classes: number): RepairKind[] {
  const named = repairs === "none" ? [] : repairs?.split(",").map((text) => kindNamed(text, "--repairs"));
  const kinds = named ?? kindsFor(classes);
  const saved = save === undefined ? undefined : kindNamed(save, "--save");
  return [...new Set(saved ? [...kinds, saved] : kinds)];
}

/** What to fit on and what to judge on. */
async function textsOf(run: LoadedRun, flags: CalibrateFlags): Promise<{ fit: TextOfRun; judge: TextOfRun }> {
  const judge = await textOfRun(run, flags, "calibrate");
  const lossy = { lossy: flags.lossy ?? false };
  if (run.config.splits.calibration > 0)
    return { fit: await textOfRun(run, { ...lossy, split: "calibration" }, "calibrate"), judge };
  if (flags.on !== undefined)
    return { fit: await textOfRun(run, { ...lossy, split: "validation" }, "calibrate"), judge };
  const middle = judge.ids.length >> 1;
  if (middle < 2)
    throw new SandboxError(
      `calibrate: ${judge.where} has ${judge.ids.length} tokens, too few for two halves`,
      "Train with a larger calibration split, or judge on another text: --on.",
    );
  note("the run has no calibration split: fitted on the first half of the validation split, judged on the second");
  return {
    fit: { ids: judge.ids.subarray(0, middle), where: `${judge.where}, first half` },
    judge: { ids: judge.ids.subarray(middle), where: `${judge.where}, second half` },
  };
}

function printDiagram(event: CalibrationEvent): void {
  print();
  print(event.kind === "none" ? "as it is" : `after ${event.kind}`);
  for (const line of diagramText(event.measurement.bins)) print(line);
}

/** The repair to draw: the one to be saved, else the first. */
const drawn = (events: readonly CalibrationEvent[], save: string | undefined): CalibrationEvent | undefined =>
  events.find(({ kind }) => kind === save) ?? events[1];

const panel = ({ kind, measurement }: CalibrationEvent): ReliabilityPanel => {
  const { ece, nll } = measurement.metrics;
  const note = `ECE ${ece.value.toFixed(4)} (${ece.lower.toFixed(4)}–${ece.upper.toFixed(4)}), NLL ${nll.value.toFixed(4)} nats`;
  return { title: kind === "none" ? "As it is" : `After ${kind}`, note, bins: measurement.bins };
};

/** The diagrams as an SVG; the charts' library is loaded for it alone. */
async function picture(events: readonly CalibrationEvent[]): Promise<string> {
  const [{ reliabilityPanels }, { chartFile }] = await Promise.all([
    import("../../experiments/report/reliabilityChart.ts"),
    import("../../drawing/chart.ts"),
  ]);
  return chartFile(reliabilityPanels(events.map(panel)));
}

async function report(run: LoadedRun, flags: CalibrateFlags): Promise<void> {
  const { fit, judge } = await textsOf(run, flags);
  const { batchSize } = run.config.training;
  const { maxTokens } = flags;
  const stream = ({ ids }: TextOfRun, rows = run.model.logProbs) =>
    modelPredictions(run.model, { ids, batchSize, maxTokens, rows });
  const [fitOn, judgeOn] = [stream(fit), stream(judge)];
  const kinds = kindsOf(flags, fitOn.classes);
  const { bins, draws, seed } = flags;
  if (!flags.json) {
    print(`${run.folder}, step ${run.step}, vocabulary ${formatCount(fitOn.classes)}`);
    print(`repairs fitted on ${fit.where}: ${formatCount(fitOn.count)} tokens`);
    print(`everything measured on ${judge.where}: ${formatCount(judgeOn.count)} tokens`);
    print();
  }
  const events: CalibrationEvent[] = [];
  for await (const event of calibration({ fitOn, judgeOn, kinds, measuring: { bins, draws, seed } })) {
    events.push(event);
    if (flags.json) printJson(jsonOf(run, event));
    else tellProgress(event);
  }
  if (!flags.json) printReport(events, flags.save);
  const sigmoids = sigmoidsOf(run.model);
  if (sigmoids) {
    const options = {
      fitOn: stream(fit, sigmoids),
      judgeOn: stream(judge, sigmoids),
      measuring: { bins, draws, seed },
    };
    await reportAnswers(options, flags.json ? { run: run.folder, step: run.step } : undefined);
  }
  const after = drawn(events, flags.save);
  if (flags.svg !== undefined) await replaceFile(flags.svg, await picture([events[0]!, ...(after ? [after] : [])]));
  const saved = events.find(({ kind }) => kind === flags.save)?.repair;
  if (!saved) return;
  const path = await saveRepair(run, saved, { fittedOn: fit.where, tokens: fitOn.count });
  note(`saved ${saved.kind} as ${path}; use it with --calibrated`);
}

const tellProgress = ({ kind, milliseconds: { fit, measure } }: CalibrationEvent): void =>
  note(
    `${kind === "none" ? "measured as it is" : `${kind}: fitted in ${seconds(fit)}, measured`} in ${seconds(measure)}`,
  );

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

function printReport(events: readonly CalibrationEvent[], save: string | undefined): void {
  for (const line of calibrationTables(events)) print(line);
  const words = [
    verdict(events),
    ...events.flatMap(({ repair }) =>
      repair?.kind === "temperature" ? [`the best temperature is ${repair.temperature.toFixed(4)}`] : [],
    ),
  ];
  print();
  for (const line of words.filter((each) => each)) print(line);
  printDiagram(events[0]!);
  const after = drawn(events, save);
  if (after) printDiagram(after);
  print(diagramLegend);
}

/** Everything that was found; a repair of many numbers only where it is small. */
function jsonOf({ folder, step }: LoadedRun, { kind, repair, measurement, milliseconds }: CalibrationEvent): object {
  const small = repair && repair.kind !== "vector" && repair.kind !== "matrix" ? { repair } : {};
  return { run: folder, step, kind, ...measurement, milliseconds, ...small };
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as CalibrateFlags;
  const others = [
    named && "a run",
    ...["--on", "--repairs", "--save", "--svg"].filter((flag) => flag.slice(2) in options),
  ];
  expectStudyFlags(
    flags,
    others.filter((each) => each !== undefined),
  );
  if (flags.study) return calibrationStudy(flags);
  kindsOf(flags, 1); // a wrong name is told before anything slow
  const folder = chooseRun(named);
  await startEngine(flags);
  const loaded = await loadRun(folder, flags.step, note);
  try {
    await report(loaded, flags);
  } finally {
    loaded.dispose();
  }
}

export const calibrate: CommandModule = { declare, run };
