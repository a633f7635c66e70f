/** @file `softbox generate`: text from a trained model, streamed; with `--json` every token's distribution. */
import type { Command } from "commander";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { loadRepair, repairedSource } from "../../experiments/repairs.ts";
import { describeNext } from "../../sampling/distribution.ts";
import { parseSamplingSettings } from "../../sampling/settings.ts";
import { printableBytes } from "../../text/printable.ts";
import {
  type CommandModule,
  calibratedHelp,
  declareEngine,
  declareSampling,
  type EngineOptions,
  samplingOf,
  startEngine,
  wholeNumber,
} from "../command.ts";
import { note, printJson } from "../output.ts";
import { chooseRun } from "../runOptions.ts";
import { generateText, type WriteOptions, writeText } from "../writeText.ts";

interface GenerateFlags extends EngineOptions {
  readonly prompt?: string;
  readonly tokens: number;
  readonly step: string;
  readonly calibrated?: boolean;
  readonly json?: boolean;
  readonly top: number;
}

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/)")
    .option("--prompt <text>", "text to go on from (default: the recipe's sample prompt)")
    .option("--tokens <n>", "tokens to write", wholeNumber("--tokens", 1), 100)
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option("--calibrated", calibratedHelp)
    .option("--json", "one JSON object a token, with the distribution it was drawn from")
    .option("--top <n>", "candidates listed a token with --json", wholeNumber("--top", 1), 20);
  declareSampling(command);
  declareEngine(command);
}

async function writeJson(run: LoadedRun, options: WriteOptions, top: number): Promise<void> {
  for await (const { position, id, text, logProb, probability, next } of generateText(run, options)) {
    const { candidates, ...entropies } = describeNext(next.logProbs, options.settings, top);
    const named = candidates.map((candidate) => ({
      ...candidate,
      text: printableBytes(run.tokenizer.tokenBytes(candidate.id)),
    }));
    const mixture = next.mixture ? { mixture: next.mixture } : {};
    printJson({ position, id, text, logProb, probability, ...entropies, ...mixture, candidates: named });
  }
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as GenerateFlags;
  const settings = parseSamplingSettings(samplingOf(options));
  const folder = chooseRun(named);
  await startEngine(flags);
  const loaded = await loadRun(folder, flags.step, note);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const prompt = flags.prompt ?? loaded.config.sample.prompt;
  try {
    const source = flags.calibrated ? { source: repairedSource(loaded.model, loadRepair(loaded)) } : {};
    const write = { prompt, settings, maxTokens: flags.tokens, signal: stop.signal, ...source };
    if (loaded.tokenizer.encode(prompt).length > loaded.model.config.contextLength)
      note(
        `the prompt is longer than the context of ${loaded.model.config.contextLength} tokens: only its end is seen`,
      );
    await (flags.json ? writeJson(loaded, write, flags.top) : writeText(loaded, write));
  } finally {
    loaded.dispose();
  }
}

export const generate: CommandModule = { declare, run };
