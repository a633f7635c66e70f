import { expect, test } from "vitest";
import { flushKeys, type Key, pastedText, readKeys } from "./keyboard.ts";

function names(input: string): string[] {
  return readKeys(input).keys.map((key) => (key.type === "key" ? key.name : `${key.type}:${key.text}`));
}

test("arrows come in both forms, with modifiers too", () => {
  expect(names("\x1b[A\x1bOB\x1b[1;2C\x1b[1;5D")).toEqual(["up", "down", "right", "left"]);
});

test("several characters in one piece are several keys", () => {
  expect(names("kK 9é🐋")).toEqual(["text:k", "text:K", "text: ", "text:9", "text:é", "text:🐋"]);
});

test("control characters have names", () => {
  expect(names("\r\n\t\x7f\b\x03\x0c\x1b[Z\x1b[3~")).toEqual([
    "enter",
    "newline",
    "tab",
    "backspace",
    "backspace",
    "ctrl-c",
    "ctrl-l",
    "shift-tab",
    "delete",
  ]);
});

test("sequences that nobody knows mean nothing and swallow nothing else", () => {
  expect(names("\x1b[1;5Pq\x1b[?62c\x1b[99;99~x\x1bb")).toEqual(["text:q", "text:x"]);
});

test("a sequence may arrive in pieces; a lone escape is the key", () => {
  for (const rest of ["\x1b", "\x1b[", "\x1b[1;", "\x1bO"]) expect(readKeys(`a${rest}`)).toMatchObject({ rest });
  expect(readKeys("\x1b[1;" + "2C").keys).toEqual([{ type: "key", name: "right" }]);
  expect(flushKeys("\x1b")).toEqual([{ type: "key", name: "escape" }]);
  expect(flushKeys("\x1b[")).toEqual([]);
});

test("a bracketed paste is one key, whole only with its end", () => {
  expect(readKeys("\x1b[200~q\r")).toEqual({ keys: [], rest: "\x1b[200~q\r" });
  const paste: Key = { type: "paste", text: "q\rx\x1b[A" };
  expect(readKeys("\x1b[200~q\rx\x1b[A\x1b[201~y").keys).toEqual([paste, { type: "text", text: "y" }]);
});

test("several lines at once are a paste, also without brackets", () => {
  expect(readKeys("first line\rsecond").keys).toEqual([{ type: "paste", text: "first line\rsecond" }]);
  expect(names("hello\r")).toHaveLength(6);
});

test("a pasted text keeps its line breaks and tabs, nothing else that controls", () => {
  expect(pastedText("a\r\nb\rc\t\x1b[2J\x07")).toBe("a\nb\nc\t[2J");
});

test("every byte sequence is read to its end", () => {
  for (let a = 0; a < 128; a++) {
    for (let b = 0; b < 128; b++) {
      const { rest } = readKeys(`\x1b${String.fromCharCode(a, b)}z`);
      expect(rest.length).toBeLessThanOrEqual(4);
    }
  }
});
