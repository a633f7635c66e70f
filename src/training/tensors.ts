/** @file Batches of ids as tensors. */
import * as tf from "@tensorflow/tfjs";
import type { BT } from "../engine/shapes.ts";
import type { Batch } from "../text/batches.ts";

/** Inputs and targets, each `[B, T]`, int32, owned by the caller. */
export function batchTensors({ inputs, targets, contextLength }: Batch): [BT, BT] {
  const shape: [number, number] = [inputs.length / contextLength, contextLength];
  return [tf.tensor2d(inputs, shape, "int32"), tf.tensor2d(targets, shape, "int32")];
}
