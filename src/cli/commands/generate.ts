/** @file `softbox generate`: text from a trained model, streamed; with `--json` every token's distribution. */
import { type Command, Option } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import type { Precision } from "../../engine/ladder/ladder.ts";
import { generateText, type TextOptions } from "../../experiments/generateText.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { gapAfter, knownPrompt } from "../../experiments/prompts.ts";
import { loadRepair, repairedReader } from "../../experiments/repairs.ts";
import { createReader } from "../../lm/reader.ts";
import { searchBeams } from "../../sampling/beam.ts";
import { describeOutlook, rankOf } from "../../sampling/distribution.ts";
import { parseSamplingSettings } from "../../sampling/settings.ts";
import { printableBytes } from "../../text/printable.ts";
import {
  type CommandModule,
  calibratedHelp,
  declareEngine,
  declareSampling,
  describeFilters,
  type EngineOptions,
  samplingOf,
  startEngine,
  wholeNumber,
} from "../command.ts";
import { addHelp } from "../helpText.ts";
import { note, print, printJson, safeText } from "../output.ts";
import { chooseRun } from "../runOptions.ts";
import { writeSamples, writeText } from "../writeText.ts";

interface GenerateFlags extends EngineOptions {
  readonly prompt?: string;
  readonly maxTokens: number;
  readonly tokens?: number;
  readonly samples: number;
  readonly beams?: number;
  readonly stop?: readonly string[];
  readonly stopToken?: readonly number[];
  readonly logitBias?: readonly string[];
  readonly precision: Precision;
  readonly step: string;
  readonly calibrated?: boolean;
  readonly json?: boolean;
  readonly show?: boolean;
  readonly window: boolean;
  readonly top: number;
}

/** Gathers an option that may come several times. */
const gather =
  <T>(read: (text: string) => T) =>
  (text: string, before: readonly T[] = []): T[] => [...before, read(text)];

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/)")
    .option("--prompt <text>", "text to go on from (default: the recipe's sample prompt)")
    .option("--max-tokens <n>", "most tokens to write", wholeNumber("--max-tokens", 1), 100)
    .option("--tokens <n>", "the same", wholeNumber("--tokens", 1))
    .option("-n, --samples <n>", "texts written side by side", wholeNumber("--samples", 1, 1024), 1)
    .option(
      "--beams <n>",
      "beam search of this breadth: the likeliest texts, no chance",
      wholeNumber("--beams", 1, 1024),
    )
    .option("--stop <text>", "end before this text; may come several times", gather(String))
    .option("--stop-token <id>", "end after this token; may come several times", gather(wholeNumber("--stop-token", 0)))
    .option(
      "--logit-bias <token=nats>",
      'add to a token, by id or text: "11=-100", " the=2"; may come several times',
      gather(String),
    )
    .option("--no-window", "refuse a text that outgrows the context, instead of letting go of its beginning")
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option("--calibrated", calibratedHelp)
    .option("--show", "each token with its probability in view: colours, or marks where there are none")
    .option("--json", "one JSON object a token, with the distribution it was drawn from")
    .option("--top <n>", "candidates listed a token with --json", wholeNumber("--top", 1), 20)
    .addOption(
      new Option("--precision <kind>", "float32, or bfloat16: half the bytes to read")
        .choices(["float32", "bfloat16"])
        .default("float32"),
    );
  addHelp(command, () => [{ title: "Settings that --filters takes:", items: describeFilters() }]);
  declareSampling(command);
  declareEngine(command);
}

/** `token=nats` pairs by id; a text must be one token. @throws {SandboxError} */
function readBiases({ tokenizer }: LoadedRun, given: readonly string[]): Record<string, number> {
  const biases: Record<string, number> = {};
  for (const pair of given) {
    const at = pair.lastIndexOf("=");
    const [name, nats] = [pair.slice(0, at), Number(pair.slice(at + 1))];
    const ids = /^\d+$/.test(name) ? [Number(name)] : [...tokenizer.encode(name)];
    if (at < 1 || pair.endsWith("=") || !Number.isFinite(nats) || ids.length !== 1 || ids[0]! >= tokenizer.vocabSize)
      throw new SandboxError(
        `--logit-bias: expected token=nats with one token of this model, got ${JSON.stringify(pair)}${at > 0 && ids.length > 1 ? ` (${ids.length} tokens)` : ""}`,
        'A token is an id or a text that is one token: --logit-bias "11=-100".',
      );
    biases[ids[0]!] = nats;
  }
  return biases;
}

