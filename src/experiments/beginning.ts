/** @file A run that starts from another run's model: fine-tuning. */
import { resolve } from "node:path";
import { namedVariables } from "../engine/params.ts";
import { firstRows, type TensorSources } from "../lm/checkpoint/tensorSource.ts";
import { variableSources, writeVariables } from "../lm/checkpoint/tensors.ts";
import { openModel, saveBeginning } from "./checkpoints.ts";
import type { RunConfig } from "./config.ts";
import { readRunConfig, stepsToTry } from "./runFolder.ts";
import type { Session } from "./session.ts";

const positionTable = "trunk.positionEmbedding";

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
  const source = { tokenizer: hash, model: readRunConfig(from).model };
  const { tensors, step, close } = await openModel(from, stepsToTry(from, "latest"), source, onWarning);
  const variables = namedVariables(model.params);
  await writeVariables(from, variables, shortened(tensors, config)).finally(close);
  await saveBeginning(folder, variableSources(variables), { tokenizer: hash, model: config.model });
  return { run: resolve(from), step };
}

function shortened(tensors: TensorSources, { model }: RunConfig): TensorSources {
  const table = tensors.get(positionTable);
  return table ? new Map([...tensors, [positionTable, firstRows(table, model.contextLength)]]) : tensors;
}
