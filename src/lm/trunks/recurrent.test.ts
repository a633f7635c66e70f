// Each regulariser of a recurrent model does what it claims, in training alone.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { activate, synchronousEngines } from "../../../test/support/engines.ts";
import { idsTensor, shake, someIds, tinyConfig } from "../../../test/support/models.ts";
import { dropout } from "../../engine/ops/dropout.ts";
import { sharedDropout } from "../../engine/ops/sharedDropout.ts";
import type { RandomKey } from "../../engine/random.ts";
import type { RecurrentConfig } from "../config.ts";
import { createModel, type LanguageModel } from "../model.ts";
import { type RecurrentParams, recurrentTrunk } from "./recurrent.ts";

const key: RandomKey = [3, 4];

/** A model as if trained; without a projection, so that hidden states are the last layer's outputs. */
function make(kind: string, changes: object): LanguageModel {
  const model = createModel(tinyConfig(kind, "softmax", { hiddenSizes: [7, 8], ...changes }), 1);
  shake(model, 0.3);
  return model;
}
const run = (model: LanguageModel, rows: number[][], training = true) =>
  recurrentTrunk.hidden(model.config as RecurrentConfig, model.params.trunk as RecurrentParams, idsTensor(rows), {
    key: training ? key : undefined,
  });

describe.each(synchronousEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  test("shared dropout has one mask a sequence: that of dropout, at every step, forward and backward", () => {
    tf.tidy(() => {
      const [B, T, n] = [3, 4, 21];
      const x = tf.randomNormal([B, T, n], 0, 1, "float32", 5) as tf.Tensor3D;
      const mask = dropout(tf.ones([B, n]), 0.4, key); // [B, n]
      const expected = tf.mul(x, tf.expandDims(mask, 1));
      expect(Array.from(sharedDropout(x, 0.4, key).dataSync())).toEqual(Array.from(expected.dataSync()));
      const slope = tf.grad((y: tf.Tensor) => tf.sum(sharedDropout(y as tf.Tensor3D, 0.4, key)))(x);
      expect(Array.from(slope.dataSync())).toEqual(Array.from(tf.tile(tf.expandDims(mask, 1), [1, T, 1]).dataSync()));
      expect(new Set(mask.dataSync())).toEqual(new Set([0, Math.fround(1 / 0.6)]));
    });
  });

  describe.each(["lstm", "gru"])("%s", (kind) => {
    test("output dropout takes the same features at all steps of a sequence, other ones in the next", () => {
      const model = make(kind, { dropout: 0.5 });
      const hidden = tf.tidy(() =>
        Array.from(
          run(
            model,
            [1, 2, 3].map((seed) => someIds(6, 11, seed)),
          ).hidden.dataSync(),
        ),
      );
      const zeros = Array.from({ length: 18 }, (_, row) => hidden.slice(row * 8, row * 8 + 8).map((x) => x === 0));
      for (const [row, pattern] of zeros.entries()) expect(pattern).toEqual(zeros[Math.floor(row / 6) * 6]);
      expect(new Set([0, 6, 12].map((row) => zeros[row]!.join())).size).toBeGreaterThan(1);
      model.dispose();
    });

    test("embedding dropout drops words: a dropped one is as if its embedding were zero, wherever it stands", () => {
      const model = make(kind, { embeddingDropout: 0.5 });
      const [V, E] = [11, 8];
      const { tokenEmbedding } = model.params.trunk;
      const first = (id: number): number[] => tf.tidy(() => Array.from(run(model, [[id]]).hidden.dataSync()));
      const states = Array.from({ length: V }, (_, id) => first(id));
      tf.tidy(() => tokenEmbedding.assign(tf.zeros([V, E])));
      const nothing = first(0);
      const dropped = states.filter((state) => state.join() === nothing.join()).length;
      expect(dropped).toBeGreaterThan(0);
      expect(dropped).toBeLessThan(V);
      model.dispose();
    });

    test("weight dropout acts on what steps hand on: not on the first step from an empty state", () => {
      const model = make(kind, { weightDropout: 0.5 });
      const rows = [someIds(4, 11)];
      const [dropped, whole] = [true, false].map((training) =>
        tf.tidy(() => Array.from(run(model, rows, training).hidden.dataSync())),
      );
      for (const [i, value] of whole!.slice(0, 8).entries()) expect(dropped![i]).toBeCloseTo(value, 6);
      expect(dropped!.slice(8)).not.toEqual(whole!.slice(8));
      model.dispose();
    });

    test("penalties are the formulas of the paper, with their gradients, and none in evaluation", () => {
      const model = make(kind, { activationPenalty: 2, temporalPenalty: 3 });
      const [B, T, U] = [2, 5, 8];
      const rows = [someIds(T, 11, 1), someIds(T, 11, 2)];
      tf.tidy(() => {
        const { hidden, penalty } = run(model, rows);
        const h = tf.reshape(hidden, [B, T, U]).arraySync() as number[][][];
        const squares = h.flat(2).map((x) => x * x);
        const changes = h.flatMap((row) =>
          row.slice(1).flatMap((step, t) => step.map((x, u) => (x - row[t]![u]!) ** 2)),
        );
        const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
        expect(penalty!.dataSync()[0]).toBeCloseTo(2 * mean(squares) + 3 * mean(changes), 5);
        expect(run(model, rows, false).penalty).toBeUndefined();
        expect(Array.from(run(model, rows, false).hidden.dataSync())).toEqual(Array.from(hidden.dataSync()));
        const { layers } = model.params.trunk as RecurrentParams;
        const kernel = layers[1]!.recurrentKernel as tf.Variable<tf.Rank.R2>;
        const { grads } = tf.variableGrads(() => run(model, rows).penalty!, [kernel]);
        const gradient = grads[kernel.name]!;
        const values = kernel.dataSync().slice();
        const at = (step: number): number => {
          kernel.assign(tf.add(tf.tensor(values, kernel.shape as [number, number]), tf.mul(gradient, step)));
          return run(model, rows).penalty!.dataSync()[0]!;
        };
        const squaredNorm = tf.sum(tf.square(gradient)).dataSync()[0]!;
        const step = 1e-2 / Math.sqrt(squaredNorm);
        // Central differences of a float32: 1e-7 over a way of 2e-2, and the formula's own error of step² = 1e-4.
        expect((at(step) - at(-step)) / (2 * step) / squaredNorm).toBeCloseTo(1, 2);
      });
      model.dispose();
    });
  });
});
