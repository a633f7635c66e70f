/** @file `softbox play`: the next-token distribution on the screen, steered by keys; plain lines where there is no screen. */
import { constants } from "node:os";
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { readRunConfig, stepsToTry } from "../../experiments/runFolder.ts";
import { parseSamplingSettings } from "../../sampling/settings.ts";
import {
  type CommandModule,
  calibratedHelp,
  declareEngine,
  declareSampling,
  type EngineOptions,
  samplingOf,
} from "../command.ts";
import { canDraw, note, print, printPart, safeText } from "../output.ts";
import { createWorkerPort } from "../play/workerPort.ts";
import { chooseRunToRead } from "../runOptions.ts";

interface PlayFlags extends EngineOptions {
  readonly prompt?: string;
  readonly step: string;
  readonly beside?: string;
  readonly calibrated?: boolean;
}

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/, else one that comes with softbox)")
    .option("--prompt <text>", "text to go on from (default: the recipe's sample prompt)")
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option("--beside <run>", "another run, to stand beside this one on the same text (key t)")
    .option("--calibrated", calibratedHelp);
  declareSampling(command);
  declareEngine(command);
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as PlayFlags;
  const settings = parseSamplingSettings(samplingOf(options));
  const folder = chooseRunToRead(named, note);
  const config = readRunConfig(folder); // a wrong folder is told before the screen opens
  stepsToTry(folder, flags.step);
  const beside = flags.beside;
  if (beside !== undefined) readRunConfig(beside);
  const { engine, threads, step, calibrated = false } = flags;
  const port = createWorkerPort({
    folder,
    step,
    calibrated,
    anyPrompt: flags.prompt === undefined,
    ...(beside === undefined ? {} : { beside }),
    ...(engine ? { engine } : {}),
    ...(threads ? { threads } : {}),
  });
  const playOptions = { prompt: flags.prompt ?? config.sample.prompt, settings: { ...settings, calibrated } };
  if (canDraw()) {
    const { runPlay } = await import("../../tui/play/play.tsx");
    const { text, signal, failure } = await runPlay(port, playOptions);
    if (failure) throw new SandboxError(failure.text, failure.hint); // the screen had room for its beginning only
    if (text) print(safeText(text));
    if (signal) process.exitCode = 128 + constants.signals[signal];
  } else {
    const { plainPlay } = await import("../../tui/play/plain.ts");
    await plainPlay(port, playOptions, printPart);
  }
}

export const play: CommandModule = { declare, run };
