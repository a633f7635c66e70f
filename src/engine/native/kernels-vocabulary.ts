/** @file The log-sum-exp over the vocabulary and its gradient, without a [tokens, vocabulary] matrix. */
import type { ScoreAttributes } from "../ops/linearLogSumExp.ts";
import type { NativeBackend } from "./backend.ts";
import { floatInput, idInput, type NativeKernel, shapeOf, type Tensors, viewAs } from "./kernel.ts";

interface Arguments {
  readonly N: number;
  readonly E: number;
  readonly V: number;
  readonly hidden: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly targets: Int32Array;
}

function argumentsOf(backend: NativeBackend, where: string, { hidden, weight, bias, targets }: Tensors): Arguments {
  const [N, E] = shapeOf(`${where} hidden`, hidden, 2) as [number, number];
  const [V] = shapeOf(`${where} weight`, weight, 2) as [number, number];
  const ids = idInput(backend, `${where} targets`, targets, V);
  if (ids.length !== N) throw new RangeError(`${where} targets: expected ${N}, got ${ids.length}`);
  return {
    N,
    E,
    V,
    hidden: floatInput(backend, `${where} hidden`, hidden),
    weight: floatInput(backend, `${where} weight`, weight, V * E),
    bias: bias ? floatInput(backend, `${where} bias`, bias, V) : null,
    targets: ids,
  };
}

const linearLogSumExp: NativeKernel = (backend, inputs, attributes) => {
  const { N, E, V, hidden, weight, bias, targets } = argumentsOf(backend, "SoftboxLinearLogSumExp", inputs);
  const { form, softcap, mean: withMean } = attributes as unknown as ScoreAttributes;
  const [targetLogit, logSumExp] = [backend.newFloats([N]), backend.newFloats([N])];
  const mean = withMean ? backend.newFloats([N]) : undefined;
  const results = [targetLogit.values, logSumExp.values, mean?.values ?? null] as const;
  backend.addon.linearLogSumExp(hidden, weight, bias, targets, ...results, N, E, V, form, softcap);
  return [targetLogit.info, logSumExp.info, ...(mean ? [mean.info] : [])];
};

const linearLogSumExpGrad: NativeKernel = (backend, inputs, attributes) => {
  const where = "SoftboxLinearLogSumExpGrad";
  const { N, E, V, hidden, weight, bias, targets } = argumentsOf(backend, where, inputs);
  const { form, softcap } = attributes as unknown as ScoreAttributes;
  const rows = (name: string): Float32Array => floatInput(backend, `${where} ${name}`, inputs[name], N);
  const dHidden = backend.newFloats([N, E]);
  const dWeight = backend.newFloats([V, E]);
  const dBias = bias ? backend.newFloats([V]) : undefined;
  backend.addon.linearLogSumExpGrad(
    rows("dTarget"),
    rows("dLogSumExp"),
    inputs.dMean ? rows("dMean") : null,
    hidden,
    weight,
    bias,
    targets,
    rows("logSumExp"),
    dHidden.values,
    dWeight.values,
    dBias?.values ?? null,
    N,
    E,
    V,
    form,
    softcap,
  );
  if (N === 0) for (const x of [dWeight, dBias]) x?.values.fill(0);
  return [dHidden.info, dWeight.info, ...(dBias ? [dBias.info] : [])];
};

const plain = { form: 0, softcap: 0, mean: 0 };

/**
 * Above this many entries so few tokens' scores fit the kernel's memory at once that reading the weights anew for each block of
 * them costs more than computing the scores twice.
 */
const largestAtOnce = 16_384;

/** The loss, the log-sum-exp and, where it pays, the gradients of the mean loss. */
const linearCrossEntropy: NativeKernel = (backend, inputs) => {
  const { N, E, V, hidden, weight, bias, targets } = argumentsOf(backend, "SoftboxLinearCrossEntropy", inputs);
  const [nats, logSumExp] = [backend.newFloats([N]), backend.newFloats([N])];
  const losses = (): void => {
    for (let n = 0; n < N; n++) nats.values[n] = logSumExp.values[n]! - nats.values[n]!; // in place of the target's score
  };
  if (V > largestAtOnce || N === 0) {
    const results = [nats.values, logSumExp.values, null] as const;
    backend.addon.linearLogSumExp(hidden, weight, bias, targets, ...results, N, E, V, 0, 0);
    losses();
    return [nats.info, logSumExp.info];
  }
  const [dTarget, dLogSumExp] = [new Float32Array(N).fill(-1 / N), new Float32Array(N).fill(1 / N)];
  const [dHidden, dWeight] = [backend.newFloats([N, E]), backend.newFloats([V, E])];
  const dBias = bias ? backend.newFloats([V]) : undefined;
  const gradients = [dHidden.values, dWeight.values, dBias?.values ?? null] as const;
  const given = [dTarget, dLogSumExp, hidden, weight, bias, targets] as const;
  backend.addon.linearCrossEntropy(...given, nats.values, logSumExp.values, ...gradients, N, E, V);
  losses();
  return [nats.info, logSumExp.info, dHidden.info, dWeight.info, ...(dBias ? [dBias.info] : [])];
};

/** Gradients that were made on the way, times one factor for all tokens; else those of the log-sum-exp. */
const linearCrossEntropyGrad: NativeKernel = (backend, { dy, dHidden, dWeight, dBias, ...inputs }) => {
  const where = "SoftboxLinearCrossEntropyGrad";
  const given = floatInput(backend, `${where} dy`, dy);
  if (dHidden && dWeight && given.every((x) => x === given[0])) {
    const factor = given[0]! / Math.fround(1 / given.length);
    const made = [dHidden, dWeight, ...(dBias ? [dBias] : [])];
    if (factor !== 1) for (const x of made) scale(floatInput(backend, where, x), factor);
    return made.map((x) => viewAs(backend, x, x.shape));
  }
  const dTarget = backend.newFloats([given.length]);
  for (const [n, x] of given.entries()) dTarget.values[n] = -x;
  const results = linearLogSumExpGrad(backend, { ...inputs, dTarget: dTarget.info, dLogSumExp: dy! }, plain);
  backend.disposeData(dTarget.info.dataId);
  return results;
};

function scale(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

export const vocabularyKernels: Readonly<Record<string, NativeKernel>> = {
  SoftboxLinearLogSumExp: linearLogSumExp,
  SoftboxLinearLogSumExpBias: linearLogSumExp,
  SoftboxLinearLogSumExpGrad: linearLogSumExpGrad,
  SoftboxLinearCrossEntropy: linearCrossEntropy,
  SoftboxLinearCrossEntropyGrad: linearCrossEntropyGrad,
};
