/**
 * @file Fused operations: one kernel name each, run by whatever engine is active.
 *
 * An operation has (a) a composite definition made of tfjs ops, correct on every engine, and (b) a hand-written gradient.
 * An engine may register a kernel of the same name; where it does not, `registerComposites` puts the composite in its
 * place. tfjs records no tape inside a kernel, so the gradient is the one written here in both cases.
 */
import * as tf from "@tensorflow/tfjs";

/** Tensors by argument name. An argument that was left out is absent. */
export type Inputs = Readonly<Record<string, tf.Tensor>>;
/** Plain numbers by name. */
export type Attributes = Readonly<Record<string, number | readonly number[]>>;

export interface FusedGradient {
  /** Names of inputs the gradient needs; absent optional ones are left out. */
  readonly inputsToSave?: readonly string[];
  /** Which outputs the gradient needs, by position. */
  readonly outputsToSave?: readonly boolean[];
  /** Gradients by input name from the outputs' gradients; `saved` holds the inputs, then the outputs asked for. */
  readonly compute: (dys: tf.Tensor[], saved: tf.Tensor[], attributes: Attributes) => Record<string, tf.Tensor>;
}

export interface FusedKernel {
  readonly name: string;
  /** The definition in tfjs ops. Runs inside `tidy`; does not dispose its arguments. */
  readonly composite: (inputs: Inputs, attributes: Attributes) => tf.Tensor | tf.Tensor[];
  readonly gradient?: FusedGradient;
}

/** Runs a kernel of one output on the active engine. The caller owns the result. */
export function runFused<T extends tf.Tensor>(name: string, inputs: Inputs, attributes: Attributes = {}): T {
  return tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as Record<string, number>) as T;
}

/** Runs a kernel of several outputs on the active engine. The caller owns the results. */
export function runFusedMany(name: string, inputs: Inputs, attributes: Attributes = {}): tf.Tensor[] {
  return tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as Record<string, number>) as tf.Tensor[];
}

/** A result with what its gradient needs of the way there. */
interface Forward {
  readonly value: tf.Tensor;
  readonly saved: tf.Tensor[];
}

/**
 * Runs `forward` with a gradient written by hand, for kernels some of whose outputs no gradient ever reaches: a registered
 * gradient would be handed zeros for those.
 *
 * @param backward - the gradients of all inputs from that of the result and what was saved; both are freed afterwards.
 * @returns the result, owned by the caller.
 */
export function withGradient(
  inputs: readonly tf.Tensor[],
  forward: (inputs: readonly tf.Tensor[]) => Forward,
  backward: (dy: tf.Tensor, saved: readonly tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  return tf.customGrad((...args) => {
    const save = args.at(-1) as unknown as tf.GradSaveFunc;
    const { value, saved } = forward(args.slice(0, -1) as tf.Tensor[]);
    save(saved);
    const gradFunc = (dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] => {
      const gradients = backward(dy, kept);
      releaseSpent([dy], kept, gradients);
      return gradients;
    };
    return { value, gradFunc };
  })(...inputs);
}

/** Whether a gradient that reached an operation was made on the way there, so that nobody reads it after that operation's. */
export const isSpent = (dy: tf.Tensor): boolean => dy.scopeId === tf.engine().state.activeScope?.id;

/**
 * Frees what a gradient was made from. tfjs would keep it until the whole backward pass is over, though nobody reads it again;
 * freed at once, its memory serves the next layer while it is still in the cache. A gradient that the caller of tfjs handed
 * in belongs to another scope and stays.
 */
export function releaseSpent(
  dys: readonly tf.Tensor[],
  saved: readonly tf.Tensor[],
  results: readonly tf.Tensor[],
): void {
  for (const spent of [...dys.filter(isSpent), ...saved]) if (!results.includes(spent)) spent.dispose();
}

/** Teaches tfjs the gradients of `kernels`; call once per process. */
export function registerGradients(kernels: readonly FusedKernel[]): void {
  for (const { name, gradient } of kernels) {
    if (!gradient || tf.getGradient(name)) continue;
    tf.registerGradient({
      kernelName: name,
      inputsToSave: [...(gradient.inputsToSave ?? [])],
      outputsToSave: [...(gradient.outputsToSave ?? [])],
      gradFunc: (dy, saved, attributes) => {
        const dys = Array.isArray(dy) ? dy : [dy];
        const gradients = gradient.compute(dys, saved, attributes as unknown as Attributes);
        releaseSpent(dys, saved, Object.values(gradients));
        return Object.fromEntries(Object.entries(gradients).map(([input, value]) => [input, () => value]));
      },
    });
  }
}

/** Gives backend `backendName` the composite of every kernel that it does not have of its own. */
export function registerComposites(kernels: readonly FusedKernel[], backendName: string): void {
  for (const { name, composite } of kernels) {
    if (tf.getKernel(name, backendName)) continue;
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        tf.tidy(() => composite(inputs as Inputs, (attrs ?? {}) as unknown as Attributes)) as tf.TensorInfo,
    });
  }
}
