/** @file What is exactly known of a generated corpus: an anchor for loss, calibration and predicted distributions. */
import { type Beginning, type Grammar, wordsOf } from "./sources/grammar.ts";

/** How a text may go on, and with which probability. */
export interface Continuation {
  readonly text: string;
  readonly probability: number;
}

/** The truth about a source. No model's expected loss on fresh text from it is lower than its entropy. */
export interface KnownSource {
  readonly natsPerCharacter: number;
  readonly bitsPerByte: number;
  /** −ln p of a text; Infinity if it is never written. */
  nats(text: string): number;
  /** The exact distribution of the next character after any text; `[]` if that is never written. */
  nextCharacters(prefix: string): Continuation[];
}

/** The truth about a source that writes words and sentences. */
export interface KnownEntropy extends KnownSource {
  /** A word is letters with the space before them, or one other character: for plain words, a GPT-2 token. */
  readonly natsPerWord: number;
  readonly natsPerSentence: number;
  readonly charactersPerSentence: number;
  /** −ln p of a text that begins where a sentence does (a newline may come before); Infinity if never written. */
  nats(text: string): number;
  /** The exact distribution of the word after whole words (`"The old"`); `[]` if the text is never written. */
  nextWords(prefix: string): Continuation[];
  /** The exact distribution of the next character after any text, within a word too; `[]` if it is never written. */
  nextCharacters(prefix: string): Continuation[];
}

/** Entropy (nats), mean words, mean characters and mean UTF-8 bytes of what a symbol expands to. */
interface Expectation {
  readonly nats: number;
  readonly words: number;
  readonly characters: number;
  readonly bytes: number;
}

/** Computes the entropy of a grammar in closed form. */
export function grammarEntropy(grammar: Grammar): KnownEntropy {
  const { nats, words, characters, bytes } = expectationOf(grammar);
  return {
    natsPerCharacter: nats / characters,
    bitsPerByte: nats / Math.LN2 / bytes,
    natsPerWord: nats / words,
    natsPerSentence: nats,
    charactersPerSentence: characters,
    nats: (text) => natsOf(grammar, text),
    nextWords: (prefix) => nextWords(grammar, prefix),
    nextCharacters: (prefix) => nextCharacters(grammar, prefix),
  };
}

function expectationOf({ start, rules }: Grammar): Expectation {
  const known = new Map<string, Expectation>();
  const visit = (symbol: string): Expectation => {
    const sums = { nats: 0, words: 0, characters: 0, bytes: 0 };
    for (const { probability, items } of rules.get(symbol)!) {
      sums.nats -= probability * Math.log(probability);
      for (const item of items) {
        const part = "text" in item ? oneWord(item.text) : (known.get(item.symbol) ?? visit(item.symbol));
        sums.nats += probability * part.nats;
        sums.words += probability * part.words;
        sums.characters += probability * part.characters;
        sums.bytes += probability * part.bytes;
      }
    }
    known.set(symbol, sums);
    return sums;
  };
  return visit(start);
}

const oneWord = (text: string): Expectation => ({
  nats: 0,
  words: 1,
  characters: [...text].length,
  bytes: Buffer.byteLength(text),
});

/** What is still to be written, the next item last. */
type Pending = readonly Beginning["rest"][number][];

/** The words that may come next. */
function choicesAt({ start, beginnings }: Grammar, pending: Pending): readonly Beginning[] {
  const item = pending.at(-1) ?? { symbol: start };
  return "text" in item ? [{ text: item.text, probability: 1, rest: [] }] : beginnings.get(item.symbol)!;
}

const after = (pending: Pending, { rest }: Beginning): Pending => [...pending.slice(0, -1), ...rest.toReversed()];

/** Reads words along their only derivation; undefined if they have none. */
function follow(grammar: Grammar, words: readonly string[]): { nats: number; pending: Pending } | undefined {
  let nats = 0;
  let pending: Pending = [];
  for (const word of words) {
    const chosen = choicesAt(grammar, pending).find(({ text }) => text === word);
    if (!chosen) return undefined;
    nats -= Math.log(chosen.probability);
    pending = after(pending, chosen);
  }
  return { nats, pending };
}

const withoutFirstNewline = (text: string): string => (text.startsWith("\n") ? text.slice(1) : text);

/** The last word may be unfinished: it stands for all words that begin so. */
function followToLastWord(grammar: Grammar, text: string) {
  const words = wordsOf(withoutFirstNewline(text));
  const last = words.pop() ?? "";
  const state = follow(grammar, words);
  const fitting = state ? choicesAt(grammar, state.pending).filter((choice) => choice.text.startsWith(last)) : [];
  const probability = fitting.reduce((sum, choice) => sum + choice.probability, 0);
  return { last, fitting, probability, nats: state?.nats ?? 0, pending: state?.pending ?? [] };
}

function natsOf(grammar: Grammar, text: string): number {
  const { nats, probability } = followToLastWord(grammar, text);
  return nats - Math.log(probability);
}

function nextWords(grammar: Grammar, prefix: string): Continuation[] {
  const state = follow(grammar, wordsOf(withoutFirstNewline(prefix)));
  if (!state) return [];
  return choicesAt(grammar, state.pending).map(({ text, probability }) => ({ text, probability }));
}

function nextCharacters(grammar: Grammar, prefix: string): Continuation[] {
  const { last, fitting, probability, pending } = followToLastWord(grammar, prefix);
  const sums = new Map<string, number>();
  const add = (text: string, share: number): void => {
    const character = String.fromCodePoint(text.codePointAt(0)!);
    sums.set(character, (sums.get(character) ?? 0) + share / probability);
  };
  for (const choice of fitting) {
    if (choice.text !== last) add(choice.text.slice(last.length), choice.probability);
    else {
      const next = choicesAt(grammar, after(pending, choice));
      for (const { text, probability: share } of next) add(text, choice.probability * share);
    }
  }
  return Array.from(sums, ([text, share]) => ({ text, probability: share }));
}
