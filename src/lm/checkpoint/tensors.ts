/** @file Moves named variables out to files and back, one at a time: memory never holds a model twice. */
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../../engine/errors.ts";
import { newFloats } from "../../engine/floats.ts";
import { collectTensor, type TensorSource, type TensorSources } from "./tensorSource.ts";

type Variables = ReadonlyMap<string, tf.Variable>;

/** Variables as what is written, in the order of the map; they must not change meanwhile. */
export const variableSources = (variables: Variables): Map<string, TensorSource> =>
  new Map([...variables].map(([name, variable]) => [name, sourceOf(variable)]));

const sourceOf = (variable: tf.Variable): TensorSource => ({
  shape: variable.shape,
  pieces: async function* () {
    yield await variable.data<"float32">();
  },
});

/**
 * Sets every variable from what was stored.
 *
 * @throws {SandboxError} if names or shapes differ, before any variable is changed.
 */
export async function writeVariables(where: string, variables: Variables, stored: TensorSources): Promise<void> {
  expectSame(where, variables, stored);
  for (const [name, variable] of variables) {
    const values = await collectTensor(stored.get(name)!, newFloats(variable.size));
    tf.tidy(() => variable.assign(tf.tensor(values, [...variable.shape])));
  }
}

function expectSame(where: string, variables: Variables, stored: TensorSources): void {
  const hint = "It belongs to a model of another configuration.";
  for (const [name, { shape }] of stored) {
    const variable = variables.get(name);
    if (!variable) throw new SandboxError(`${where}: holds tensor ${name}, which the model does not have`, hint);
    if (String(variable.shape) !== String(shape))
      throw new SandboxError(
        `${where}: tensor ${name} has shape [${shape}], the model expects [${variable.shape}]`,
        hint,
      );
  }
  for (const name of variables.keys())
    if (!stored.has(name)) throw new SandboxError(`${where}: lacks tensor ${name}`, hint);
}
