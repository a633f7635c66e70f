/** @file Where two configurations differ, key by key, in the words of `--set`. */
import { HeadConfig } from "../lm/heads/config.ts";
import { headName } from "../lm/heads/shortForm.ts";

/** One key that differs; `undefined` where a side lacks it. */
export interface Change {
  /** As `--set` names it: `training.optimizer.learningRate`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Every key that differs, in the order of the first configuration, then of the second. A head is one value, not its keys. */
export function configChanges(before: object, after: object): Change[] {
  const [old, now] = [flatten(before), flatten(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

/** Leaves of a nested object by their paths; lists and heads are leaves. */
function flatten(value: object, path = "", found = new Map<string, unknown>()): Map<string, unknown> {
  for (const [key, child] of Object.entries(value)) {
    const name = path ? `${path}.${key}` : key;
    const isTree = typeof child === "object" && child !== null && !Array.isArray(child) && name !== "model.head";
    if (isTree) flatten(child, name, found);
    else if (child !== undefined) found.set(name, child);
  }
  return found;
}

/** A value as a user would type it. */
export function shownValue(path: string, value: unknown): string {
  if (value === undefined) return "(default)";
  const head = path === "model.head" ? HeadConfig.safeParse(value) : undefined;
  if (head?.success) return headName(head.data);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `training.steps: 1000 → 2000`. */
export const changeLine = ({ path, before, after }: Change): string =>
  `${path}: ${shownValue(path, before)} → ${shownValue(path, after)}`;
