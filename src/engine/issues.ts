/** @file What is wrong with a configuration, one line a value, all at once: `  training.steps: expected a whole number, got "x"`. */
import type { z } from "zod";
import { nearestName } from "./nearest.ts";
import { schemaKeys } from "./schemaKeys.ts";

/**
 * Lines for a message: the path of each wrong value, what must hold, what was there, and what may have been meant.
 *
 * @param schema - names the keys that there are; without it no other key is suggested.
 */
export const describeIssues = (error: z.ZodError, raw: unknown, schema?: z.ZodType): string =>
  error.issues.flatMap((issue) => linesOf(issue, raw, schema)).join("\n");

function linesOf(issue: z.core.$ZodIssue, raw: unknown, schema: z.ZodType | undefined): string[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const path = [...issue.path, key].map(String).join(".");
      return `  ${path}: there is no such key${meant(schema && nearestKey(path, schema))}`;
    });
  const where = issue.path.map(String).join(".") || "the whole";
  const value = issue.path.reduce<unknown>((node, key) => (node as Record<PropertyKey, unknown>)?.[key], raw);
  const got = value === undefined ? "nothing" : shortly(value);
  const choices = choicesOf(issue).map(String);
  return [`  ${where}: ${expectation(issue, choices)}, got ${got}${meant(nearestName(String(value), choices))}`];
}

const meant = (name: string | undefined): string => (name === undefined ? "" : ` (did you mean ${name}?)`);

/** The key that is spelt most alike; else the first whose last part is, as in `batchSize` for `training.batchSize`. */
function nearestKey(path: string, schema: z.ZodType): string | undefined {
  const leaves = schemaKeys(schema).map((key) => key.path);
  const paths = [...new Set(leaves.flatMap((leaf) => [leaf, ...parents(leaf)]))];
  const name = nearestName(lastPart(path), paths.map(lastPart));
  return nearestName(path, paths) ?? paths.find((known) => lastPart(known) === name);
}

/** `a.b.c` lies in `a.b` and in `a`. */
const parents = (path: string): string[] => {
  const parts = path.split(".");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("."));
};

const lastPart = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

/** zod's words without its own heading: `Too big: expected number to be <1` says enough from "expected" on. */
function expectation(issue: z.core.$ZodIssue, choices: readonly string[]): string {
  if (choices.length) return `expected ${choices.join(" or ")}`;
  const at = issue.message.indexOf("expected ");
  return at < 0
    ? issue.message
    : issue.message
        .slice(at)
        .replace(/, received .*$/, "")
        .replace(/number to be ([<>]=?)/, "number $1 ")
        .replace(/expected (array|object)/, "expected an $1")
        .replace(/expected (number|string|boolean)/, "expected a $1")
        .replace(/expected int$/, "expected a whole number");
}

/** The words of which a value must be one: of an enumeration, or a union's discriminator. */
function choicesOf(issue: z.core.$ZodIssue): readonly unknown[] {
  if (issue.code === "invalid_value") return issue.values;
  return issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options) ? issue.options : [];
}

function shortly(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
