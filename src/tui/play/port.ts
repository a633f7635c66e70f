/** @file What the play screen needs from a model: plain data and promises. The command line plugs a worker in. */

import type { SamplingSettings } from "../../sampling/settings.ts";

/** One candidate for the next token; probabilities in [0, 1]. */
export interface Candidate {
  readonly id: number;
  /** The token's text; the screen makes control characters and outer spaces visible. */
  readonly text: string;
  /** The model's own probability. */
  readonly raw: number;
  /** After temperature and filters. */
  readonly final: number;
  /** Whether it survived the filters. */
  readonly kept: boolean;
}

/** The distribution after the current text. */
export interface NextView {
  /** Likeliest by `raw` first; {@link candidatesWanted} of them, or the whole vocabulary if that is smaller. */
  readonly candidates: readonly Candidate[];
  /** Of the raw distribution over the whole vocabulary, in nats. */
  readonly entropy: number;
  /** Of the final distribution, in nats. */
  readonly finalEntropy: number;
}

/** How many candidates fill the largest screen that we draw. */
export const candidatesWanted = 64;

/** A token of the text. */
export interface TextToken {
  readonly id: number;
  /** As it reads; the part of a character is "" until the character is whole. */
  readonly text: string;
  /** The raw probability when it was chosen; undefined for the prompt's tokens. */
  readonly probability: number | undefined;
  readonly source: "prompt" | "sampled" | "picked";
  /** The probability with which it was drawn; absent where it was not. */
  readonly drawn?: number;
}

/** How many tokens of the text fill the largest screen that we draw. */
export const tokensWanted = 4096;

/** The text and what may follow it. */
export interface Snapshot {
  /** The whole text, or its last {@link tokensWanted} tokens. */
  readonly tokens: readonly TextToken[];
  /** Tokens before these, if the text is longer; absent: none. */
  readonly omitted?: number;
  readonly next: NextView;
  /** The text is longer than the context: the model sees only its end. */
  readonly windowed: boolean;
  /** The kind of the saved repair that came first; absent: none did. */
  readonly repair?: string;
  /** The weights π_k of a mixture head. */
  readonly mixture?: readonly number[];
}

/** Which model it is. */
export interface ModelCard {
  readonly run: string;
  readonly step: number;
  readonly parameters: number;
  readonly vocabSize: number;
  /** In tokens. */
  readonly contextLength: number;
  readonly head: string;
  readonly engine: string;
  /** Steps of the run that have a checkpoint, the newest first; absent: not known. */
  readonly savedSteps?: readonly number[];
  /** Another run that may stand beside this one; absent: none was named. */
  readonly beside?: string;
}

/** How the next token is chosen. */
export interface Settings extends SamplingSettings {
  /** Whether the repair that was saved beside the checkpoint comes before everything else; absent: it does not. */
  readonly calibrated?: boolean;
}

/** One token with its probability, in [0, 1]. */
export interface Likely {
  readonly text: string;
  readonly probability: number;
}

/** A second distribution of the same text: under another temperature, from another checkpoint of the run, or from another run. */
export type Peer =
  | { readonly kind: "temperature"; readonly temperature: number }
  | { readonly kind: "checkpoint"; readonly step: number }
  | { readonly kind: "run" };

/** A question about the inside of the model, for the text at hand. It changes nothing. */
export type Query =
  | { readonly kind: "mixture" }
  | { readonly kind: "attention"; readonly layer: number; readonly head: number }
  | { readonly kind: "lens" }
  | { readonly kind: "film" }
  | { readonly kind: "peer"; readonly peer: Peer; readonly settings: Settings };

/** One component of a mixture. */
export interface ComponentView {
  /** π_k. */
  readonly weight: number;
  /** Its own likeliest tokens; absent where the head does not tell. */
  readonly tokens?: readonly Likely[];
}

/** What one layer would say next. */
export interface LensRow {
  /** 0 stands for the embeddings. */
  readonly layer: number;
  /** In nats. */
  readonly entropy: number;
  readonly tokens: readonly Likely[];
}

/** The distribution after the text at one step of the training. */
export interface FilmFrame {
  readonly step: number;
  /** In nats; absent where only the likeliest tokens were recorded. */
  readonly entropy?: number;
  readonly tokens: readonly Likely[];
}

/** The answer to a {@link Query} of the same kind. */
export type Insight =
  | { readonly kind: "mixture"; readonly components: readonly ComponentView[] }
  | {
      readonly kind: "attention";
      readonly layer: number;
      readonly head: number;
      readonly layers: number;
      readonly heads: number;
      /** The last tokens that fit a screen, as they read. */
      readonly tokens: readonly string[];
      /** A row a query, a column a key, among these tokens. */
      readonly weights: readonly (readonly number[])[];
    }
  | { readonly kind: "lens"; readonly rows: readonly LensRow[] }
  | { readonly kind: "film"; readonly frames: readonly FilmFrame[] }
  | { readonly kind: "peer"; readonly name: string; readonly next: NextView };

/** How many tokens an attention map shows. */
export const mapWanted = 64;
/** How many likely tokens a row of the lens, a frame of the film or a component lists. */
export const likelyWanted = 20;

/** What is saved beside the text. */
export interface Notes {
  readonly settings: Settings;
  readonly branches: readonly number[];
}

/**
 * The model behind the screen. The screen has at most one call under way at a time. A call that rejects leaves the
 * text as it was; its error is shown with its `hint`, if it has one.
 */
export interface PlayPort {
  /** Loads the model; called once, before everything else, while the first frame is already shown. */
  open(): Promise<ModelCard>;
  /** Starts anew from this text, which may be empty. */
  prompt(text: string, settings: Settings): Promise<Snapshot>;
  /** The same text under other settings; should take less than 100 ms. */
  look(settings: Settings): Promise<Snapshot>;
  /** Samples one token and appends it. */
  step(settings: Settings): Promise<Snapshot>;
  /** Appends this token, chosen by hand. */
  pick(id: number, settings: Settings): Promise<Snapshot>;
  /** Drops the last token. */
  undo(settings: Settings): Promise<Snapshot>;
  /** Keeps the text at hand under a number. */
  keep(branch: number, settings: Settings): Promise<Snapshot>;
  /** Goes back to a text that was kept. */
  jump(branch: number, settings: Settings): Promise<Snapshot>;
  /** Looks inside the model; the text stays. */
  inspect(query: Query): Promise<Insight>;
  /** Writes the text, the settings and the branches as JSON and the distribution as SVG; returns the files' names. */
  save(notes: Notes): Promise<readonly string[]>;
  /** Gives everything back; called once, possibly while another call is under way. */
  close(): Promise<void>;
}
