/**
 * @file TensorFlow's own variables, for operations that update in place. There are three a process: a parameter's arrays pass through
 * them, without being copied, and are tfjs's again afterwards.
 */
import { threadId } from "node:worker_threads";
import type * as tf from "@tensorflow/tfjs";
import type { TensorflowBackend } from "./load.ts";
import { exchange, type Handle, type OpAttribute, type Scope } from "./scope.ts";

export interface Resources {
  /**
   * Updates three tensors in place.
   *
   * @param first - takes the place of the first tensor's array beforehand, or nothing.
   * @param apply - the operation, over the handles of the variables.
   */
  update(
    t: Scope,
    tensors: readonly tf.Variable[],
    first: Handle | undefined,
    apply: (handles: Handle[]) => void,
  ): void;
  /** Lets go of the arrays of the last update. */
  release(t: Scope): void;
}

const made = new WeakMap<TensorflowBackend, Resources>();

export function resourcesOf(backend: TensorflowBackend): Resources {
  const known = made.get(backend) ?? createResources(backend);
  made.set(backend, known);
  return known;
}

function createResources({ binding }: TensorflowBackend): Resources {
  const dtype: OpAttribute = { name: "dtype", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
  const text = (name: string, value: string): OpAttribute => ({ name, type: binding.TF_ATTR_STRING, value });
  const handles = [0, 1, 2].map((i): Handle => {
    const shape = { name: "shape", type: binding.TF_ATTR_SHAPE, value: [] };
    const attributes = [dtype, shape, text("container", ""), text("shared_name", `softbox ${threadId} ${i}`)];
    return { id: binding.executeOp("VarHandleOp", attributes, [], 1)[0]!.id, shape: [] };
  });
  const put = (t: Scope, i: number, value: Handle): void => t.run("AssignVariableOp", [handles[i]!, value], [dtype]);
  return {
    update: (t, tensors, first, apply) => {
      for (const [i, tensor] of tensors.entries()) put(t, i, i === 0 && first ? first : t.input(tensor));
      if (first) t.free(first);
      // Only an array that nobody else holds is updated where it lies.
      const giveBack = tensors.map((tensor) => exchange(t, tensor));
      apply(handles);
      for (const [i, handle] of handles.entries())
        giveBack[i]!(binding.executeOp("ReadVariableOp", [dtype], [handle.id], 1)[0]!.id);
    },
    release: (t) => {
      for (const i of handles.keys()) put(t, i, t.scalar(0));
    },
  };
}
