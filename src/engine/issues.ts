/** @file What is wrong with a configuration, one line a value, all at once: `  training.steps: expected int, got "x"`. */
import type { z } from "zod";

/** Lines for a message: the path of each wrong value, what must hold, what was there. */
export const describeIssues = (error: z.ZodError, raw: unknown): string =>
  error.issues.flatMap((issue) => linesOf(issue, raw)).join("\n");

function linesOf(issue: z.core.$ZodIssue, raw: unknown): string[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `  ${[...issue.path, key].map(String).join(".")}: there is no such key`);
  const where = issue.path.map(String).join(".") || "the whole";
  const value = issue.path.reduce<unknown>((node, key) => (node as Record<PropertyKey, unknown>)?.[key], raw);
  const got = value === undefined ? "nothing" : shortly(value);
  return [`  ${where}: ${expectation(issue)}, got ${got}`];
}

/** zod's words without its own heading: `Too big: expected number to be <1` says enough from "expected" on. */
function expectation(issue: z.core.$ZodIssue): string {
  const options =
    issue.code === "invalid_value" ? issue.values : issue.code === "invalid_union" ? optionsOf(issue) : [];
  if (options.length) return `expected ${options.map(String).join(" or ")}`;
  const at = issue.message.indexOf("expected ");
  return at < 0
    ? issue.message
    : issue.message
        .slice(at)
        .replace(/, received .*$/, "")
        .replace("int", "a whole number");
}

/** What the discriminator of a union may be. */
const optionsOf = (issue: z.core.$ZodIssue): readonly unknown[] =>
  ("options" in issue && Array.isArray(issue.options) ? issue.options : []) as readonly unknown[];

function shortly(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
