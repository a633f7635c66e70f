/**
 * @file TensorFlow's operations by name, over handles of the binding. What a kernel makes on its way never becomes a tensor of
 * tfjs: half of an operation's cost on small arrays is that bookkeeping.
 */
import * as tf from "@tensorflow/tfjs";
import type { TensorflowBackend } from "./load.ts";

/** An array that TensorFlow holds. */
export interface Handle {
  readonly id: number;
  readonly shape: readonly number[];
  /** The operation that takes it is the last: it is freed at once, and what comes next finds its memory in the cache. */
  readonly last?: true;
}

/** Marks an array that a kernel made as used up by the operation it is given to. */
export const last = (x: Handle): Handle => ({ ...x, last: true });

/** An operation's attribute; the types of inputs TensorFlow infers itself. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What one call of a kernel may do. Everything that it makes is freed at its end, but what it returns. */
export interface Scope {
  readonly backend: TensorflowBackend;
  /** The array of a tensor. */
  input(x: tf.TensorInfo | undefined): Handle;
  /** Runs an operation of one output. */
  op(name: string, inputs: readonly Handle[], attributes?: readonly OpAttribute[]): Handle;
  /** Runs an operation of several outputs. */
  ops(name: string, inputs: readonly Handle[], count: number, attributes?: readonly OpAttribute[]): Handle[];
  /** Runs an operation for what it does. */
  run(name: string, inputs: readonly Handle[], attributes?: readonly OpAttribute[]): void;
  /** Frees an array before the kernel's end. */
  free(x: Handle): void;
  /** A float32 number. */
  scalar(value: number): Handle;
  /** A list of whole numbers: a shape, axes. */
  ints(values: readonly number[]): Handle;
  /** One whole number. */
  int(value: number): Handle;
  /** A float32 array. */
  floats(values: Float32Array, shape: readonly number[]): Handle;
  /** An array's numbers, read back. */
  read(x: Handle): Float32Array;
  readonly attribute: {
    readonly flag: (name: string, value: boolean) => OpAttribute;
    readonly count: (name: string, value: number) => OpAttribute;
    /** `T: float32`, for operations over lists. */
    readonly floatType: OpAttribute;
  };
}

export type Tensors = Readonly<Record<string, tf.TensorInfo>>;
/** A kernel; `undefined` where a case is not its business, and the operation's composite then runs. */
export type TensorflowKernel = (
  scope: Scope,
  inputs: Tensors,
  // tfjs's attributes are untyped at this border; each kernel names those it reads.
  attributes: Readonly<Record<string, unknown>>,
) => Handle | Handle[] | undefined;

/** tfjs's entry of one array. */
interface Entry {
  id: number;
  values: unknown;
  refCount: number;
}

/** Runs a kernel and hands its results to tfjs. */
export function runKernel(
  backend: TensorflowBackend,
  kernel: TensorflowKernel,
  inputs: Tensors,
  attributes: Readonly<Record<string, unknown>>,
): tf.TensorInfo | tf.TensorInfo[] | undefined {
  const made = new Set<number>();
  try {
    const results = kernel(createScope(backend, made), inputs, attributes);
    if (!results) return undefined;
    const list = Array.isArray(results) ? results : [results];
    const infos = list.map((handle) => {
      if (!made.delete(handle.id)) throw new Error("tensorflow kernel: a result must be an array of its own");
      return asTensor(backend, handle);
    });
    return Array.isArray(results) ? infos : infos[0]!;
  } finally {
    for (const id of made) backend.binding.deleteTensor(id);
  }
}

function asTensor(backend: TensorflowBackend, { id, shape }: Handle): tf.TensorInfo {
  const dataId = {};
  const dtype = backend.binding.TF_FLOAT;
  backend.tensorMap.set(dataId, { shape: [...shape], dtype, id, values: null, refCount: 1 });
  return { dataId, shape: [...shape], dtype: "float32" };
}

function createScope(backend: TensorflowBackend, made: Set<number>): Scope {
  const { binding } = backend;
  const free = ({ id }: Handle): void => {
    if (made.delete(id)) binding.deleteTensor(id);
  };
  const run: Scope["ops"] = (name, inputs, count, attributes = []) => {
    const ids = inputs.map(({ id }) => id);
    const outputs = binding.executeOp(name, attributes, ids, count);
    for (const { id } of outputs) made.add(id);
    for (const input of inputs) if (input.last) free(input);
    return outputs;
  };
  const create = (shape: readonly number[], type: number, values: Float32Array | Int32Array): Handle => {
    const id = binding.createTensor(shape, type, values);
    made.add(id);
    return { id, shape };
  };
  return {
    backend,
    input: (x) => {
      if (!x) throw new Error("tensorflow kernel: an input is missing");
      return { id: backend.getInputTensorIds([x])[0]!, shape: x.shape };
    },
    op: (name, inputs, attributes) => run(name, inputs, 1, attributes)[0]!,
    ops: run,
    run: (name, inputs, attributes) => void run(name, inputs, 0, attributes),
    free,
    scalar: (value) => create([], binding.TF_FLOAT, Float32Array.of(value)),
    ints: (values) => create([values.length], binding.TF_INT32, Int32Array.from(values)),
    int: (value) => create([], binding.TF_INT32, Int32Array.of(value)),
    floats: (values, shape) => create(shape, binding.TF_FLOAT, values),
    read: ({ id }) => binding.tensorDataSync(id) as Float32Array,
    attribute: {
      flag: (name, value) => ({ name, type: binding.TF_ATTR_BOOL, value }),
      count: (name, value) => ({ name, type: binding.TF_ATTR_INT, value }),
      floatType: { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    },
  };
}

/**
 * Takes a tensor's array away from tfjs, if nobody shares it.
 *
 * @returns what puts another array of the same shape in its place; an array that others share (a clone) stays theirs.
 */
export function exchange({ backend }: Scope, variable: tf.Variable): (id: number) => void {
  const { tensorMap, binding } = backend;
  const entry = tensorMap.get(variable.dataId) as Entry;
  if (entry.refCount === 1) {
    binding.deleteTensor(entry.id);
    entry.id = -1;
    return (id) => {
      entry.id = id;
    };
  }
  return (id) => {
    const value = tf.engine().makeTensorFromTensorInfo(asTensor(backend, { id, shape: variable.shape }));
    variable.assign(value);
    value.dispose();
  };
}
