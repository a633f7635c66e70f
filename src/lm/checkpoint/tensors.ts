/** @file Moves named variables out to plain memory and back. */
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../../engine/errors.ts";
import type { StoredTensor, StoredTensors } from "./safetensors.ts";

/** Copies every variable out, in the order of the map. */
export async function readVariables(variables: ReadonlyMap<string, tf.Variable>): Promise<Map<string, StoredTensor>> {
  const stored = new Map<string, StoredTensor>();
  for (const [name, variable] of variables) {
    const values = (await variable.data<"float32">()).slice(); // engines may hand out the live buffer
    stored.set(name, { shape: variable.shape, values });
  }
  return stored;
}

/**
 * Sets every variable from what was stored.
 *
 * @throws {SandboxError} if names or shapes differ, before any variable is changed.
 */
export function writeVariables(
  where: string,
  variables: ReadonlyMap<string, tf.Variable>,
  stored: StoredTensors,
): void {
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
  for (const [name, variable] of variables) {
    const { values, shape } = stored.get(name)!;
    tf.tidy(() => variable.assign(tf.mul(tf.tensor(values, [...shape]), 1))); // times 1: into the engine's own memory
  }
}
