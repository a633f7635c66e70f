// Members of an ensemble read from models: what they predict is what each model predicts on its own, masks included.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { measureEnsemble } from "../../src/calibration/ensemble.ts";
import { createModel, type LanguageModel } from "../../src/lm/model.ts";
import { type Member, maskedMembers, memberPredictions } from "../../src/training/memberPredictions.ts";
import { activate } from "../support/engines.ts";
import { tensorsLeft } from "../support/leaks.ts";
import { idsTensor, lossesOf, shake, someIds, tinyConfig } from "../support/models.ts";

beforeAll(() => activate("native"));

const ids = Int32Array.from(someIds(22, 11)); // windows of 8, 8 and 5 targets
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function made(kind: string, seed: number, changes: object = {}): LanguageModel {
  const model = createModel(tinyConfig(kind, "mos:4", changes), seed);
  shake(model, 0.3, seed);
  return model;
}

const lossesOfMember = async (members: readonly Member[], which: number): Promise<number[]> => {
  const losses: number[] = [];
  for await (const batch of memberPredictions(members, { ids, batchSize: 2 }).batches())
    for (const [n, target] of batch.targets.entries()) losses.push(-batch.members[which]![n * 11 + target]!);
  return losses;
};

test("each member's predictions are those of its own losses, in windows of the shortest context; no tensor stays", async () => {
  const members = [
    { model: made("transformer", 1) },
    { model: made("lstm", 2) },
    { model: made("gru", 3, { contextLength: 30 }) },
  ];
  const { classes, count, contextLength } = memberPredictions(members, { ids, batchSize: 2 });
  expect([classes, count, contextLength]).toEqual([11, 21, 8]);
  const rows = [Array.from(ids.subarray(0, 9)), Array.from(ids.subarray(8, 17))];
  for (const [m, { model }] of members.entries()) {
    const wanted = [
      ...(await lossesOf(model, rows)),
      ...(await lossesOf(model, [Array.from(ids.subarray(16))])),
    ].flat();
    expect(await tensorsLeft(() => lossesOfMember(members, m))).toBe(0);
    for (const [n, loss] of (await lossesOfMember(members, m)).entries()) expect(loss).toBeCloseTo(wanted[n]!, 5);
  }
  for (const { model } of members) model.dispose();
});

describe.each([
  ["transformer", { dropout: 0.3 }],
  ["lstm", { dropout: 0.2, weightDropout: 0.3 }],
])("dropout masks of a %s", (kind, changes) => {
  test("are members that differ, the same at every reading, and their averages are what the definition says", async () => {
    const model = made(kind, 4, changes);
    const members = maskedMembers(model, 3, 7);
    const read = () => measureEnsemble(memberPredictions(members, { ids, batchSize: 2, single: model }), { draws: 20 });
    const result = await read();
    expect(await read()).toEqual(result);
    // The same by hand: probabilities of each masked pass over the first window, from the model itself.
    const first = ids.subarray(0, 9);
    const passes = members.map(({ masks }) => probabilities(model, first, masks!(0)));
    expect(passes[0]).not.toEqual(passes[1]);
    const byHand = Array.from({ length: 8 }, (_, n) => mean(passes.map((rows) => rows[n]![first[n + 1]!]!)));
    const alone = memberPredictions(members, { ids: first, batchSize: 1, single: model });
    const { means, singleNll, memberNlls } = await measureEnsemble(alone, { draws: 0 });
    expect(means.probabilityNll).toBeCloseTo(mean(byHand.map((p) => -Math.log(p))), 5);
    for (const [m, rows] of passes.entries())
      expect(memberNlls[m]).toBeCloseTo(mean(rows.map((row, n) => -Math.log(row[first[n + 1]!]!))), 5);
    expect(singleNll).toBeCloseTo(mean((await lossesOf(model, [Array.from(first)]))[0]!), 5);
    expect(means.mutualInformation).toBeGreaterThan(1e-4);
    expect(await tensorsLeft(read)).toBe(0);
    model.dispose();
  });

  test("another seed gives other masks, the same seed the same", async () => {
    const model = made(kind, 5, changes);
    const nll = async (seed: number) =>
      (await measureEnsemble(memberPredictions(maskedMembers(model, 2, seed), { ids, batchSize: 2 }), { draws: 0 }))
        .means.memberNll;
    expect(await nll(1)).toBe(await nll(1));
    expect(await nll(2)).not.toBe(await nll(1));
    model.dispose();
  });
});

test("masks of a model without dropout are all the same model", async () => {
  const model = made("transformer", 6);
  const { means, singleNll } = await measureEnsemble(
    memberPredictions(maskedMembers(model, 3, 1), { ids, batchSize: 2, single: model }),
  );
  expect(means.mutualInformation).toBeLessThan(1e-9);
  expect(means.probabilityNll).toBeCloseTo(singleNll!, 9);
  model.dispose();
});

/** `[T][V]`, by softmax-free means: the exponentials of what the head gives for the hidden states of a masked pass. */
function probabilities(model: LanguageModel, window: Int32Array, key: readonly [number, number]): number[][] {
  return tf.tidy(() => {
    const states = model.hidden(idsTensor([Array.from(window.subarray(0, -1))]), key);
    return tf.exp(model.logProbs(states)).arraySync() as number[][];
  });
}