async function writeJson(run: LoadedRun, options: TextOptions, top: number): Promise<void> {
  const named = (id: number): string => printableBytes(run.tokenizer.tokenBytes(id));
  for await (const { next, outlook, ...token } of generateText(run, options)) {
    const { candidates, ...entropies } = describeOutlook(outlook, top);
    const measures = { surprise: -token.logProb, rank: rankOf(outlook.raw, token.id), ...entropies };
    const mixture = next.mixture ? { mixture: next.mixture } : {};
    const list = candidates.map((candidate) => ({ ...candidate, text: named(candidate.id) }));
    printJson({ ...token, ...measures, windowed: next.windowed, ...mixture, candidates: list });
  }
}

async function writeBeams(
  run: LoadedRun,
  { prompt, ...options }: TextOptions,
  beams: number,
  json: boolean,
): Promise<void> {
  const reader = createReader(run.model);
  const ids = [...run.tokenizer.encode(prompt)];
  const { maxTokens = 100, stopTokens = [], signal, repair } = options;
  try {
    const found = await searchBeams(repair ? repairedReader(reader, repair) : reader, {
      prompt: ids,
      beams,
      maxTokens,
      stopTokens,
      ...(signal ? { signal } : {}),
    });
    for (const [i, beam] of found.entries()) {
      const text = run.tokenizer.decode(beam.ids);
      if (json) printJson({ beam: i, logProb: beam.logProb, ended: beam.ended, ids: beam.ids, text });
      else
        print(
          `--- ${i + 1}, ${beam.logProb.toFixed(3)} nats\n${safeText(prompt + gapAfter(prompt, run.tokenizer) + text)}`,
        );
    }
  } finally {
    reader.dispose();
  }
}

/** Says what happens to a text that outgrows the context, or refuses it. */
function checkWindow({ model, tokenizer }: LoadedRun, prompt: string, maxTokens: number, window: boolean): void {
  const { contextLength } = model.config;
  const length = tokenizer.encode(prompt).length;
  if (!window && length + maxTokens - 1 > contextLength)
    throw new SandboxError(
      `prompt: with --no-window, prompt and text must fit the context of ${contextLength} tokens, got ${length} + ${maxTokens}`,
      "Shorten the prompt, ask for fewer --max-tokens, or leave --no-window out.",
    );
  if (length > contextLength)
    note(`the prompt is longer than the context of ${contextLength} tokens: only its end is seen`);
}

/** Beam search has no chance in it, one list of texts, and no stream. @throws {SandboxError} for what does not go with it. */
function checkBeams({ beams, samples, stop, show }: GenerateFlags): void {
  const other = samples > 1 ? "--samples" : stop ? "--stop" : show ? "--show" : undefined;
  if (beams !== undefined && other)
    throw new SandboxError(
      `--beams: does not go with ${other}`,
      `Leave one of the two out.${other === "--stop" ? " --stop-token ends a beam." : ""}`,
    );
}

async function write(
  loaded: LoadedRun,
  flags: GenerateFlags,
  options: TextOptions & { samples: number },
): Promise<void> {
  if (flags.beams !== undefined) return writeBeams(loaded, options, flags.beams, flags.json === true);
  if (flags.json) return writeJson(loaded, options, flags.top);
  const writer = flags.samples > 1 ? writeSamples : writeText;
  const outgrew = await writer(loaded, options, flags.show);
  if (outgrew && loaded.tokenizer.encode(options.prompt).length <= loaded.model.config.contextLength)
    note("the text outgrew the model's context: its beginning was let go of on the way");
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as GenerateFlags;
  const sampling = samplingOf(options);
  checkBeams(flags);
  parseSamplingSettings(sampling); // told before anything is loaded
  const folder = chooseRun(named);
  await startEngine(flags, flags.precision);
  const loaded = await loadRun(folder, flags.step, note);
  const stopper = new AbortController();
  process.once("SIGINT", () => stopper.abort());
  try {
    const prompt = flags.prompt ?? knownPrompt(loaded.config.sample.prompt, loaded.tokenizer);
    const maxTokens = flags.tokens ?? flags.maxTokens;
    checkWindow(loaded, prompt, maxTokens, flags.window);
    await write(loaded, flags, {
      prompt,
      settings: { ...sampling, logitBias: readBiases(loaded, flags.logitBias ?? []) },
      maxTokens,
      samples: flags.samples,
      stop: flags.stop ?? [],
      stopTokens: flags.stopToken ?? [],
      signal: stopper.signal,
      ...(flags.calibrated ? { repair: loadRepair(loaded) } : {}),
    });
  } finally {
    loaded.dispose();
  }
}

export const generate: CommandModule = { declare, run };
