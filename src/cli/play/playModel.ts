/** @file The model behind the play screen: a text, its next-token distribution, and the moves a user makes. */
import { SandboxError } from "../../engine/errors.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { knownPrompt } from "../../experiments/prompts.ts";
import { loadRepair, repairNext } from "../../experiments/repairs.ts";
import { savedSteps } from "../../experiments/runFolder.ts";
import { headName } from "../../lm/heads/shortForm.ts";
import type { NextToken } from "../../lm/model.ts";
import { createReader } from "../../lm/reader.ts";
import { describeNext, lookAhead } from "../../sampling/distribution.ts";
import type { FilterContext } from "../../sampling/filters.ts";
import { type Drawn, drawFrom, filterUniform } from "../../sampling/sample.ts";
import { parseSamplingSettings, type SamplingSettings } from "../../sampling/settings.ts";
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
import { createOtherRun } from "./otherRun.ts";
import { saveSession } from "./saveSession.ts";
import { tokenName } from "./tokenName.ts";
import { appendToken, cutText, type WrittenText, writeTokens } from "./writtenText.ts";

export interface PlayModelOptions extends EngineOptions {
  readonly folder: string;
  readonly step: string;
  /** The settings will ask for the saved repair: it must be there. */
  readonly calibrated?: boolean;
  /** Another run's folder, to stand beside this one. */
  readonly beside?: string;
  /** The user named no prompt: that of the recipe gives way to one that the model can read. */
  readonly anyPrompt?: boolean;
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
  /** What follows, under the settings: the saved repair comes first where it is wanted. */
  heard(next: NextToken, settings: Settings): NextToken;
  /** The kind of the repair that comes first; nothing where none is wanted. */
  repair(settings: Settings): string | undefined;
  /** `drawn`: with which probability, where chance chose it. */
  append(id: number, settings: Settings, drawn?: number): Promise<void>;
  /** Goes to the first tokens of a text. */
  cutTo(text: WrittenText, length: number): Promise<void>;
  dispose(): void;
}

