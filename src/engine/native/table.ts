/** @file Every kernel that the native engine has of its own, by tfjs's name or ours. */

import type { NativeKernel } from "./kernel.ts";
import { dataKernels } from "./kernels-data.ts";
import { elementwiseKernels } from "./kernels-elementwise.ts";
import { fusedKernels } from "./kernels-fused.ts";
import { layerKernels } from "./kernels-layers.ts";
import { matmulKernels } from "./kernels-matmul.ts";
import { readingKernels } from "./kernels-reading.ts";
import { recurrentKernels } from "./kernels-recurrent.ts";
import { rowKernels } from "./kernels-rows.ts";
import { sgdKernels } from "./kernels-sgd.ts";
import { sparseKernels } from "./kernels-sparse.ts";
import { vocabularyKernels } from "./kernels-vocabulary.ts";

export const nativeKernels: Readonly<Record<string, NativeKernel>> = {
  ...dataKernels,
  ...elementwiseKernels,
  ...fusedKernels,
  ...layerKernels,
  ...matmulKernels,
  ...readingKernels,
  ...recurrentKernels,
  ...rowKernels,
  ...sgdKernels,
  ...sparseKernels,
  ...vocabularyKernels,
};
