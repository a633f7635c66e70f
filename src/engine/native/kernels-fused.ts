/** @file Fused kernels of a transformer's layers: norm, GELU, embedding, dropout, attention, and AdamW. */
import type { TensorInfo } from "@tensorflow/tfjs";
import type { NativeBackend } from "./backend.ts";
import { floatInput, idInput, type NativeKernel, shapeOf, sizeOf, type Tensors, viewAs } from "./kernel.ts";

const layerNorm: NativeKernel = (backend, { x, gain, bias }, { epsilon }) => {
  const where = "SoftboxLayerNorm";
  const [rows, columns] = shapeOf(`${where} x`, x, 2) as [number, number];
  const y = backend.newFloats(x!.shape);
  backend.addon.layerNorm(
    floatInput(backend, `${where} x`, x),
    floatInput(backend, `${where} gain`, gain, columns),
    floatInput(backend, `${where} bias`, bias, columns),
    y.values,
    rows,
    columns,
    epsilon as number,
  );
  return y.info;
};

const layerNormGrad: NativeKernel = (backend, { dy, x, gain }, { epsilon }) => {
  const where = "SoftboxLayerNormGrad";
  const [rows, columns] = shapeOf(`${where} x`, x, 2) as [number, number];
  const [dx, dgain, dbias] = [x!.shape, [columns], [columns]].map((shape) => backend.newFloats(shape));
  backend.addon.layerNormGrad(
    floatInput(backend, `${where} dy`, dy, rows * columns),
    floatInput(backend, `${where} x`, x),
    floatInput(backend, `${where} gain`, gain, columns),
    dx!.values,
    dgain!.values,
    dbias!.values,
    rows,
    columns,
    epsilon as number,
  );
  return [dx!.info, dgain!.info, dbias!.info];
};

const gelu: NativeKernel = (backend, { x }) => {
  const values = floatInput(backend, "SoftboxGelu x", x);
  const y = backend.newFloats(x!.shape);
  backend.addon.gelu(values, y.values, values.length);
  return y.info;
};

const geluGrad: NativeKernel = (backend, { dy, x }) => {
  const values = floatInput(backend, "SoftboxGeluGrad x", x);
  const slopes = floatInput(backend, "SoftboxGeluGrad dy", dy, values.length);
  const dx = backend.newFloats(x!.shape);
  backend.addon.geluGrad(slopes, values, dx.values, values.length);
  return dx.info;
};

const embed: NativeKernel = (backend, { ids, table }) => {
  const [V, E] = shapeOf("SoftboxEmbed table", table, 2) as [number, number];
  const [N] = shapeOf("SoftboxEmbed ids", ids, 1) as [number];
  const indices = idInput(backend, "SoftboxEmbed ids", ids, V);
  const y = backend.newFloats([N, E]);
  backend.addon.gather(floatInput(backend, "SoftboxEmbed table", table), indices, y.values, N, E);
  return y.info;
};

const embedGrad: NativeKernel = (backend, { dy, ids }, { vocabSize }) => {
  const [N, E] = shapeOf("SoftboxEmbedGrad dy", dy, 2) as [number, number];
  const V = vocabSize as number;
  const indices = idInput(backend, "SoftboxEmbedGrad ids", ids, V);
  if (indices.length !== N) throw new RangeError(`SoftboxEmbedGrad ids: expected ${N}, got ${indices.length}`);
  const table = backend.newFloats([V, E]);
  backend.addon.scatterAdd(floatInput(backend, "SoftboxEmbedGrad dy", dy), indices, table.values, N, V, E, true);
  return table.info;
};

const embedTied: NativeKernel = (backend, inputs) => [
  embed(backend, inputs, {}) as TensorInfo,
  viewAs(backend, inputs.table!, inputs.table!.shape),
];

const embedTiedGrad: NativeKernel = (backend, { dRows, dTable, ids }, { overwrite }) => {
  const where = "SoftboxEmbedTiedGrad";
  const [V, E] = shapeOf(`${where} dTable`, dTable, 2) as [number, number];
  const indices = idInput(backend, `${where} ids`, ids, V);
  const rows = floatInput(backend, `${where} dRows`, dRows, indices.length * E);
  const sum = backend.writable(dTable!, floatInput(backend, `${where} dTable`, dTable), overwrite === 1);
  backend.addon.scatterAdd(rows, indices, sum.values, indices.length, V, E, false);
  return sum.info;
};

