/** @file Whether a model can start from another's parameters. Loads no tensor library: screens ask before their first frame. */
import { SandboxError } from "../engine/errors.ts";
import type { RunConfig } from "./config.ts";

/** Keys of a model that hold no parameter: they may change when training goes on. */
const isFree = (key: string): boolean => key === "contextLength" || /dropout$|penalty$/i.test(key);

/**
 * Checks that a configuration's model can start from another's parameters: the same, but for dropout and a shorter context.
 *
 * @throws {SandboxError} naming everything that differs.
 */
export function expectContinuable(from: string, source: RunConfig, config: RunConfig): void {
  const [old, wanted] = [source.model, config.model] as unknown as Record<string, unknown>[];
  const keys = [...new Set([...Object.keys(old!), ...Object.keys(wanted!)])].filter((key) => !isFree(key));
  const wrong = keys
    .filter((key) => JSON.stringify(old![key]) !== JSON.stringify(wanted![key]))
    .map((key) => `  model.${key} must stay ${JSON.stringify(old![key])}, got ${JSON.stringify(wanted![key])}`);
  if (source.tokenizer !== config.tokenizer)
    wrong.push(`  tokenizer must stay ${source.tokenizer}, got ${config.tokenizer}`);
  if (hasPositionTable(config) && config.model.contextLength > source.model.contextLength)
    wrong.push(
      `  model.contextLength must be at most ${source.model.contextLength}, got ${config.model.contextLength}`,
    );
  if (wrong.length > 0)
    throw new SandboxError(
      `--from: the model of ${from} has its form already:\n${wrong.join("\n")}`,
      "Leave these out; dropout and a shorter context may be chosen.",
    );
}

const hasPositionTable = ({ model }: RunConfig): boolean =>
  model.kind === "transformer" && model.positions === "learned";
