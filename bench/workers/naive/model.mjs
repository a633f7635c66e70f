/**
 * @file The same transformer in tfjs's core operations only, as a beginner would write it. No fused operations; embedding by a
 * product with one-hot rows, for tfjs's wasm backend lacks the gradient of `gather`.
 */
import * as tf from "@tensorflow/tfjs";

const normal = (shape) => tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 0.02, "float32", 1)));
const constant = (shape, value) => tf.tidy(() => tf.variable(tf.fill(shape, value)));
const createLinear = (inputs, outputs) => ({ kernel: normal([inputs, outputs]), bias: constant([outputs], 0) });
const createNorm = (width) => ({ gain: constant([width], 1), bias: constant([width], 0) });

/** Fresh parameters. */
export function createNaiveModel({ vocabulary, context, width, layers, heads }) {
  const createBlock = () => ({
    attentionNorm: createNorm(width),
    qkv: createLinear(width, 3 * width),
    output: createLinear(width, width),
    feedForwardNorm: createNorm(width),
    expand: createLinear(width, 4 * width),
    contract: createLinear(4 * width, width),
  });
  return {
    heads,
    vocabulary,
    tokens: normal([vocabulary, width]),
    positions: normal([context, width]),
    blocks: Array.from({ length: layers }, createBlock),
    norm: createNorm(width),
  };
}

const linear = (x, { kernel, bias }) => tf.add(tf.matMul(x, kernel), bias);

function layerNorm(x, { gain, bias }) {
  const { mean, variance } = tf.moments(x, -1, true);
  const standard = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
  return tf.add(tf.mul(standard, gain), bias);
}

function gelu(x) {
  const cubic = tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(cubic, Math.sqrt(2 / Math.PI))), 1));
}

/** `x` is `[B·T, E]`. */
function attention(x, block, heads, [B, T]) {
  const E = x.shape[1];
  const [q, k, v] = tf
    .split(linear(x, block.qkv), 3, 1)
    .map((part) => tf.transpose(tf.reshape(part, [B, T, heads, E / heads]), [0, 2, 1, 3])); // [B, H, T, D]
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(E / heads)); // [B, H, T, T]
  const future = tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([T, T]), -1, 0)), -1e9); // [T, T]
  const mixed = tf.matMul(tf.softmax(tf.add(scores, future)), v); // [B, H, T, D]
  return linear(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [B * T, E]), block.output);
}

/** Mean nats per token; inputs and targets `[B, T]`. */
export function naiveLoss(model, inputs, targets) {
  const [B, T] = inputs.shape;
  const oneHot = (ids) => tf.oneHot(tf.reshape(ids, [B * T]), model.vocabulary); // [B·T, V]
  const embedded = tf.matMul(tf.cast(oneHot(inputs), "float32"), model.tokens); // [B·T, E]
  let x = tf.add(embedded, tf.tile(model.positions, [B, 1])); // [B·T, E]
  for (const block of model.blocks) {
    x = tf.add(x, attention(layerNorm(x, block.attentionNorm), block, model.heads, [B, T]));
    x = tf.add(x, linear(gelu(linear(layerNorm(x, block.feedForwardNorm), block.expand)), block.contract));
  }
  const logits = tf.matMul(layerNorm(x, model.norm), model.tokens, false, true); // [B·T, V]
  return tf.losses.softmaxCrossEntropy(oneHot(targets), logits);
}
