import { beforeAll, expect, test } from "vitest";
import { activate } from "../../test/support/engines.ts";
import { shake, tinyConfig } from "../../test/support/models.ts";
import { createModel } from "../lm/model.ts";
import { createTokenizer } from "../text/tokenizer.ts";
import { generateText, type TextOptions, type TokenWithText } from "./generateText.ts";

const letters = "abcdefghijk"; // as many as a tiny model has tokens
const tokenizer = createTokenizer("char", letters);
/** Every token may be the beginning of one of these: each is held back until the next has come. */
const stop = [...letters].map((letter) => `${letter}!`);

beforeAll(() => activate("cpu"));

async function tokensOf(options: Omit<TextOptions, "prompt">, abortAt?: number): Promise<TokenWithText[]> {
  const model = createModel(tinyConfig("transformer", "softmax", { contextLength: 32 }), 3);
  shake(model, 0.3);
  const controller = new AbortController();
  const tokens: TokenWithText[] = [];
  for await (const token of generateText(
    { model, tokenizer },
    { prompt: "a", maxTokens: 8, signal: controller.signal, ...options },
  )) {
    tokens.push(token);
    if (tokens.length === abortAt) controller.abort();
  }
  model.dispose();
  return tokens;
}

const textOf = (tokens: readonly TokenWithText[], sample = 0): string =>
  tokens
    .filter((token) => token.sample === sample)
    .map(({ text }) => text)
    .join("");

const decoded = (tokens: readonly TokenWithText[], sample = 0): string =>
  tokenizer.decode(tokens.filter((token) => token.sample === sample).map(({ id }) => id));

test("what stop strings hold back comes with the last token: at the end, at a stop token, and after the signal", async () => {
  const whole = await tokensOf({ stop });
  expect(whole.map(({ text }) => text.length)).toEqual([0, 1, 1, 1, 1, 1, 1, 2]);
  expect(textOf(whole)).toBe(decoded(whole));
  const stopped = await tokensOf({ stop, stopTokens: [whole[3]!.id] });
  expect(stopped.length).toBeLessThanOrEqual(4);
  expect(textOf(stopped)).toBe(decoded(stopped));
  const aborted = await tokensOf({ stop }, 3);
  expect(aborted.map(({ id }) => id)).toEqual(whole.slice(0, 4).map(({ id }) => id));
  expect(textOf(aborted)).toBe(decoded(aborted));
});

test("after the signal every one of several texts is whole, wherever in a round it came", async () => {
  for (const abortAt of [1, 2, 3, 4, 5, 6]) {
    const tokens = await tokensOf({ stop, samples: 3 }, abortAt);
    for (const sample of [0, 1, 2]) expect(textOf(tokens, sample)).toBe(decoded(tokens, sample));
    expect(tokens.length).toBe(abortAt + 3);
  }
});

test("one of several texts that ends at its stop string leaves the others as they are", async () => {
  const free = await tokensOf({ samples: 3 });
  const piece = textOf(free, 1).slice(2, 4);
  const tokens = await tokensOf({ samples: 3, stop: [piece] });
  for (const sample of [0, 1, 2]) {
    const text = decoded(free, sample);
    expect(textOf(tokens, sample)).toBe(text.includes(piece) ? text.slice(0, text.indexOf(piece)) : text);
  }
});

test("an empty stop string and an empty prompt are refused", async () => {
  await expect(tokensOf({ stop: [""] })).rejects.toThrow("stop: expected some text, got none");
  const empty = { prompt: "" } as Partial<TextOptions>;
  await expect(tokensOf(empty)).rejects.toThrow("prompt: expected at least one token, got none");
});
