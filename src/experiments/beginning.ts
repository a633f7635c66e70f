/** @file A run that starts from another run's model: fine-tuning. */
import { resolve } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { namedVariables } from "../engine/params.ts";
import { firstRows, type TensorSources } from "../lm/checkpoint/tensorSource.ts";
import { variableSources, writeVariables } from "../lm/checkpoint/tensors.ts";
import { openModel, saveBeginning } from "./checkpoints.ts";
import type { RunConfig } from "./config.ts";
import { stepsToTry } from "./runFolder.ts";
import type { Session } from "./session.ts";

const positionTable = "trunk.positionEmbedding";

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

/** Where a run's first parameters came from. */
export interface Beginning {
  readonly run: string;
  readonly step: number;
}

/**
 * Gives a session the parameters of another run and saves them as step 0, so that it can be resumed from there. Of learned
 * positions the first are kept, as many as the context has.
 *
 * @throws {SandboxError} if the other run has no checkpoint that is whole.
 */
export async function beginFrom(
  from: string,
  { folder, config, model, dataset }: Session,
  onWarning: (line: string) => void,
): Promise<Beginning> {
  const { hash } = dataset.tokenizer;
  const { tensors, step, close } = await openModel(from, stepsToTry(from, "latest"), hash, onWarning);
  const variables = namedVariables(model.params);
  await writeVariables(from, variables, shortened(tensors, config)).finally(close);
  await saveBeginning(folder, variableSources(variables), hash);
  return { run: resolve(from), step };
}

function shortened(tensors: TensorSources, { model }: RunConfig): TensorSources {
  const table = tensors.get(positionTable);
  return table ? new Map([...tensors, [positionTable, firstRows(table, model.contextLength)]]) : tensors;
}
