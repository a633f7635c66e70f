/** @file Every fused kernel there is: what engines run and tests compare. */
import type { FusedKernel } from "../fused.ts";
import { adamWKernels } from "./adamW.ts";
import { cachedAttentionKernels } from "./cachedAttention.ts";
import { causalAttentionKernels } from "./causalAttention.ts";
import { dropoutKernels } from "./dropout.ts";
import { embedKernels } from "./embed.ts";
import { geluKernels } from "./gelu.ts";
import { gruKernels } from "./gruSequence.ts";
import { keepHalvesKernels } from "./keepHalves.ts";
import { layerNormKernels } from "./layerNorm.ts";
import { linearKernels } from "./linear.ts";
import { linearCrossEntropyKernels } from "./linearCrossEntropy.ts";
import { linearLogSumExpKernels } from "./linearLogSumExp.ts";
import { logSoftmaxKernels } from "./logSoftmax.ts";
import { lstmKernels } from "./lstmSequence.ts";
import { rmsNormKernels } from "./rmsNorm.ts";
import { rotaryKernels } from "./rotary.ts";
import { sgdKernels } from "./sgd.ts";
import { sharedDropoutKernels } from "./sharedDropout.ts";
import { sparseSoftmaxKernels } from "./sparseSoftmax.ts";
import { swigluKernels } from "./swiglu.ts";

export const fusedKernels: readonly FusedKernel[] = [
  ...adamWKernels,
  ...cachedAttentionKernels,
  ...causalAttentionKernels,
  ...dropoutKernels,
  ...embedKernels,
  ...geluKernels,
  ...gruKernels,
  ...keepHalvesKernels,
  ...layerNormKernels,
  ...linearKernels,
  ...linearCrossEntropyKernels,
  ...linearLogSumExpKernels,
  ...logSoftmaxKernels,
  ...rmsNormKernels,
  ...rotaryKernels,
  ...swigluKernels,
  ...lstmKernels,
  ...sgdKernels,
  ...sharedDropoutKernels,
  ...sparseSoftmaxKernels,
];
