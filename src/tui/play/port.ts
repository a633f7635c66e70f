/** @file What the play screen needs from a model: plain data and promises. The command line plugs a worker in. */

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
}

/** How the next token is chosen. */
export interface Settings {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  /** 0 is off. */
  readonly minP: number;
  readonly seed: number;
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
  /** Gives everything back; called once, possibly while another call is under way. */
  close(): Promise<void>;
}
