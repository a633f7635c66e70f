// A classifier of handwritten digits, with the softmax as a layer or inside the loss: the same to learn. Then: how sure is it?
import * as tf from "@tensorflow/tfjs";
import { fitRepair, inMemory, linearCrossEntropy, logSoftmax, measure, rowRepair, softmax, useEngine } from "softbox";
import { type Digits, loadDigits, showDigit } from "./digitsData.ts";

const epochs = Number(process.argv[2] ?? 20);
const [features, hidden, batch] = [784, 256, 100];
type Losses = (h: tf.Tensor2D, table: tf.Tensor2D, y: tf.Tensor1D) => tf.Tensor;

/** −log p of the right digit, `[N]`, where the model's last layer is a softmax. */
const softmaxLayer: Losses = (h, table, y) => {
  const probabilities = tf.softmax(tf.matMul(h, table, false, true)); // [N, 10]
  return tf.neg(tf.log(tf.sum(tf.mul(probabilities, tf.oneHot(y, 10)), 1)));
};
/** The same as `logsumexp z − z_y` of scores z: nothing rounds to 0 on the way. */
const fromLogits: Losses = (h, table, y) => linearCrossEntropy(h, table, y);

/** Learns `z = relu(x W + b) Vᵀ`; gives the scores of other images, ten each. */
function trainClassifier(losses: Losses, { images, labels }: Digits) {
  const normal = (shape: [number, number], deviation: number) =>
    tf.variable(tf.randomNormal<tf.Rank.R2>(shape, 0, deviation, "float32", 1));
  const [W, b, V] = [normal([features, hidden], 0.05), tf.variable(tf.zeros([hidden])), normal([10, hidden], 0.1)];
  const h = (x: tf.Tensor2D) => tf.relu(tf.add(tf.matMul(x, W), b)) as tf.Tensor2D; // [N, hidden]
  const optimizer = tf.train.adam(0.002);
  for (let step = 0; step < (epochs * labels.length) / batch; step++)
    tf.tidy(() => {
      const at = (step * batch) % (labels.length - batch);
      const x = tf.tensor2d(images.subarray(at * features, (at + batch) * features), [batch, features]);
      const y = tf.tensor1d(labels.subarray(at, at + batch), "int32");
      optimizer.minimize(() => tf.mean(losses(h(x), V, y)) as tf.Scalar);
    });
  return ({ images: others, labels: { length: N } }: Digits) =>
    tf.tidy(() =>
      tf
        .matMul(h(tf.tensor2d(others, [N, features])), V, false, true)
        .dataSync<"float32">()
        .slice(),
    );
}

const row = (scores: Float32Array, n: number) => scores.subarray(10 * n, 10 * n + 10);
const predictions = (scores: Float32Array, { labels }: Digits) =>
  inMemory(10, Float32Array.from([...labels.keys()].flatMap((n) => [...logSoftmax(row(scores, n))])), labels);

console.log(`engine: ${(await useEngine()).description}`);
const [learned, kept, unseen] = [loadDigits([0, 1, 2, 3, 4, 5, 6]), loadDigits([7]), loadDigits([8, 9])];
const layered = await measure(predictions(trainClassifier(softmaxLayer, learned)(unseen), unseen));
const classify = trainClassifier(fromLogits, learned);
const scores = classify(unseen);
const before = await measure(predictions(scores, unseen));
const repair = await fitRepair("temperature", predictions(classify(kept), kept));
const after = await measure(predictions(scores, unseen), rowRepair(repair));

const told = ({ metrics: { accuracy, nll, ece } }: typeof after) =>
  `accuracy ${(100 * accuracy.value).toFixed(1)} %  NLL ${nll.value.toFixed(4)}  ECE ${ece.value.toFixed(4)}`;
console.log(`${unseen.labels.length} digits that it has not seen:`);
console.log(`softmax as a layer    ${told(layered)}`);
console.log(`loss from logits      ${told(before)}`);
console.log(`at temperature ${"temperature" in repair ? repair.temperature.toFixed(2) : ""}   ${told(after)}`);
const sureness = Array.from(unseen.labels, (_, n) => Math.max(...softmax(row(scores, n))));
const n = sureness.indexOf(Math.min(...sureness));
console.log(`\nwhere it is least sure (a ${unseen.labels[n]}):`);
for (const line of showDigit(unseen.images.subarray(n * 784, (n + 1) * 784), softmax(row(scores, n))))
  console.log(line);
