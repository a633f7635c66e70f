import { expect, test } from "vitest";
import { createEditor, type Edit, edit, longestEdit, underCaret } from "./editor.ts";

function after(text: string, ...changes: readonly (Edit | Edit["do"])[]) {
  return changes.reduce(
    (editor, change) => edit(editor, typeof change === "string" ? ({ do: change } as Edit) : change),
    createEditor(text),
  );
}

test("typing goes in at the caret", () => {
  expect(after("ab", "left", { do: "insert", text: "xy" })).toEqual({ text: "axyb", caret: 3 });
});

test("deleting takes a whole character, however it is made up", () => {
  expect(after("e\u0301", "backspace").text).toBe("");
  expect(after("a👩‍👧", "backspace").text).toBe("a");
  expect(after("🇳🇴b", "home", "delete").text).toBe("b");
});

test("the caret stays in the text", () => {
  expect(after("a", "home", "left", "backspace")).toEqual({ text: "a", caret: 0 });
  expect(after("a", "right", "delete")).toEqual({ text: "a", caret: 1 });
  expect(after("abc", "clear")).toEqual({ text: "", caret: 0 });
  expect(underCaret(after("abc", "left"))).toBe("c");
});

test("a paste that is too long is cut", () => {
  expect(after("", { do: "insert", text: "x".repeat(longestEdit + 5) }).text).toHaveLength(longestEdit);
});
