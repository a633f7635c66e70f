/**
 * @file Remedies against over-confidence side by side: twins of one configuration that differ in a remedy alone, trained as ordinary
 * runs, and what each remedy, during training or after it, makes of loss and calibration on one held-out text.
 */
import { averaged, type EnsemblePredictions } from "../calibration/ensemble.ts";
import { type Measurement, type MeasureOptions, measure } from "../calibration/measure.ts";
import type { Predictions } from "../calibration/predictions.ts";
import { rowRepair } from "../calibration/repairs/table.ts";
import { fitTemperature } from "../calibration/repairs/temperature.ts";
import { SandboxError } from "../engine/errors.ts";
import { type Member, maskedMembers, memberPredictions } from "../training/memberPredictions.ts";
import { parseRunConfig, type RunConfig } from "./config.ts";
import type { LoadedRun } from "./loadRun.ts";
import { isRun, readRunConfig } from "./runFolder.ts";
import { resumeRun, type Session, type SessionOptions, startRun } from "./session.ts";

/** How strong each remedy is. */
export const remedies = { labelSmoothing: 0.1, dropout: 0.2, members: 3, masks: 16 } as const;

/** A run of the study. */
export interface Twin {
  /** The folder it is kept in, within the study's. */
  readonly name: string;
  readonly config: RunConfig;
}

/** Names of the twins, in the order in which they are trained. */
const plainNames = Array.from({ length: remedies.members }, (_, i) => `plain-${i + 1}`);
const [smoothedName, droppedName] = ["label-smoothing", "dropout"];

/** Twins of `base`: without any remedy, under some seeds; with label smoothing; with dropout. */
export function studyTwins(base: RunConfig): Twin[] {
  if (base.splits.calibration === 0)
    throw new SandboxError(
      "study: temperatures are fitted on the calibration split, but the recipe has none",
      "Give it one: splits.calibration above 0, e.g. 0.05.",
    );
  const plain: RunConfig = {
    ...base,
    model: withDropout(base.model, 0),
    training: { ...base.training, labelSmoothing: 0, keepCheckpoints: 1 },
    probes: [],
    sample: { ...base.sample, tokens: 0 },
  };
  const { labelSmoothing, dropout } = remedies;
  const twins: Twin[] = [
    ...plainNames.map((name, i) => ({ name, config: { ...plain, seed: base.seed + i } })),
    { name: smoothedName, config: { ...plain, training: { ...plain.training, labelSmoothing } } },
    { name: droppedName, config: { ...plain, model: withDropout(plain.model, dropout) } },
  ];
  return twins.map(({ name, config }) => ({ name, config: parseRunConfig(`study, ${name}`, config) }));
}

/** Dropout of the given share and no other. */
const withDropout = (model: RunConfig["model"], dropout: number): RunConfig["model"] =>
  model.kind === "transformer"
    ? { ...model, dropout }
    : { ...model, dropout, inputDropout: 0, betweenDropout: 0, embeddingDropout: 0, weightDropout: 0 };

/**
 * Opens a twin's run: a new one, or the one that is there, to be gone on with.
 *
 * @throws {SandboxError} if the one that is there has other settings; more steps are no other settings.
 */
export async function openTwin(config: RunConfig, options: SessionOptions): Promise<Session> {
  const { folder } = options;
  if (!isRun(folder)) return startRun(config, options);
  const { steps } = config.training;
  const stored = readRunConfig(folder);
  const alike: RunConfig = { ...stored, training: { ...stored.training, steps } };
  if (JSON.stringify(alike) !== JSON.stringify(config))
    throw new SandboxError(
      `study: ${folder} was trained with other settings`,
      "Choose another folder with --run, or remove this one.",
    );
  const session = await resumeRun({ ...options, steps });
  if (session.progress.step <= steps) return session;
  session.close();
  throw new SandboxError(
    `study: ${folder} is at step ${session.progress.step}, beyond the ${steps} asked for`,
    `Ask for as many: --steps ${session.progress.step}. Or choose another folder with --run.`,
  );
}

/** One remedy, measured. */
export interface StudyRow {
  readonly name: string;
  /** The temperature that its predictions were divided by, where one was fitted. */
  readonly temperature?: number;
  readonly measurement: Measurement;
  /** How many models were trained for it. */
  readonly trainings: number;
  /** How many times the text is read to predict it. */
  readonly passes: number;
}

export interface StudyOptions {
  /** Trained twins by name. */
  readonly twins: ReadonlyMap<string, LoadedRun>;
  /** What temperatures are fitted on, and what everything is judged on. */
  readonly fit: Int32Array;
  readonly judge: Int32Array;
  readonly maxTokens: number;
  readonly measuring: MeasureOptions & { readonly seed: number };
}

/** Measures every remedy, in turn; the models as they are come first: `plain`, then its other seeds. */
export async function* studyRows({ twins, fit, judge, maxTokens, measuring }: StudyOptions): AsyncGenerator<StudyRow> {
  const run = (name: string): LoadedRun => twins.get(name)!;
  const [dropped, plain] = [run(droppedName), plainNames.map(run)];
  const masks = maskedMembers(dropped.model, remedies.masks, measuring.seed);
  const ways: readonly { name: string; members: readonly Member[]; trainings: number; cooled?: boolean }[] = [
    ...plain.map((member, i) => ({
      name: i ? `plain, seed ${member.config.seed}` : "plain",
      members: [member],
      trainings: 1,
    })),
    { name: "temperature", members: [plain[0]!], trainings: 1, cooled: true },
    { name: "label smoothing", members: [run(smoothedName)], trainings: 1 },
    { name: "dropout", members: [dropped], trainings: 1 },
    { name: `dropout, ${masks.length} masks`, members: masks, trainings: 1 },
    { name: `ensemble of ${plain.length}`, members: plain, trainings: plain.length },
    { name: "…, temperature", members: plain, trainings: plain.length, cooled: true },
  ];
  const { batchSize } = plain[0]!.config.training;
  for (const { name, members, trainings, cooled } of ways) {
    const on = (ids: Int32Array): Predictions => averageOf(memberPredictions(members, { ids, batchSize, maxTokens }));
    const repair = cooled ? await fitTemperature(on(fit)) : undefined;
    const measurement = await measure(on(judge), repair && rowRepair(repair), measuring);
    const temperature = repair ? { temperature: repair.temperature } : {};
    yield { name, measurement, trainings, passes: members.length, ...temperature };
  }
}

const averageOf = (predictions: EnsemblePredictions): Predictions => averaged(predictions, "probability");
