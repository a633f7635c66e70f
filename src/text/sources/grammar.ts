/**
 * @file Text written by a probabilistic context-free grammar, whose exact entropy and next-word distribution are known.
 *
 * An expansion is text with `{symbols}` in it. No symbol leads back to itself, no two choices begin with the same word
 * and a sentence ends with its line: so there are finitely many sentences, and each has one derivation, which a reader
 * can follow word by word. Then the chain rule gives, for a symbol A with rules r of probability p_r,
 *
 *     H(A) = Σ_r p_r (−ln p_r + Σ_{B in r} H(B)),   likewise the mean length,
 *
 * and, sentences being independent, H(sentence) / mean length is the entropy rate (Shannon 1948, theorem 5 ff.).
 */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { createRandomStream, randomKey } from "../../engine/random.ts";

export const grammarSource = z.strictObject({
  type: z.literal("grammar"),
  start: z.string().describe("the symbol that is written again and again"),
  sentences: z.int().positive(),
  seed: z.int().min(0),
  rules: z
    .record(
      z.string(),
      z.union([z.record(z.string().min(1), z.number().positive()), z.array(z.string().min(1)).min(1)]),
    )
    .describe("per symbol its expansions: with weights, or a list whose weights are 1, 1/2, 1/3, … (Zipf)"),
});

export type GrammarSource = z.infer<typeof grammarSource>;

/** A word (letters with the space before them, or one other character) or a symbol to expand. */
type Item = { readonly text: string } | { readonly symbol: string };

interface Rule {
  readonly probability: number;
  readonly items: readonly Item[];
}

/** A way a symbol can begin: its first word, and what is still to be written after it. */
export interface Beginning {
  readonly text: string;
  readonly probability: number;
  readonly rest: readonly Item[];
}

export interface Grammar {
  readonly start: string;
  readonly rules: ReadonlyMap<string, readonly Rule[]>;
  readonly beginnings: ReadonlyMap<string, readonly Beginning[]>;
}

/** Cuts text into the words of a grammar, as the gpt2 tokenizer does with plain sentences. */
export const wordsOf = (text: string): string[] => text.match(/ ?\p{L}+|[^\p{L}]/gu) ?? [];

/** Checks the rules. @throws {SandboxError} for an unknown symbol, a circle, or what makes derivations ambiguous. */
export function createGrammar({ start, rules: table }: Pick<GrammarSource, "start" | "rules">): Grammar {
  const rules = new Map(Object.entries(table).map(([symbol, expansions]) => [symbol, readRules(expansions)]));
  const beginnings = new Map<string, readonly Beginning[]>();
  const within = new Set<string>();
  const visit = (symbol: string): void => {
    if (beginnings.has(symbol)) return;
    if (!rules.has(symbol)) throw grammarError(`{${symbol}} must have rules`);
    if (within.has(symbol)) throw grammarError(`{${symbol}} must not lead back to itself`);
    within.add(symbol);
    symbolsOf(rules.get(symbol)!).forEach(visit);
    within.delete(symbol);
    beginnings.set(symbol, checkedBeginnings(symbol, rules.get(symbol)!, beginnings));
  };
  visit(start);
  if (!endsWithItsLine(start, rules)) throw grammarError(`{${start}} must end with a newline, whatever is chosen`);
  return { start, rules, beginnings };
}

/** Writes sentences: a pure function of its arguments. */
export function writeGrammar({ start, rules }: Grammar, sentences: number, seed: number): string {
  const random = createRandomStream(randomKey(seed, "grammar"));
  const write = (item: Item): string => {
    if ("text" in item) return item.text;
    const rule = choose(rules.get(item.symbol)!, random.uniform());
    return rule.items.map(write).join("");
  };
  return Array.from({ length: sentences }, () => write({ symbol: start })).join("");
}

/** The rule that `uniform` in [0, 1) falls on. */
function choose(choices: readonly Rule[], uniform: number): Rule {
  let left = uniform;
  for (const rule of choices) {
    left -= rule.probability;
    if (left < 0) return rule;
  }
  return choices.at(-1)!;
}

function readRules(expansions: Record<string, number> | string[]): Rule[] {
  const weighted = Array.isArray(expansions)
    ? expansions.map((text, i) => [text, 1 / (i + 1)] as const)
    : Object.entries(expansions);
  const sum = weighted.reduce((total, [, weight]) => total + weight, 0);
  return weighted.map(([expansion, weight]) => ({ probability: weight / sum, items: readItems(expansion) }));
}

/** Symbols stand in braces, words between them. */
function readItems(expansion: string): Item[] {
  const parts = expansion.split(/\{([^}]*)\}/);
  return parts.flatMap((part, i): Item[] =>
    i % 2 === 1 ? [{ symbol: part }] : wordsOf(part).map((text) => ({ text })),
  );
}

type Beginnings = ReadonlyMap<string, readonly Beginning[]>;

const symbolsOf = (rules: readonly Rule[]): string[] =>
  rules.flatMap(({ items }) => items.flatMap((item) => ("symbol" in item ? [item.symbol] : [])));

/** How a symbol can begin, given that for all symbols in its rules. */
function checkedBeginnings(symbol: string, rules: readonly Rule[], known: Beginnings): Beginning[] {
  for (const { items } of rules) expectWholeWords(symbol, items, known);
  const found = rules.flatMap((rule) => beginningsOf(rule, known));
  expectDifferentWords(symbol, found);
  return found;
}

function beginningsOf({ probability, items: [first, ...rest] }: Rule, known: Beginnings): Beginning[] {
  if ("text" in first!) return [{ text: first.text, probability, rest }];
  return known.get(first!.symbol)!.map((beginning) => ({
    text: beginning.text,
    probability: probability * beginning.probability,
    rest: [...beginning.rest, ...rest],
  }));
}

function expectDifferentWords(symbol: string, beginnings: readonly Beginning[]): void {
  const words = new Set<string>();
  for (const { text } of beginnings) {
    if (words.has(text))
      throw grammarError(`choices of {${symbol}} must begin with different words, got "${text}" twice`);
    words.add(text);
  }
}

/** After a symbol, and at a symbol that is not the first, no letter may follow: it would lengthen the word before. */
function expectWholeWords(symbol: string, items: readonly Item[], known: Beginnings): void {
  for (const [i, item] of items.entries()) {
    if (i === 0 || ("text" in item && "text" in items[i - 1]!)) continue;
    const words = "text" in item ? [item] : known.get(item.symbol)!;
    const wrong = words.find(({ text }) => /^\p{L}/u.test(text));
    if (wrong) throw grammarError(`in {${symbol}} a space or a sign must come before "${wrong.text}"`);
  }
}

function endsWithItsLine(symbol: string, rules: Grammar["rules"]): boolean {
  return rules.get(symbol)!.every(({ items }) => {
    const last = items.at(-1)!;
    return "text" in last ? last.text === "\n" : endsWithItsLine(last.symbol, rules);
  });
}

const grammarError = (message: string): SandboxError =>
  new SandboxError(`grammar: ${message}`, "corpora/README.md says how a grammar is written.");
