/** @file One token of a text: read, filtered, drawn, as `softbox generate` does it; prompt and text go on in turn. */
import * as tf from "@tensorflow/tfjs";
import { parseModelConfig } from "../../../dist/lm/config.js";
import { headOf } from "../../../dist/lm/heads/table.js";
import { createReader, prepareForReading } from "../../../dist/lm/reader.js";
import { trunkOf } from "../../../dist/lm/trunks/table.js";
import { lookAhead } from "../../../dist/sampling/distribution.js";
import { drawFrom } from "../../../dist/sampling/sample.js";
import { parseSamplingSettings } from "../../../dist/sampling/settings.js";
import { noise, noiseIds } from "../noise.mjs";

/** Parameters that look random, made quickly: a hundred million and more of them. */
function quickInitializer() {
  const variable = (values, shape) => tf.tidy(() => tf.variable(tf.tensor(values, shape)));
  const size = (shape) => shape.reduce((a, b) => a * b, 1);
  const normal = (_name, shape, deviation) => variable(noise(size(shape), deviation), shape);
  const constant = (shape, value) => variable(new Float32Array(size(shape)).fill(value), shape);
  const linear = (name, inputs, outputs, deviation) => ({
    kernel: normal(name, [inputs, outputs], deviation),
    bias: constant([outputs], 0),
  });
  return { normal, constant, linear };
}

export function prepareDecoding({ vocabulary, context, width, layers, heads, prompt, tokens }) {
  const shape = { vocabSize: vocabulary, contextLength: context, embedSize: width, layers, heads };
  const config = parseModelConfig({ kind: "transformer", ...shape });
  const make = quickInitializer();
  const params = {
    trunk: trunkOf(config).init(config, make),
    head: headOf(config.head).init(config.head, width, make),
    output: {},
  };
  prepareForReading({ config, params });
  const reader = createReader({ config, params });
  const settings = parseSamplingSettings({ temperature: 0.8, topK: 40 });
  const ids = [...noiseIds(prompt, vocabulary)];
  return async () => {
    if (ids.length === prompt + tokens) ids.length = prompt;
    const { logProbs } = await reader.next(ids);
    ids.push(drawFrom(lookAhead(logProbs, settings).final, 1, ids.length).id);
  };
}
