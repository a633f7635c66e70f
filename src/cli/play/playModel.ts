/** @file The model behind the play screen: a text, its next-token distribution, and the moves a user makes. */
import { SandboxError } from "../../engine/errors.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { loadRepair, repairedSource } from "../../experiments/repairs.ts";
import { savedSteps } from "../../experiments/runFolder.ts";
import { headName } from "../../lm/heads/shortForm.ts";
import type { NextToken } from "../../lm/model.ts";
import { createReader } from "../../lm/reader.ts";
import { describeNext, finalProbabilities } from "../../sampling/distribution.ts";
import { drawToken } from "../../sampling/sample.ts";
import { parseSamplingSettings } from "../../sampling/settings.ts";
import {
  candidatesWanted,
  type ModelCard,
  type NextView,
  type PlayPort,
  type Settings,
  type Snapshot,
  tokensWanted,
} from "../../tui/play/port.ts";
import { type EngineOptions, startEngine } from "../command.ts";
import { answerQuery } from "./insights.ts";
import { saveSession } from "./saveSession.ts";
import { tokenName } from "./tokenName.ts";
import { appendToken, cutText, type WrittenText, writeTokens } from "./writtenText.ts";

export interface PlayModelOptions extends EngineOptions {
  readonly folder: string;
  readonly step: string;
  /** Repair every distribution as was saved beside the checkpoint. */
  readonly calibrated?: boolean;
}

/** The text at hand and what follows it. */
interface Position {
  readonly text: WrittenText;
  readonly next: NextToken;
}

/** A loaded model with the text at hand. */
interface Desk {
  readonly run: LoadedRun;
  here(): Position;
  prompt(text: string): Promise<void>;
  append(id: number, source: "sampled" | "picked"): Promise<void>;
  /** Goes to the first tokens of a text. */
  cutTo(text: WrittenText, length: number): Promise<void>;
  dispose(): void;
}

function createDesk(run: LoadedRun, calibrated: boolean): Desk {
  const { tokenizer } = run;
  const reader = createReader(run.model);
  const source = calibrated ? repairedSource(reader, loadRepair(run)) : reader;
  let position: Position | undefined;
  const here = (): Position => {
    if (!position) throw new SandboxError("play: there is no text yet", "Press e and type one.");
    return position;
  };
  /** The text changes only when what follows it is known: a call that fails leaves it as it was. */
  const moveTo = async (ids: readonly number[], text: () => WrittenText): Promise<void> => {
    const next = await source.next(ids);
    position = { text: text(), next };
  };
  return {
    run,
    here,
    prompt: (text) => {
      const ids = Array.from(tokenizer.encode(text));
      const placed = ids.map((id) => ({ id, probability: undefined, source: "prompt" as const }));
      return moveTo(ids, () => writeTokens(tokenizer, placed));
    },
    append: (id, source) => {
      const { text, next } = here();
      const token = { id, source, probability: Math.exp(next.logProbs[id]!) };
      return moveTo([...idsOf(text), id], () => appendToken(text, token));
    },
    cutTo: (text, length) => moveTo(idsOf(text).slice(0, length), () => cutText(tokenizer, text, length)),
    dispose: () => {
      reader.dispose();
      run.dispose();
    },
  };
}

const idsOf = ({ tokens }: WrittenText): number[] => tokens.map(({ id }) => id);

/** The port over a model in this thread. */
export function createPlayModel(options: PlayModelOptions): PlayPort {
  let desk: Desk | undefined;
  const branches = new Map<number, WrittenText>();
  const at = (): Desk => {
    if (!desk) throw new Error("play: the model is not open");
    return desk;
  };
  const view = (settings: Settings): Snapshot => snapshotOf(at().run, at().here(), settings);

  return {
    open: async (): Promise<ModelCard> => {
      const engine = await startEngine(options, "float32", () => {});
      desk = createDesk(await loadRun(options.folder, options.step, () => {}), options.calibrated ?? false);
      return cardOf(desk.run, engine.description);
    },
    prompt: async (text, settings) => {
      await at().prompt(text);
      return view(settings);
    },
    look: async (settings) => view(settings),
    step: async (settings) => {
      await at().append(drawNext(at().here(), settings), "sampled");
      return view(settings);
    },
    pick: async (id, settings) => {
      await at().append(id, "picked");
      return view(settings);
    },
    undo: async (settings) => {
      const { text } = at().here();
      if (text.tokens.length > 1) await at().cutTo(text, text.tokens.length - 1);
      return view(settings);
    },
    keep: async (branch, settings) => {
      branches.set(branch, at().here().text);
      return view(settings);
    },
    jump: async (branch, settings) => {
      const text = branches.get(branch);
      if (!text) throw new SandboxError(`play: there is no branch ${branch}`, "Press b to keep the text at hand.");
      await at().cutTo(text, text.tokens.length);
      return view(settings);
    },
    inspect: async (query) => {
      const { run, here } = at();
      const { text, next } = here();
      return answerQuery({ run, tokens: text.tokens, next, view: (...seen) => nextView(run, ...seen) }, query);
    },
    save: async ({ settings, branches: wanted }) => {
      const kept = wanted.flatMap((id) => ({ branch: id, tokens: branches.get(id)?.tokens ?? [] }));
      const { tokens } = at().here().text;
      return saveSession({ run: at().run, settings, tokens, branches: kept, view: view(settings) });
    },
    close: async () => desk?.dispose(),
  };
}

/** The token that the settings draw at this position. */
function drawNext({ text, next }: Position, settings: Settings): number {
  const drawn = text.tokens.filter(({ source }) => source !== "prompt").length;
  return drawToken(finalProbabilities(next.logProbs, parseSamplingSettings(settings)), settings.seed, drawn);
}

function cardOf({ model, folder, step }: LoadedRun, engine: string): ModelCard {
  const { vocabSize, head } = model.config;
  const contextLength = "contextLength" in model.config ? model.config.contextLength : Number.POSITIVE_INFINITY;
  const sizes = { parameters: model.parameterCount, vocabSize, contextLength };
  return { run: folder, step, head: headName(head), engine, ...sizes, savedSteps: savedSteps(folder) };
}

/** The distribution as the screen shows it. */
function nextView({ tokenizer }: LoadedRun, { logProbs }: NextToken, settings: Settings): NextView {
  const described = describeNext(logProbs, parseSamplingSettings(settings), candidatesWanted);
  const candidates = described.candidates.map((candidate) => ({
    ...candidate,
    text: tokenName(tokenizer, candidate.id),
  }));
  return { ...described, candidates };
}

function snapshotOf(run: LoadedRun, { text, next }: Position, settings: Settings): Snapshot {
  const tokens = text.tokens.slice(-tokensWanted);
  const omitted = text.tokens.length - tokens.length;
  return {
    tokens,
    ...(omitted > 0 && { omitted }),
    next: nextView(run, next, settings),
    windowed: next.windowed,
    ...(next.mixture && { mixture: next.mixture }),
  };
}
