/** @file `softbox score`: what a model thinks of every token of a text. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { loadRun } from "../../experiments/loadRun.ts";
import { scoreTokens, type TokenScore } from "../../experiments/scoreText.ts";
import { printableBytes } from "../../text/printable.ts";
import { type CommandModule, declareEngine, type EngineOptions, startEngine } from "../command.ts";
import { formatCount, hasColour, note, print, printJson, safeText } from "../output.ts";
import { markedToken, markLegend } from "../probabilityMarks.ts";
import { chooseRun } from "../runOptions.ts";

interface ScoreFlags extends EngineOptions {
  readonly text?: string;
  readonly file?: string;
  readonly step: string;
  readonly json?: boolean;
  readonly show?: boolean;
}

function declare(command: Command): void {
  command
    .argument("[run]", "a run's folder (default: the newest under checkpoints/)")
    .option("--text <text>", "the text")
    .option("--file <path>", "a file that holds it, UTF-8")
    .option("--step <which>", "which checkpoint: latest, best, or a step's number", "latest")
    .option("--show", "the text with each token's probability in view: colours, or marks where there are none")
    .option("--json", "one JSON object a token");
  declareEngine(command);
}

/** The text that the flags name. @throws {SandboxError} for none, both, or a file that cannot be read. */
function textOf({ text, file }: ScoreFlags): string {
  if ((text === undefined) === (file === undefined))
    throw new SandboxError(
      "score: expected either --text or --file",
      'For example softbox score --text "Call me Ishmael."',
    );
  if (text !== undefined) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file!));
  } catch (cause) {
    const reason = cause instanceof TypeError ? "it is not UTF-8" : (cause as Error).message;
    throw new SandboxError(`--file: expected a text that can be read, got ${file}: ${reason}`, "Name a UTF-8 file.", {
      cause,
    });
  }
}

async function run(
  options: Readonly<Record<string, unknown>>,
  [named]: readonly (string | undefined)[],
): Promise<void> {
  const flags = options as unknown as ScoreFlags;
  const text = textOf(flags);
  const folder = chooseRun(named);
  await startEngine(flags);
  const loaded = await loadRun(folder, flags.step, note);
  const { tokenizer } = loaded;
  const tokenText = (id: number): string => printableBytes(tokenizer.tokenBytes(id));
  const totals = { nats: 0, tokens: 0 };
  const show = (score: TokenScore): void => {
    totals.nats += score.surprise;
    totals.tokens++;
    if (flags.json) printJson({ ...score, text: tokenText(score.id) });
    else if (!flags.show) print(lineOf(score, tokenText(score.id)));
  };
  try {
    const ids = [...tokenizer.encode(text)];
    const shown: string[] = [safeText(tokenizer.decode(ids.slice(0, 1)))];
    for await (const score of scoreTokens(loaded.model, ids)) {
      show(score);
      if (flags.show)
        shown.push(markedToken(safeText(tokenizer.decode([score.id])), Math.exp(score.logProb), hasColour()));
    }
    if (flags.json) return;
    if (flags.show) print(`${markLegend(hasColour())}\n${shown.join("")}`);
    print(`${formatCount(totals.tokens)} tokens, ${(totals.nats / totals.tokens).toFixed(4)} nats a token`);
  } finally {
    loaded.dispose();
  }
}

const lineOf = ({ position, logProb, rank, entropy }: TokenScore, text: string): string =>
  `${String(position).padStart(6)}  p ${Math.exp(logProb).toPrecision(3).padStart(9)}  rank ${String(rank).padStart(6)}  entropy ${entropy.toFixed(3).padStart(7)}  ${text}`;

export const score: CommandModule = { declare, run };