function createDesk(run: LoadedRun, anyPrompt: boolean): Desk {
  const { tokenizer } = run;
  const reader = createReader(run.model);
  let position: Position | undefined;
  const here = (): Position => {
    if (!position) throw new SandboxError("play: there is no text yet", "Press e and type one.");
    return position;
  };
  let loaded: { readonly kind: string; readonly apply: ReturnType<typeof repairNext> } | undefined;
  const repair = ({ calibrated }: Settings): typeof loaded => {
    if (!calibrated) return undefined;
    if (!loaded) {
      const saved = loadRepair(run);
      loaded = { kind: saved.kind, apply: repairNext(saved) };
    }
    return loaded;
  };
  const heard = (next: NextToken, settings: Settings): NextToken => repair(settings)?.apply(next) ?? next;
  /** The text changes only when what follows it is known: a call that fails leaves it as it was. */
  const moveTo = async (ids: readonly number[], text: () => WrittenText): Promise<void> => {
    const next = await reader.next(ids);
    position = { text: text(), next };
  };
  return {
    run,
    here,
    prompt: (text) => {
      const known = anyPrompt && text === run.config.sample.prompt ? knownPrompt(text, tokenizer) : text;
      const ids = Array.from(tokenizer.encode(known));
      const placed = ids.map((id) => ({ id, probability: undefined, source: "prompt" as const }));
      return moveTo(ids, () => writeTokens(tokenizer, placed));
    },
    heard,
    repair: (settings) => repair(settings)?.kind,
    append: (id, settings, drawn) => {
      const { text, next } = here();
      const probability = Math.exp(heard(next, settings).logProbs[id]!);
      const token =
        drawn === undefined
          ? { id, source: "picked" as const, probability }
          : { id, source: "sampled" as const, probability, drawn };
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
  const other = createOtherRun(options.beside);
  const branches = new Map<number, WrittenText>();
  const at = (): Desk => {
    if (!desk) throw new Error("play: the model is not open");
    return desk;
  };
  const view = (settings: Settings): Snapshot => snapshotOf(at(), settings);

  return {
    open: async (): Promise<ModelCard> => {
      const engine = await startEngine(options, "float32", () => {});
      desk = createDesk(await loadRun(options.folder, options.step, () => {}), options.anyPrompt === true);
      if (options.calibrated) loadRepair(desk.run); // told at once where there is none
      return { ...cardOf(desk.run, engine.description), ...(options.beside && { beside: options.beside }) };
    },
    prompt: async (text, settings) => {
      await at().prompt(text);
      return view(settings);
    },
    look: async (settings) => view(settings),
    step: async (settings) => {
      const { text, next } = at().here();
      const { id, probability } = drawNext(text, at().heard(next, settings), settings);
      await at().append(id, settings, probability);
      return view(settings);
    },
    pick: async (id, settings) => {
      await at().append(id, settings);
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
      const { run, here, heard } = at();
      const { text, next } = here();
      const inside = (said: NextToken, settings: Settings): NextView =>
        nextView(run, heard(said, settings), settings, contextOf(text, settings));
      const beside = async (whole: string, settings: Settings) => {
        const { run: second, ids, next: said } = await other.next(whole);
        const name = `${second.folder}, step ${second.step}`;
        return { name, next: nextView(second, said, settings, { ...contextOf(text, settings), ids }) };
      };
      return answerQuery({ run, tokens: text.tokens, next, view: inside, beside }, query);
    },
    save: async ({ settings, branches: wanted }) => {
      const kept = wanted.flatMap((id) => ({ branch: id, tokens: branches.get(id)?.tokens ?? [] }));
      const { tokens } = at().here().text;
      return saveSession({ run: at().run, settings, tokens, branches: kept, view: view(settings) });
    },
    close: async () => {
      other.dispose();
      desk?.dispose();
    },
  };
}

/** How many tokens have been drawn or picked so far. */
const drawnIn = ({ tokens }: WrittenText): number => tokens.filter(({ source }) => source !== "prompt").length;

/** What filters may look at beside the scores, as in generation; a token that was picked surprises as much as the model says. */
const contextOf = (text: WrittenText, { seed }: Settings): FilterContext => ({
  ids: idsOf(text),
  surprises: text.tokens.flatMap(({ drawn, probability }) => {
    const chance = drawn ?? probability;
    return chance === undefined ? [] : [-Math.log2(chance)];
  }),
  uniform: filterUniform(seed, drawnIn(text), 0),
});

/** The token that the settings draw at this position. */
function drawNext(text: WrittenText, next: NextToken, settings: Settings): Drawn {
  const { final } = lookAhead(next.logProbs, samplingOf(settings), contextOf(text, settings));
  return drawFrom(final, settings.seed, drawnIn(text));
}

function cardOf({ model, folder, step }: LoadedRun, engine: string): ModelCard {
  const { vocabSize, head } = model.config;
  const contextLength = "contextLength" in model.config ? model.config.contextLength : Number.POSITIVE_INFINITY;
  const sizes = { parameters: model.parameterCount, vocabSize, contextLength };
  return { run: folder, step, head: headName(head), engine, ...sizes, savedSteps: savedSteps(folder) };
}

const samplingOf = ({ calibrated: _, ...settings }: Settings): SamplingSettings => parseSamplingSettings(settings);

/** The distribution as the screen shows it. */
function nextView(
  { tokenizer }: LoadedRun,
  { logProbs }: NextToken,
  settings: Settings,
  context: FilterContext,
): NextView {
  const described = describeNext(logProbs, samplingOf(settings), candidatesWanted, context);
  const candidates = described.candidates.map((candidate) => ({
    ...candidate,
    text: tokenName(tokenizer, candidate.id),
  }));
  return { ...described, candidates };
}

function snapshotOf({ run, here, heard, repair }: Desk, settings: Settings): Snapshot {
  const { text, next } = here();
  const kind = repair(settings);
  const tokens = text.tokens.slice(-tokensWanted);
  const omitted = text.tokens.length - tokens.length;
  return {
    tokens,
    ...(omitted > 0 && { omitted }),
    next: nextView(run, heard(next, settings), settings, contextOf(text, settings)),
    windowed: next.windowed,
    ...(kind && { repair: kind }),
    ...(next.mixture && { mixture: next.mixture }),
  };
}
