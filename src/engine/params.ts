/** @file Parameters as a plain tree: objects and arrays with variables at the leaves. */
import * as tf from "@tensorflow/tfjs";

/** A tree of variables; its paths are the names used in checkpoints. */
export type Params = tf.Variable | readonly Params[] | { readonly [name: string]: Params };

/** Every variable with its path, e.g. `"blocks.0.attention.qkv.kernel"`. A variable that is shared appears once. */
export function namedVariables(params: object, path = "", seen = new Set<tf.Variable>()): Map<string, tf.Variable> {
  const found = new Map<string, tf.Variable>();
  for (const [key, child] of Object.entries(params)) {
    const name = path ? `${path}.${key}` : key;
    if (child instanceof tf.Variable) {
      if (!seen.has(child)) found.set(name, child);
      seen.add(child);
    } else if (child) for (const [n, v] of namedVariables(child as object, name, seen)) found.set(n, v);
  }
  return found;
}

/** Number of scalars in a tree. */
export const countParams = (params: object): number =>
  [...namedVariables(params).values()].reduce((n, v) => n + v.size, 0);

/** Frees every variable of a tree. */
export const disposeParams = (params: object): void => tf.dispose([...namedVariables(params).values()]);
