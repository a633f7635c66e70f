import { expect, test } from "vitest";
import { actionFor, bindings } from "./keys.ts";

const text = (character: string) => ({ type: "text", text: character }) as const;
const key = (name: "left" | "right" | "enter" | "escape" | "ctrl-c") => ({ type: "key", name }) as const;

test("no key means two things on one page", () => {
  for (const page of ["watch", "edit", "help"] as const) {
    const keys = bindings.filter((binding) => binding.page === page).flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toContain("ctrl-c");
  }
});

test("small letters turn a dial down, capitals up", () => {
  for (const [small, dial] of [
    ["k", "topK"],
    ["n", "topP"],
    ["i", "minP"],
  ] as const) {
    expect(actionFor("watch", text(small))).toEqual({ type: "dial-turned", dial, by: -1 });
    expect(actionFor("watch", text(small.toUpperCase()))).toEqual({ type: "dial-turned", dial, by: 1 });
  }
  expect(actionFor("watch", key("left"))).toEqual({ type: "dial-turned", by: -1 });
  expect(actionFor("watch", key("right"))).toEqual({ type: "dial-turned", by: 1 });
  for (const [pressed, by] of [
    [text("-"), -1],
    [text("+"), 1],
    [text("="), 1],
  ] as const) {
    expect(actionFor("watch", pressed)).toEqual({ type: "dial-turned", dial: "temperature", by });
  }
});

test("digits pick by rank", () => {
  expect(actionFor("watch", text("1"))).toEqual({ type: "picked", rank: 0 });
  expect(actionFor("watch", text("9"))).toEqual({ type: "picked", rank: 8 });
  expect(actionFor("watch", text("0"))).toBeUndefined();
});

test("in the editor every character is text", () => {
  for (const character of ["q", "?", " ", "k", "9", "é"]) {
    expect(actionFor("edit", text(character))).toEqual({ type: "edited", change: { do: "insert", text: character } });
  }
});

test("a paste is text for the prompt, never commands", () => {
  const paste = { type: "paste", text: "q\rq" } as const;
  expect(actionFor("watch", paste)).toEqual({ type: "edit-opened", insert: "q\nq" });
  expect(actionFor("edit", paste)).toEqual({ type: "edited", change: { do: "insert", text: "q\nq" } });
  expect(actionFor("help", paste)).toBeUndefined();
});

test("unknown keys do nothing", () => {
  expect(actionFor("watch", text("z"))).toBeUndefined();
  expect(actionFor("watch", key("escape"))).toBeUndefined();
});
