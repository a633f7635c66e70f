/** @file Training steps of the naive model with tfjs's own Adam. */
import * as tf from "@tensorflow/tfjs";
import { noiseIds } from "../noise.mjs";
import { createNaiveModel, naiveLoss } from "./model.mjs";

export function createNaiveTraining(job) {
  const model = createNaiveModel(job);
  const optimizer = tf.train.adam(1e-3);
  const ids = (seed) =>
    tf.tensor2d(noiseIds(job.batch * job.context, job.vocabulary, seed), [job.batch, job.context], "int32");
  const inputs = ids(1);
  const targets = ids(2);
  return async () => {
    const loss = optimizer.minimize(() => naiveLoss(model, inputs, targets), true);
    const [nats] = await loss.data();
    loss.dispose();
    if (!Number.isFinite(nats)) throw new Error(`naive training: the loss is ${nats}`);
  };
}
