/** @file The plain form of `softbox play`. */
import { expect, test } from "vitest";
import { plainPlay } from "../../src/tui/play/plain.ts";
import { createPort } from "./fixtures/port.mjs";

async function plain(options: Parameters<typeof plainPlay>[1], fixture = {}) {
  let text = "";
  const end = await plainPlay(createPort({ mixture: true, ...fixture }), options, (piece) => {
    text += piece;
  });
  return { text, end };
}

test("prints prompt, distribution and one continuation", async () => {
  const { text, end } = await plain({
    prompt: "Call me",
    settings: { temperature: 0.5, topK: 3 },
    tokens: 6,
    candidates: 5,
  });
  expect(text).toMatchInlineSnapshot(`
    "tiny · step 500 · mos:3 · 1,234,567 parameters · vocabulary 40 · context 64 · native
    temperature 0.50 · top-k 3 · top-p off · min-p off · seed 1
    prompt: "Call me" (2 tokens)

    entropy: 0.95 nats, raw 2.05
    effective vocabulary: 2.6, raw 7.8 of 40
    mixture π: 0.6100 0.3000 0.0900

    rank  final   raw     token
       1  0.5737  0.2953  ␣night
       2  0.2849  0.2081  ␣wind
       3  0.1415  0.1466  ␣deep
       4  cut     0.1033  ␣cold
       5  cut     0.0728  ␣long

    text:
    Call me deep long leviathanically-overgrown, captain and

    sampled: 6 tokens, mean surprise 1.34 nats
    "
  `);
  expect(end.text.startsWith("Call me")).toBe(true);
});

test("prints no control character but line breaks and tabs", async () => {
  const { text } = await plain({ tokens: 200, candidates: 40, settings: { temperature: 3 } });
  expect(text).not.toMatch(/(?![\n\t])\p{Cc}/u);
});

test("stops when it is aborted, and closes the port when a call fails", async () => {
  const { end } = await plain({ signal: AbortSignal.abort(), tokens: 50, prompt: "a" });
  expect(end).toMatchObject({ reason: "aborted", text: "a" });
  const calls: string[] = [];
  await expect(plain({}, { broken: "step", log: (name: string) => calls.push(name) })).rejects.toThrow(
    "the model has left",
  );
  expect(calls.at(-1)).toBe("close");
});
