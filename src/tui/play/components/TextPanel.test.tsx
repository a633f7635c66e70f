import { expect, test } from "vitest";
import { frameOf } from "../../../../test/tui/frame.ts";
import { sampleSnapshot } from "../../../../test/tui/sampleState.ts";
import type { TextToken } from "../port.ts";
import { TextPanel, textLines } from "./TextPanel.tsx";

const plain = (lines: ReturnType<typeof textLines>) => lines.map((line) => line.map(({ text }) => text).join(""));
const sampled = (text: string, id: number): TextToken => ({ id, text, probability: 0.3, source: "sampled" });

test("80 columns, with a legend", () => {
  const frame = frameOf(<TextPanel snapshot={sampleSnapshot} contextLength={128} rule lines={3} width={80} />);
  expect(frame).toMatchInlineSnapshot(`
    "─ text · 5 tokens ──────────────────────────────────────── ≥50% ≥10% ≥1% rarer ─
    Call me Ishmael.⏎
    Some 鯨▏
    "
  `);
});

test("40 columns, a text longer than the context", () => {
  const snapshot = { ...sampleSnapshot, windowed: true, omitted: 995 };
  const frame = frameOf(<TextPanel snapshot={snapshot} contextLength={128} rule lines={2} width={40} />);
  expect(frame).toMatchInlineSnapshot(`
    "─ text · 1,000 tokens, the last 128 s… ─
    Call me Ishmael.⏎
    Some 鯨▏"
  `);
});

test("likely and unlikely tokens look different, with and without colour", () => {
  const looks = textLines(sampleSnapshot.tokens, 5, 40)
    .flat()
    .map(({ look }) => look);
  expect(new Set(looks.map((look) => JSON.stringify(look))).size).toBeGreaterThanOrEqual(5);
  const colourless = looks.map((look) => JSON.stringify({ ...look, color: undefined }));
  expect(new Set(colourless).size).toBeGreaterThanOrEqual(4);
});

test("only the end of a long text is shown, and its lines stand still while it grows", () => {
  const tokens = Array.from({ length: 3000 }, (_, id) => sampled(` word${id}`, id));
  const before = plain(textLines(tokens.slice(0, 2950), 5, 40));
  const later = plain(textLines(tokens.slice(0, 2953), 6, 40));
  expect(before).toHaveLength(5);
  expect(before.at(-1)).toMatch(/word2949▏$/);
  expect(later).toContain(before[2]);
});

test("an omitted beginning changes nothing in what is shown", () => {
  const tokens = Array.from({ length: 6000 }, (_, id) => sampled(` word${id}`, id));
  expect(textLines(tokens.slice(2000), 5, 40, 2000)).toEqual(textLines(tokens, 5, 40));
});
