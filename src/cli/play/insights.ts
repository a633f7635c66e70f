/** @file Answers to questions about the inside of a model, for one text, in plain data. */
import { join } from "node:path";
import { headComponents } from "../../analysis/components.ts";
import { attentionMap, logitLens } from "../../analysis/layers.ts";
import { SandboxError } from "../../engine/errors.ts";
import type { ProbeEvent } from "../../experiments/events.ts";
import { readLines } from "../../experiments/jsonLines.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import { savedSteps } from "../../experiments/runFolder.ts";
import type { NextToken } from "../../lm/model.ts";
import { softmax } from "../../lm/softmax.ts";
import { entropy, likeliest } from "../../sampling/distribution.ts";
import type { FilmFrame, Insight, Likely, NextView, Query, Settings, TextToken } from "../../tui/play/port.ts";
import { likelyWanted, mapWanted } from "../../tui/play/port.ts";
import { tokenName } from "./tokenName.ts";

/** The text at hand, and what is known of it. */
export interface Scene {
  readonly run: LoadedRun;
  readonly tokens: readonly TextToken[];
  readonly next: NextToken;
  /** The distribution as the screen shows it. */
  readonly view: (next: NextToken, settings: Settings) => NextView;
  /** The other run's distribution after the same text. @throws {SandboxError} where none was named. */
  readonly beside: (text: string, settings: Settings) => Promise<{ readonly name: string; readonly next: NextView }>;
}

type Answers = {
  readonly [K in Query["kind"]]: (scene: Scene, query: Extract<Query, { kind: K }>) => Promise<Insight>;
};

const answers: Answers = {
  mixture: async ({ run, tokens, next }) => {
    if (next.mixture === undefined)
      throw new SandboxError("this model's head mixes nothing", "Train one with --head mos:4 to see a mixture.");
    const each = await headComponents(run.model, idsOf(tokens));
    const components = next.mixture.map((weight, k) => ({
      weight,
      ...(each[k] && { tokens: likely(run, each[k]).tokens }),
    }));
    return { kind: "mixture", components };
  },
  attention: async ({ run, tokens }, { layer, head }) => {
    const map = await attentionMap(run.model, idsOf(tokens), layer, head);
    const seen = tokens.slice(-map.weights.length).slice(-mapWanted);
    const rows = map.weights.slice(-seen.length).map((row) => Array.from(row.slice(-seen.length)));
    const names = seen.map(({ id }) => tokenName(run.tokenizer, id));
    const { layers, heads } = map;
    return { kind: "attention", layer: map.layer, head: map.head, layers, heads, tokens: names, weights: rows };
  },
  lens: async ({ run, tokens }) => {
    const rows = await logitLens(run.model, idsOf(tokens));
    return {
      kind: "lens",
      rows: rows.map((logProbs, layer) => ({ layer, ...likely(run, logProbs) })),
    };
  },
  film: async (scene) => ({ kind: "film", frames: await film(scene) }),
  peer: async (scene, { peer, settings }) => {
    if (peer.kind === "temperature") {
      const next = scene.view(scene.next, { ...settings, temperature: peer.temperature });
      return { kind: "peer", name: `temperature ${peer.temperature.toFixed(2)}`, next };
    }
    if (peer.kind === "run") return { kind: "peer", ...(await scene.beside(textOf(scene), settings)) };
    return withStep(scene.run, peer.step, async (other) => {
      const next = scene.view(await other.model.next(idsOf(scene.tokens)), settings);
      return { kind: "peer", name: `step ${peer.step}`, next };
    });
  },
};

/** Answers a question. @throws {SandboxError} where the model has nothing of the kind. */
export function answerQuery(scene: Scene, query: Query): Promise<Insight> {
  const answer = answers[query.kind] as (scene: Scene, query: Query) => Promise<Insight>;
  return answer(scene, query);
}

const idsOf = (tokens: readonly TextToken[]): number[] => tokens.map(({ id }) => id);

const textOf = ({ tokens }: Pick<Scene, "tokens">): string => tokens.map((token) => token.text).join("");

/** The likeliest tokens of a distribution, and its entropy in nats. */
function likely({ tokenizer }: LoadedRun, logProbs: Float32Array): { entropy: number; tokens: Likely[] } {
  const probabilities = softmax(logProbs);
  const tokens = likeliest(logProbs, likelyWanted).map((id) => ({
    text: tokenName(tokenizer, id),
    probability: probabilities[id]!,
  }));
  return { entropy: entropy(probabilities), tokens };
}

/** The run's own record where the text is one of its probes, and each checkpoint that is kept, by step. */
async function film({ run, tokens }: Scene): Promise<readonly FilmFrame[]> {
  const text = textOf({ tokens });
  const frames = new Map<number, FilmFrame>();
  for (const event of readLines<ProbeEvent>(join(run.folder, "probes.jsonl")))
    if (event.prompt === text) frames.set(event.step, { step: event.step, tokens: event.tokens });
  for (const step of savedSteps(run.folder)) {
    const frame = await withStep(run, step, async (other) =>
      likely(other, (await other.model.next(idsOf(tokens))).logProbs),
    );
    frames.set(step, { step, ...frame });
  }
  return [...frames.values()].sort((a, b) => a.step - b.step);
}

/** Lends the run at another step to a function. */
async function withStep<T>(run: LoadedRun, step: number, work: (other: LoadedRun) => Promise<T>): Promise<T> {
  if (step === run.step) return work(run);
  const other = await loadRun(run.folder, String(step), () => {});
  try {
    return await work(other);
  } finally {
    other.dispose();
  }
}
