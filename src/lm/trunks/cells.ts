/** @file The kinds of recurrent layers: how many gates they have, what they carry from step to step, and a layer's run. */
import * as tf from "@tensorflow/tfjs";
import { gruSequence } from "../../engine/ops/gruSequence.ts";
import { linear } from "../../engine/ops/linear.ts";
import { lstmSequence } from "../../engine/ops/lstmSequence.ts";
import type { BTG, BTU, BU } from "../../engine/shapes.ts";
import type { RecurrentConfig } from "../config.ts";

/** One layer; G gates side by side, in PyTorch's order. A gate is made of `x · inputKernel + inputBias + h · recurrentKernel + recurrentBias`. */
export interface CellParams {
  readonly inputKernel: tf.Tensor2D; // [I, G·U]
  readonly inputBias: tf.Tensor1D; // [G·U]
  readonly recurrentKernel: tf.Tensor2D; // [U, G·U]
  readonly recurrentBias: tf.Tensor1D; // [G·U]
}

/** A kind of layer. No function disposes its arguments; the caller owns what is returned. */
export interface Cell {
  readonly gates: number;
  /** How many `[B, U]` it carries from step to step. */
  readonly carries: number;
  /** The gate that keeps what is remembered, where a cell has one. */
  readonly forgetGate?: number;
  /** Outputs of all steps, and what is carried on after the last. */
  run(params: CellParams, x: BTU, carried: readonly BU[]): { outputs: BTU; carried: BU[] };
}

/** What the inputs of all steps bring to the gates, in one product. */
function gateInputs(x: BTU, kernel: tf.Tensor2D, bias: tf.Tensor1D): BTG {
  const [B, T, I] = x.shape;
  const rows = linear(tf.reshape(x, [B * T, I]), kernel, bias); // [B·T, G·U]
  return tf.reshape(rows, [B, T, kernel.shape[1]]);
}

const lstm: Cell = {
  gates: 4,
  carries: 2,
  forgetGate: 1,
  run: ({ inputKernel, inputBias, recurrentKernel, recurrentBias }, x, [hidden, cell]) => {
    const gates = gateInputs(x, inputKernel, tf.add(inputBias, recurrentBias));
    const { hidden: outputs, state } = lstmSequence(gates, recurrentKernel, { hidden: hidden!, cell: cell! });
    return { outputs, carried: [state.hidden, state.cell] };
  },
};

const gru: Cell = {
  gates: 3,
  carries: 1,
  run: ({ inputKernel, inputBias, recurrentKernel, recurrentBias }, x, [hidden]) => {
    const gates = gateInputs(x, inputKernel, inputBias);
    const { hidden: outputs, state } = gruSequence(gates, recurrentKernel, recurrentBias, hidden!);
    return { outputs, carried: [state] };
  },
};

export const cells = { lstm, gru } satisfies { [K in RecurrentConfig["kind"]]: Cell };