const dropout: NativeKernel = (backend, { x }, attributes) => {
  const { rate, key0, key1 } = attributes as { rate: number; key0: number; key1: number };
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`SoftboxDropout rate: must be in [0, 1), got ${rate}`);
  const values = floatInput(backend, "SoftboxDropout x", x);
  const y = backend.newFloats(x!.shape);
  backend.addon.dropout(values, y.values, values.length, rate, key0, key1);
  return y.info;
};

interface AttentionSizes {
  readonly B: number;
  readonly T: number;
  readonly E: number;
  readonly heads: number;
}

function attentionSizes(where: string, qkv: Tensors[string] | undefined, heads: unknown): AttentionSizes {
  const [B, T, width] = shapeOf(`${where} qkv`, qkv, 3) as [number, number, number];
  const count = heads as number;
  if (!Number.isInteger(count) || count < 1 || width % (3 * count) !== 0)
    throw new RangeError(`${where}: 3 · heads must divide the last axis, got heads ${count} and ${width}`);
  return { B, T, E: width / 3, heads: count };
}

const attention: NativeKernel = (backend, { qkv }, attributes) => {
  const where = "SoftboxCausalAttention";
  const { B, T, E, heads } = attentionSizes(where, qkv, attributes.heads);
  const out = backend.newFloats([B, T, E]);
  const logSumExp = backend.newFloats([B, heads, T]);
  backend.addon.attention(floatInput(backend, `${where} qkv`, qkv), out.values, logSumExp.values, B, T, E, heads);
  return [out.info, logSumExp.info];
};

const attentionGrad: NativeKernel = (backend, { dOut, qkv, out, logSumExp }, attributes) => {
  const where = "SoftboxCausalAttentionGrad";
  const { B, T, E, heads } = attentionSizes(where, qkv, attributes.heads);
  const dqkv = backend.newFloats([B, T, 3 * E]);
  backend.addon.attentionGrad(
    floatInput(backend, `${where} dOut`, dOut, B * T * E),
    floatInput(backend, `${where} qkv`, qkv),
    floatInput(backend, `${where} out`, out, B * T * E),
    floatInput(backend, `${where} logSumExp`, logSumExp, B * heads * T),
    dqkv.values,
    B,
    T,
    E,
    heads,
  );
  return dqkv.info;
};

interface AdamWAttributes {
  readonly count: number;
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: readonly number[];
  readonly clipNorm: number;
}

/** The arrays p0…, g0…, m0…, v0…, checked; updated in place, so none may be a converted copy. */
function adamWArrays(backend: NativeBackend, inputs: Tensors, count: number): Float32Array[] {
  const names = ["p", "g", "m", "v"].flatMap((kind) => Array.from({ length: count }, (_, i) => `${kind}${i}`));
  return names.map((name, i) => {
    const size = sizeOf(inputs[`p${i % count}`]?.shape ?? []);
    const values = floatInput(backend, `SoftboxAdamW ${name}`, inputs[name], size);
    if (!name.startsWith("g") && values !== backend.valuesOf(inputs[name]!))
      throw new TypeError(`SoftboxAdamW ${name}: its data are integers, cast it first`);
    return values;
  });
}

const adamW: NativeKernel = (backend, inputs, attributes) => {
  const a = attributes as unknown as AdamWAttributes;
  if (a.weightDecay.length !== a.count)
    throw new RangeError(`SoftboxAdamW weightDecay: expected ${a.count} numbers, got ${a.weightDecay.length}`);
  const arrays = adamWArrays(backend, inputs, a.count);
  const sizes = Float64Array.from(arrays.slice(0, a.count), (x) => x.length);
  const decay = Float64Array.from(a.weightDecay);
  const { step, learningRate, beta1, beta2, epsilon, clipNorm } = a;
  for (let i = 0; i < a.count; i++) backend.dropHalves(inputs[`p${i}`]!);
  const norm = backend.newFloats([]);
  norm.values[0] = backend.addon.adamW(arrays, sizes, decay, step, learningRate, beta1, beta2, epsilon, clipNorm);
  return norm.info;
};

export const fusedKernels: Readonly<Record<string, NativeKernel>> = {
  SoftboxLayerNorm: layerNorm,
  SoftboxLayerNormGrad: layerNormGrad,
  SoftboxGelu: gelu,
  SoftboxGeluGrad: geluGrad,
  SoftboxEmbed: embed,
  SoftboxEmbedGrad: embedGrad,
  SoftboxEmbedTied: embedTied,
  SoftboxEmbedTiedGrad: embedTiedGrad,
  SoftboxDropout: dropout,
  SoftboxCausalAttention: attention,
  SoftboxCausalAttentionGrad: attentionGrad,
  SoftboxAdamW: adamW,
};
