/**
 * @file Causal attention of batched products. Where the weights are no more than queries, keys and values, they are kept for the
 * backward pass in the place of the log-sum-exp; else they are made anew, and memory does not grow with T².
 */
import { add, batchMatMul, mul, pack, reshape, sub, sum, times, transpose, unpack } from "./arithmetic.ts";
import { type Handle, last, type Scope, type TensorflowKernel } from "./scope.ts";

interface Parts {
  readonly shape: readonly [B: number, T: number, H: number, D: number];
  readonly scale: number;
  /** Queries times the scale, keys, values: `[B, H, T, D]`. */
  readonly q: Handle;
  readonly k: Handle;
  readonly v: Handle;
}

/** 0 where a position may look, −∞ in its future, `[T, T]`. */
function futureMask(t: Scope, T: number): Handle {
  const mask = new Float32Array(T * T);
  for (let row = 0; row < T; row++) mask.fill(Number.NEGATIVE_INFINITY, row * T + row + 1, (row + 1) * T);
  return t.floats(mask, [T, T]);
}

function partsOf(t: Scope, qkv: Handle, heads: number): Parts {
  const [B, T, width] = qkv.shape as [number, number, number];
  const D = width / 3 / heads;
  const apart = transpose(t, last(reshape(t, qkv, [B, T, 3, heads, D])), [2, 0, 3, 1, 4]); // [3, B, H, T, D]
  const [plain, k, v] = unpack(t, last(apart), 3) as [Handle, Handle, Handle];
  const scale = 1 / Math.sqrt(D);
  return { shape: [B, T, heads, D], scale, q: times(t, last(plain), scale), k, v };
}

/** `[B, H, T, T]`. */
function weightsOf(t: Scope, { shape: [, T], q, k }: Parts): Handle {
  const scores = add(t, last(batchMatMul(t, q, k, false, true)), futureMask(t, T)); // [B, H, T, T]
  return t.op("Softmax", [last(scores)]);
}

const keepsWeights = ({ shape: [, T, , D] }: Parts): boolean => T <= 3 * D;

const attention: TensorflowKernel = (t, { qkv }, { heads }) => {
  const parts = partsOf(t, t.input(qkv), heads as number);
  const [B, T, H, D] = parts.shape;
  const weights = weightsOf(t, parts);
  const mixed = transpose(t, last(batchMatMul(t, weights, parts.v)), [0, 2, 1, 3]); // [B, T, H, D]
  return [reshape(t, last(mixed), [B, T, H * D]), keepsWeights(parts) ? weights : t.scalar(0)];
};

const attentionGrad: TensorflowKernel = (t, { dOut, qkv, logSumExp }, { heads }) => {
  const parts = partsOf(t, t.input(qkv), heads as number);
  const { shape, scale, q, k, v } = parts;
  const [B, T, H, D] = shape;
  const weights = keepsWeights(parts) ? t.input(logSumExp) : weightsOf(t, parts);
  const given = transpose(t, last(reshape(t, t.input(dOut), [B, T, H, D])), [0, 2, 1, 3]); // [B, H, T, D]
  const dV = batchMatMul(t, weights, given, true, false);
  const dWeights = batchMatMul(t, last(given), last(v), false, true); // [B, H, T, T]
  const own = mul(t, weights, last(dWeights)); // [B, H, T, T]
  const shared = mul(t, last(weights), last(sum(t, own))); // [B, H, T, T]
  const dScores = sub(t, last(own), last(shared));
  const dQ = times(t, last(batchMatMul(t, dScores, last(k))), scale);
  const dK = batchMatMul(t, last(dScores), last(q), true, false);
  const together = transpose(t, last(pack(t, [last(dQ), last(dK), last(dV)])), [1, 3, 0, 2, 4]); // [B, T, 3, H, D]
  return reshape(t, last(together), [B, T, 3 * H * D]);
};

export const attentionKernels: Readonly<Record<string, TensorflowKernel>> = {
  SoftboxCausalAttention: attention,
  SoftboxCausalAttentionGrad: attentionGrad,
};
