/** @file The log-sum-exp over the vocabulary and its gradient, without a [tokens, vocabulary] matrix. */
import type { ScoreAttributes } from "../ops/linearLogSumExp.ts";
import type { NativeBackend } from "./backend.ts";
import { floatInput, idInput, type NativeKernel, shapeOf, type Tensors } from "./kernel.ts";

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

export const vocabularyKernels: Readonly<Record<string, NativeKernel>> = {
  SoftboxLinearLogSumExp: linearLogSumExp,
  SoftboxLinearLogSumExpBias: linearLogSumExp,
  SoftboxLinearLogSumExpGrad: linearLogSumExpGrad,
};
