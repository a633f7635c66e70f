import { beforeAll, expect, test } from "vitest";
import { SandboxError } from "../engine/errors.ts";
import { type Corpus, loadCorpus } from "./corpus.ts";
import { grammarEntropy, type KnownEntropy } from "./knownEntropy.ts";
import { createGrammar, writeGrammar } from "./sources/grammar.ts";
import { splitText } from "./splits.ts";
import { createTokenizer } from "./tokenizer.ts";

/** Small enough to list: "A b.\n" 1/2, "A bs.\n" 1/8, "A b b.\n" 3/8 … by hand below. */
const tiny = {
  start: "S",
  rules: { S: { "A{n}.\n": 1 }, n: { " b": 2, " bs": 1, " c{m}": 1 }, m: [" d", " dé"] },
};
const tinySentences = [
  ["A b.\n", 1 / 2],
  ["A bs.\n", 1 / 4],
  ["A c d.\n", (1 / 4) * (2 / 3)],
  ["A c dé.\n", (1 / 4) * (1 / 3)],
] as const;

let corpus: Corpus;
let truth: KnownEntropy;
beforeAll(async () => {
  corpus = await loadCorpus("grammar");
  truth = corpus.truth as KnownEntropy; // of words and sentences
});

test("entropy of a tiny grammar is that of its list of sentences", () => {
  const known = grammarEntropy(createGrammar(tiny));
  const mean = (f: (text: string, p: number) => number) => tinySentences.reduce((sum, [t, p]) => sum + p * f(t, p), 0);
  const nats = mean((_, p) => -Math.log(p));
  expect(known.natsPerSentence).toBeCloseTo(nats, 12);
  expect(known.charactersPerSentence).toBeCloseTo(
    mean((text) => text.length),
    12,
  );
  expect(known.natsPerCharacter).toBeCloseTo(nats / mean((text) => text.length), 12);
  expect(known.bitsPerByte).toBeCloseTo(nats / Math.LN2 / mean((text) => Buffer.byteLength(text)), 12);
  expect(known.natsPerWord).toBeCloseTo(nats / mean((text) => text.split(/(?=[ .\n])/).length), 12);
  for (const [text, p] of tinySentences) expect(known.nats(text)).toBeCloseTo(-Math.log(p), 12);
});

test("the next character is exact within a word that may end or go on", () => {
  const known = grammarEntropy(createGrammar(tiny));
  const next = (prefix: string) => Object.fromEntries(known.nextCharacters(prefix).map((c) => [c.text, c.probability]));
  expect(next("")).toEqual({ A: 1 });
  expect(next("A b")).toEqual({ ".": expect.closeTo(2 / 3, 12), s: expect.closeTo(1 / 3, 12) });
  expect(next("A c d")).toEqual({ ".": expect.closeTo(2 / 3, 12), é: expect.closeTo(1 / 3, 12) });
  expect(next("A b.\n")).toEqual({ A: 1 });
  expect(next("A x")).toEqual({});
  expect(known.nextWords("A c")).toEqual([
    { text: " d", probability: expect.closeTo(2 / 3, 12) },
    { text: " dé", probability: expect.closeTo(1 / 3, 12) },
  ]);
  expect(known.nextWords("A x")).toEqual([]);
  expect(known.nats("A x")).toBe(Number.POSITIVE_INFINITY);
});

test("the manifest states the entropy that the grammar has", () => {
  expect(corpus.manifest?.entropy?.natsPerCharacter).toBeCloseTo(truth.natsPerCharacter, 12);
  expect(corpus.manifest?.entropy?.bitsPerByte).toBeCloseTo(truth.bitsPerByte, 12);
});

test("−ln p of a long text converges to the entropy", () => {
  const sentences = corpus.text.trimEnd().split("\n");
  const nats = sentences.map((sentence) => truth.nats(`${sentence}\n`));
  const mean = nats.reduce((sum, value) => sum + value, 0) / nats.length;
  const variance = nats.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (nats.length - 1);
  expect(Math.abs(mean - truth.natsPerSentence)).toBeLessThan(4 * Math.sqrt(variance / nats.length));
  expect(truth.nats(corpus.text)).toBeCloseTo(mean * nats.length, 4);
  const perCharacter = truth.nats(corpus.text) / corpus.text.length;
  expect(Math.abs(perCharacter / truth.natsPerCharacter - 1)).toBeLessThan(0.005); // 30,000 sentences
});

test("the probability of a text is the product of its next characters", () => {
  const text = "The old captain that the dogs follow sees two ships.\nA man sleeps!\n";
  let nats = 0;
  for (let at = 0; at < text.length; at++) {
    const next = truth.nextCharacters(text.slice(0, at));
    expect(next.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    nats -= Math.log(next.find((choice) => choice.text === text[at])!.probability);
  }
  expect(nats).toBeCloseTo(truth.nats(text), 9);
});

test("a split of the corpus has a probability of its own", () => {
  const { validation } = splitText(corpus.text, { train: 0.9, validation: 0.1, calibration: 0 });
  expect(validation.startsWith("\n")).toBe(true);
  expect(Math.abs(truth.nats(validation) / validation.length / truth.natsPerCharacter - 1)).toBeLessThan(0.02);
});

test("each word of the grammar corpus is one GPT-2 token, so next words are next tokens", () => {
  const tokenizer = createTokenizer("gpt2", "");
  const sample = corpus.text.slice(0, corpus.text.indexOf("\n", 100_000) + 1);
  const ids = Array.from(tokenizer.encode(sample));
  const prefix = tokenizer.decode(ids.slice(0, 1000));
  const following = tokenizer.decode([ids[1000]!]);
  expect(truth.nextWords(prefix).map(({ text }) => text)).toContain(following);
  const tokensPerSentence = ids.length / (sample.match(/\n/g)?.length ?? 0);
  expect(Math.abs((tokensPerSentence * truth.natsPerWord) / truth.natsPerSentence - 1)).toBeLessThan(0.02);
});

test("text is a pure function of the seed", () => {
  const grammar = createGrammar(tiny);
  expect(writeGrammar(grammar, 50, 1)).toBe(writeGrammar(grammar, 50, 1));
  expect(writeGrammar(grammar, 50, 1)).not.toBe(writeGrammar(grammar, 50, 2));
});

test("rules that would make the entropy inexact are refused", () => {
  const message = (rules: Record<string, Record<string, number> | string[]>) => {
    try {
      createGrammar({ start: "S", rules });
      return "accepted";
    } catch (error) {
      return error instanceof SandboxError ? error.message : error;
    }
  };
  const messages = [
    message({ S: ["A{x}\n"] }),
    message({ S: ["A{S}\n"] }),
    message({ S: ["A b\n", "A c\n"] }),
    message({ S: ["A{x}\n"], x: ["b"] }),
    message({ S: ["{x}b\n"], x: ["A"] }),
    message({ S: ["A\n", "B"] }),
    message({ S: ["A{x}"], x: [" b\n", " c\n"] }),
  ];
  expect(messages).toMatchInlineSnapshot(`
    [
      "grammar: {x} must have rules",
      "grammar: {S} must not lead back to itself",
      "grammar: choices of {S} must begin with different words, got "A" twice",
      "grammar: in {S} a space or a sign must come before "b"",
      "grammar: in {S} a space or a sign must come before "b"",
      "grammar: {S} must end with a newline, whatever is chosen",
      "accepted",
    ]
  `);
});
