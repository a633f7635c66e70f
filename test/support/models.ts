/** @file Small models and ids for the laws. */
import * as tf from "@tensorflow/tfjs";
import { namedVariables } from "../../src/engine/params.ts";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";
import type { BT } from "../../src/engine/shapes.ts";
import { type ModelConfig, parseModelConfig } from "../../src/lm/config.ts";
import { parseHead } from "../../src/lm/heads/shortForm.ts";
import type { LanguageModel } from "../../src/lm/model.ts";
import { read } from "./read.ts";

/** Every family of models, and the transformer with all its options; two layers each, the last recurrent one of another size. */
const tinyModels: Readonly<Record<string, object>> = {
  transformer: { kind: "transformer", layers: 2, heads: 2 },
  lstm: { kind: "lstm", hiddenSizes: [7, 6] },
  gru: { kind: "gru", hiddenSizes: [7, 6] },
  "rotary, RMS norm, SwiGLU": {
    ...{ kind: "transformer", layers: 2, heads: 2 },
    ...{ positions: "rotary", norm: "rms", feedForward: "swiglu", feedForwardSize: 13 },
  },
  "no positions": { kind: "transformer", layers: 2, heads: 2, positions: "none" },
  "softmax1, ALiBi, grouped queries": {
    ...{ kind: "transformer", layers: 2, heads: 4, keyValueHeads: 2 },
    ...{ attention: "softmax1", positions: "alibi" },
  },
  "sigmoid, rotary, one key for all, in a window": {
    ...{ kind: "transformer", layers: 2, heads: 2, keyValueHeads: 1 },
    ...{ attention: "sigmoid", positions: "rotary", window: 6 },
  },
  "rotary, grouped queries": { kind: "transformer", layers: 2, heads: 4, keyValueHeads: 2, positions: "rotary" },
  "sparsemax in a window": { kind: "transformer", layers: 2, heads: 2, attention: "sparsemax", window: 7 },
  "entmax15, ALiBi": { kind: "transformer", layers: 2, heads: 2, attention: "entmax15", positions: "alibi" },
};
export const families = ["transformer", "lstm", "gru"] as const;
export const heads = ["softmax", "mos:1", "mos:4", "moc:3", "sigsoftmax", "adaptive:1", "sigmoid"] as const;

/** Families with every head that is tested, options with one. */
export const everyModel = Object.keys(tinyModels).flatMap((kind) =>
  (families.some((family) => family === kind) ? heads : heads.slice(0, 1)).map((head) => ({
    kind,
    head,
    name: `${kind} × ${head}`,
  })),
);

/** Every family and every head once or more; no options. */
export const someModels = everyModel.filter(({ name }) =>
  [
    ...["transformer × softmax", "transformer × mos:4", "transformer × adaptive:1", "transformer × sigmoid"],
    ...["lstm × softmax", "lstm × sigsoftmax", "gru × mos:1", "gru × moc:3"],
  ].includes(name),
);

/** V = 11, T = 8, E = 8, unless told otherwise. */
export const tinyConfig = (kind: string, head: string, changes: object = {}): ModelConfig =>
  parseModelConfig({
    vocabSize: 11,
    contextLength: 8,
    embedSize: 8,
    ...tinyModels[kind],
    head: parseHead(head),
    ...changes,
  });

/** `count` ids below `V`, fixed by `seed`. */
export function someIds(count: number, V: number, seed = 1): number[] {
  const random = createRandomStream(randomKey(seed, "ids"));
  return Array.from({ length: count }, () => random.below(V));
}

export const idsTensor = (rows: readonly (readonly number[])[]): BT =>
  tf.tensor2d(
    rows.map((row) => [...row]),
    [rows.length, rows[0]!.length],
    "int32",
  );

/** Losses of rows of ids in nats, each token predicted from those before it in its row: `[rows, length − 1]`. */
export async function lossesOf(model: LanguageModel, rows: readonly (readonly number[])[]): Promise<number[][]> {
  const T = rows[0]!.length - 1;
  const flat = await read(() => {
    const inputs = idsTensor(rows.map((row) => row.slice(0, -1)));
    return model.nll(inputs, idsTensor(rows.map((row) => row.slice(1))));
  });
  return rows.map((_, i) => Array.from(flat.slice(i * T, (i + 1) * T)));
}

/** Adds N(0, deviation²) to every parameter: a model as if trained, where no gradient is tiny by symmetry. */
export function shake(model: LanguageModel, deviation: number, seed = 1): void {
  for (const [name, variable] of namedVariables(model.params)) {
    const random = createRandomStream(randomKey(seed, `shake/${name}`));
    tf.tidy(() => {
      const noise = Float32Array.from({ length: variable.size }, () => deviation * random.normal());
      variable.assign(tf.add(variable, tf.tensor(noise, variable.shape)));
    });
  }
}
