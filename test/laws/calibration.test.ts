// Calibration on text: the grammar's own truth is calibrated and tells its entropy; a model's stream of predictions is its loss.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { measureAnswers } from "../../src/calibration/binary.ts";
import { measure } from "../../src/calibration/measure.ts";
import { inMemory } from "../../src/calibration/predictions.ts";
import { fitTemperature } from "../../src/calibration/repairs/temperature.ts";
import { sigmoidsOf } from "../../src/lm/headParts.ts";
import { withoutOptions } from "../../src/lm/heads/loss.ts";
import { createModel } from "../../src/lm/model.ts";
import { type KnownEntropy, loadCorpus } from "../../src/text/corpus.ts";
import { wordsOf } from "../../src/text/sources/grammar.ts";
import { modelPredictions } from "../../src/training/predictions.ts";
import { activate } from "../support/engines.ts";
import { tensorsLeft } from "../support/leaks.ts";
import { idsTensor, lossesOf, shake, someIds, tinyConfig } from "../support/models.ts";

beforeAll(() => activate("native"));

test("the grammar's true distribution is found calibrated, its loss is its entropy; sharpened, its temperature is found", async () => {
  const corpus = await loadCorpus("grammar");
  const { text } = corpus;
  const truth = corpus.truth as KnownEntropy; // of words and sentences
  const lines = text.slice(0, 300_000).split("\n").slice(0, -1);
  const known = new Map<string, ReturnType<KnownEntropy["nextWords"]>>();
  const nextWords = (prefix: string) => {
    const next = known.get(prefix) ?? truth.nextWords(prefix);
    known.set(prefix, next);
    return next;
  };
  const words = lines.flatMap((line) => {
    const all = wordsOf(`${line}\n`);
    return all.map((word, i) => ({ word, next: nextWords(all.slice(0, i).join("")) }));
  });
  const ids = new Map<string, number>();
  for (const { text: word } of words.flatMap(({ next }) => next)) if (!ids.has(word)) ids.set(word, ids.size);
  const V = ids.size;
  const source = (sharpness: number) => {
    const rows = new Float64Array(words.length * V).fill(Number.NEGATIVE_INFINITY);
    for (const [n, { next }] of words.entries()) {
      const total = next.reduce((sum, { probability }) => sum + probability ** sharpness, 0);
      for (const { text: word, probability } of next)
        rows[n * V + ids.get(word)!] = Math.log(probability ** sharpness / total);
    }
    return inMemory(
      V,
      rows,
      Int32Array.from(words, ({ word }) => ids.get(word)!),
    );
  };
  const { nll, sharpness, ece, fullEce } = (await measure(source(1), undefined, { draws: 100 })).metrics;
  expect(Math.abs(nll.value - truth.natsPerWord)).toBeLessThan(0.05); // of some 60,000 words
  expect(Math.abs(sharpness.value - truth.natsPerWord)).toBeLessThan(0.05);
  expect(ece.lower).toBeLessThan(1e-3);
  expect(fullEce.lower).toBeLessThan(1e-3);
  const { temperature } = await fitTemperature(source(2));
  expect(Math.abs(temperature / 2 - 1)).toBeLessThan(0.01);
});

test("a model's predictions are those of its losses, twice the same, and no tensor stays", async () => {
  const model = createModel(tinyConfig("transformer", "mos:4"), 3);
  shake(model, 0.3);
  const ids = Int32Array.from(someIds(22, 11));
  const predictions = modelPredictions(model, { ids, batchSize: 2 });
  expect([predictions.classes, predictions.count]).toEqual([11, 21]);
  const read = async (): Promise<number[]> => {
    const losses: number[] = [];
    for await (const { logProbs, targets } of predictions.batches())
      for (const [n, target] of targets.entries()) losses.push(-logProbs[n * 11 + target]!);
    return losses;
  };
  expect(await tensorsLeft(read)).toBe(0);
  const losses = await read();
  expect(await read()).toEqual(losses);
  const rows = [0, 8].map((start) => Array.from(ids.subarray(start, start + 9)));
  const wanted = [...(await lossesOf(model, rows)), ...(await lossesOf(model, [Array.from(ids.subarray(16))]))].flat();
  for (const [n, loss] of losses.entries()) expect(loss).toBeCloseTo(wanted[n]!, 5);
  model.dispose();
});

test("a sigmoid head's answers cost what it is trained on, and their log-odds differ as its log-probabilities do", async () => {
  const model = createModel(tinyConfig("transformer", "sigmoid"), 3);
  shake(model, 0.3);
  const ids = Int32Array.from(someIds(17, 11)); // two windows of 8 targets
  const answers = modelPredictions(model, { ids, batchSize: 2, rows: sigmoidsOf(model) });
  const { metrics } = await measureAnswers(answers, undefined, { draws: 0 });
  const rows = [0, 8].map((start) => Array.from(ids.subarray(start, start + 9)));
  const trained = tf.tidy(() => {
    const [inputs, targets] = [rows.map((row) => row.slice(0, -1)), rows.map((row) => row.slice(1))].map(idsTensor);
    return tf.mean(model.loss(inputs!, targets!, withoutOptions)).dataSync()[0]!;
  });
  expect(metrics.nll.value).toBeCloseTo(trained, 4);
  const logProbs: number[] = [];
  for await (const batch of modelPredictions(model, { ids, batchSize: 2 }).batches()) logProbs.push(...batch.logProbs);
  const logOdds: number[] = [];
  for await (const batch of answers.batches())
    logOdds.push(...Array.from(batch.logProbs, (logP) => logP - Math.log(-Math.expm1(logP))));
  expect(logOdds).toHaveLength(16 * 11);
  for (const [i, z] of logOdds.entries()) {
    const first = i - (i % 11);
    expect(z - logOdds[first]!).toBeCloseTo(logProbs[i]! - logProbs[first]!, 4);
  }
  expect(sigmoidsOf(createModel(tinyConfig("lstm", "softmax"), 1))).toBeUndefined();
  model.dispose();
});
