/** @file The model behind the play screen: a text, its next-token distribution, and the moves a user makes. */
import { SandboxError } from "../../engine/errors.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { headName } from "../../lm/heads/config.ts";
import type { NextToken } from "../../lm/model.ts";
import { describeNext, finalProbabilities } from "../../sampling/distribution.ts";
import { drawToken } from "../../sampling/sample.ts";
import { parseSamplingSettings } from "../../sampling/settings.ts";
import { printableBytes } from "../../text/printable.ts";
import { createStreamDecoder, type Tokenizer } from "../../text/tokenizer.ts";
import {
  candidatesWanted,
  type ModelCard,
  type PlayPort,
  type Settings,
  type Snapshot,
  type TextToken,
  tokensWanted,
} from "../../tui/play/port.ts";
import { type EngineOptions, startEngine } from "../command.ts";

export interface PlayModelOptions extends EngineOptions {
  readonly folder: string;
  readonly step: string;
}

/** A token without its text, which depends on its neighbours. */
type Placed = Omit<TextToken, "text">;

/** The text at hand and what follows it. */
interface Position {
  readonly tokens: readonly Placed[];
  readonly next: NextToken;
}

/** A candidate as it reads; bytes of a half character in hexadecimal. */
function candidateText(tokenizer: Tokenizer, id: number): string {
  const text = tokenizer.decode([id]);
  return text.includes("\ufffd") ? printableBytes(tokenizer.tokenBytes(id)) : text;
}

function withText(tokenizer: Tokenizer, tokens: readonly Placed[]): TextToken[] {
  const decoder = createStreamDecoder(tokenizer);
  return tokens.map((token) => ({ ...token, text: decoder.push(token.id) }));
}

/** The port over a model in this thread. */
export function createPlayModel(options: PlayModelOptions): PlayPort {
  let run: LoadedRun | undefined;
  let position: Position | undefined;

  const loaded = (): LoadedRun => {
    if (!run) throw new Error("play: the model is not open");
    return run;
  };
  const here = (): Position => {
    if (!position) throw new SandboxError("play: there is no text yet", "Press e and type one.");
    return position;
  };
  const moveTo = async (tokens: readonly Placed[]): Promise<void> => {
    position = { tokens, next: await loaded().model.next(tokens.map(({ id }) => id)) };
  };
  const view = (settings: Settings): Snapshot => {
    const { tokenizer } = loaded();
    const { tokens, next } = here();
    const { candidates, ...entropies } = describeNext(next.logProbs, parseSamplingSettings(settings), candidatesWanted);
    const named = candidates.map((candidate) => ({ ...candidate, text: candidateText(tokenizer, candidate.id) }));
    const mixture = next.mixture ? { mixture: next.mixture } : {};
    const sent = withText(tokenizer, tokens.slice(-tokensWanted));
    const omitted = tokens.length > sent.length ? { omitted: tokens.length - sent.length } : {};
    const { windowed } = next;
    return { tokens: sent, ...omitted, next: { candidates: named, ...entropies }, windowed, ...mixture };
  };
  const append = async (id: number, source: "sampled" | "picked"): Promise<void> => {
    const { tokens, next } = here();
    await moveTo([...tokens, { id, source, probability: Math.exp(next.logProbs[id]!) }]);
  };

  return {
    open: async (): Promise<ModelCard> => {
      const engine = await startEngine(options, "float32", () => {});
      run = await loadRun(options.folder, options.step, () => {});
      const { model, folder, step } = run;
      const { vocabSize, contextLength, head } = model.config;
      const card = { run: folder, step, parameters: model.parameterCount, head: headName(head) };
      return { ...card, vocabSize, contextLength, engine: engine.description };
    },
    prompt: async (text, settings) => {
      const ids = loaded().tokenizer.encode(text);
      await moveTo(Array.from(ids, (id) => ({ id, probability: undefined, source: "prompt" as const })));
      return view(settings);
    },
    look: async (settings) => view(settings),
    step: async (settings) => {
      const { tokens, next } = here();
      const drawn = tokens.filter(({ source }) => source !== "prompt").length;
      const probabilities = finalProbabilities(next.logProbs, parseSamplingSettings(settings));
      await append(drawToken(probabilities, settings.seed, drawn), "sampled");
      return view(settings);
    },
    pick: async (id, settings) => {
      await append(id, "picked");
      return view(settings);
    },
    undo: async (settings) => {
      const { tokens } = here();
      if (tokens.length > 1) await moveTo(tokens.slice(0, -1));
      return view(settings);
    },
    close: async () => run?.dispose(),
  };
}
