/** @file An output head alone: the mean loss of all tokens and its gradients in hidden states, output table and the head's own. */
import * as tf from "@tensorflow/tfjs";
import { namedVariables } from "../../../dist/engine/params.js";
import { headOf } from "../../../dist/lm/heads/table.js";
import { createInitializer } from "../../../dist/lm/init.js";
import { noise, noiseIds } from "../noise.mjs";

export function prepareHead({ tokens, width, vocabulary, mixtures }) {
  const config = mixtures ? { kind: "mos", mixtures } : { kind: "softmax" };
  const head = headOf(config);
  const params = head.init(config, { embedSize: width, vocabSize: vocabulary }, createInitializer(1));
  const [table, hidden] = tf.tidy(() => [
    tf.variable(tf.tensor2d(noise(vocabulary * width, 0.05), [vocabulary, width])),
    tf.variable(tf.tensor2d(noise(tokens * width), [tokens, width])),
  ]);
  const targets = tf.tensor1d(noiseIds(tokens, vocabulary), "int32");
  const variables = [hidden, table, ...namedVariables(params).values()];
  const parts = { config, params, output: { table, softcap: 0, scale: 1 } };
  const loss = () => tf.mean(head.nll(parts, hidden, targets));
  // The engine takes over what JavaScript made when a kernel first meets it; that is no memory of a step.
  tf.tidy(() => void head.nll(parts, tf.slice(hidden, [0, 0], [1, width]), tf.slice(targets, [0], [1])));
  return () => tf.tidy(() => void tf.variableGrads(loss, variables).value.dataSync());
}
