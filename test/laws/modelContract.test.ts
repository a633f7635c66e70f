// What holds for every language model, whatever its family, head and engine.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { namedVariables } from "../../src/engine/params.ts";
import { createRandomStream, randomKey } from "../../src/engine/random.ts";
import { withoutOptions } from "../../src/lm/heads/loss.ts";
import { headOf } from "../../src/lm/heads/table.ts";
import { createInitializer } from "../../src/lm/init.ts";
import { createModel, type LanguageModel } from "../../src/lm/model.ts";
import { TrainingConfig } from "../../src/training/config.ts";
import { createOptimizer } from "../../src/training/optimizer.ts";
import { activate, isSlow, testedEngines } from "../support/engines.ts";
import { tensorsLeft } from "../support/leaks.ts";
import { everyModel, idsTensor, lossesOf, shake, someIds, someModels, tinyConfig } from "../support/models.ts";
import { read, readAll, readRows } from "../support/read.ts";

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** A model with parameters of size 0.3, so that no law holds only because everything is near zero. */
function withModel<T>(kind: string, head: string, use: (model: LanguageModel) => T, changes: object = {}): T {
  const model = createModel(tinyConfig(kind, head, changes), 3);
  shake(model, 0.3);
  const result = use(model);
  if (result instanceof Promise) return result.finally(() => model.dispose()) as T;
  model.dispose();
  return result;
}

/** Mean loss over two fixed rows, and the gradient of every parameter by name; a pure function of kind and head. */
async function gradientsOf(
  model: LanguageModel,
): Promise<{ loss: () => Promise<number>; gradients: Map<string, Float32Array> }> {
  const rows = [someIds(9, 11, 1), someIds(9, 11, 2)];
  const variables = namedVariables(model.params);
  const scalar = (): tf.Scalar => {
    const inputs = idsTensor(rows.map((row) => row.slice(0, -1)));
    return tf.mean(model.nll(inputs, idsTensor(rows.map((row) => row.slice(1)))));
  };
  const values = await readAll(() => {
    const { grads } = tf.variableGrads(scalar, [...variables.values()]);
    return [...variables.values()].map(({ name }) => grads[name]!);
  });
  const gradients = new Map([...variables.keys()].map((path, i) => [path, values[i]!]));
  return { loss: async () => (await read(scalar))[0]!, gradients };
}

const norm = (values: Float32Array): number => Math.hypot(...values);

describe.each(testedEngines)("on %s", (engine) => {
  beforeAll(() => activate(engine));

  const slow = isSlow(engine);
  describe.each(slow ? someModels : everyModel)("$name", ({ kind, head }) => {
    const family = tinyConfig(kind, head).kind;
    test("a fresh model's loss is ln V, whatever the size of the vocabulary", async () => {
      for (const vocabSize of [2, 11, 300]) {
        const model = createModel(tinyConfig(kind, head, { vocabSize }), 1);
        const losses = (await lossesOf(model, [someIds(9, vocabSize), someIds(9, vocabSize, 2)])).flat();
        // Fresh logits are not zero but of size 0.02 · √E = 0.06.
        expect(Math.abs(mean(losses) - Math.log(vocabSize))).toBeLessThan(0.05);
        model.dispose();
      }
    });

    const learnsByHeart = async (): Promise<void> => {
      // With a handful of units Adam's first steps saturate a recurrent layer.
      const wide = family === "transformer" ? {} : { embedSize: 16, hiddenSizes: [24, 16] };
      const model = createModel(tinyConfig(kind, head, wide), 1);
      const variables = namedVariables(model.params);
      const optimizer = createOptimizer(variables, TrainingConfig.parse({ optimizer: { weightDecay: 0 } }).optimizer);
      const row = someIds(9, 11, 5);
      const learn = (step: number): tf.Scalar => {
        const loss = (): tf.Scalar =>
          tf.mean(model.loss(idsTensor([row.slice(0, -1)]), idsTensor([row.slice(1)]), withoutOptions));
        const { value, grads } = tf.variableGrads(loss, [...variables.values()]);
        optimizer.update(
          step,
          0.02,
          [...variables.values()].map(({ name }) => grads[name]!),
        );
        return value;
      };
      const [steps, enough] = slow ? [15, 2] : [400, 0.04]; // from ln 11 = 2.4
      for (let step = 1; step <= steps; step++) if ((await read(() => learn(step)))[0]! < enough) break;
      expect(mean((await lossesOf(model, [row]))[0]!)).toBeLessThan(enough + 0.01);
      optimizer.dispose();
      model.dispose();
    };
    if (!slow || head === "softmax") test("it learns one short sequence by heart", learnsByHeart);

    test("later tokens do not change earlier losses, not by a bit", () =>
      withModel(kind, head, async (model) => {
        const row = someIds(9, 11);
        const all = (await lossesOf(model, [row]))[0]!;
        for (let changed = 1; changed < row.length; changed++) {
          const other = row.map((id, i) => (i < changed ? id : (id + 1 + i) % 11));
          const losses = (await lossesOf(model, [other]))[0]!;
          expect(losses.slice(0, changed - 1)).toEqual(all.slice(0, changed - 1));
        }
      }));

    test("an earlier token does change later losses", () =>
      withModel(kind, head, async (model) => {
        const row = someIds(9, 11);
        const other = [(row[0]! + 1) % 11, ...row.slice(1)];
        const [[a], [b]] = [await lossesOf(model, [row]), await lossesOf(model, [other])];
        expect(Math.abs(a!.at(-1)! - b!.at(-1)!)).toBeGreaterThan(1e-4);
      }));

    test("the order and size of a batch do not change a row's losses", () =>
      withModel(kind, head, async (model) => {
        const rows = [1, 2, 3, 4, 5].map((seed) => someIds(9, 11, seed));
        const together = await lossesOf(model, rows);
        const turned = (await lossesOf(model, rows.toReversed())).toReversed();
        for (const [i, row] of rows.entries())
          for (const [t, loss] of (await lossesOf(model, [row]))[0]!.entries()) {
            expect(together[i]![t]).toBeCloseTo(loss, 5);
            expect(turned[i]![t]).toBeCloseTo(loss, 5);
          }
      }));

    test("a token's loss is the negative of its log-probability from `next`", () =>
      withModel(kind, head, async (model) => {
        const row = someIds(9, 11);
        const losses = (await lossesOf(model, [row]))[0]!;
        for (const [t, loss] of losses.entries()) {
          const { logProbs } = await model.next(row.slice(0, t + 1));
          expect(-logProbs[row[t + 1]!]!).toBeCloseTo(loss, 5);
        }
      }));

    test("a token's loss is the negative of its log-probability among all positions at once, some rows at a time", () =>
      withModel(kind, head, async (model) => {
        const rows = [someIds(9, 11, 4), someIds(9, 11, 5)];
        const losses = (await lossesOf(model, rows)).flat();
        const states = tf.tidy(() => model.hidden(idsTensor(rows.map((row) => row.slice(0, -1))))); // [B·T, E]
        const targets = rows.flatMap((row) => row.slice(1));
        for (const [start, count] of [
          [0, 16],
          [3, 5],
        ] as const) {
          const logProbs = await readRows(() => model.logProbs(tf.slice2d(states, [start, 0], [count, -1])));
          for (const [i, row] of logProbs.entries())
            expect(row[targets[start + i]!]).toBeCloseTo(-losses[start + i]!, 5);
        }
        states.dispose();
      }));

    test("probabilities sum to one, and so do mixture weights", () =>
      withModel(
        kind,
        head,
        async (model) => {
          const { logProbs, mixture } = await model.next(someIds(5, 300));
          expect(logProbs).toHaveLength(300);
          expect(logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 5);
          if (!head.startsWith("mo")) expect(mixture).toBeUndefined();
          else expect(mixture!.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
        },
        { vocabSize: 300 },
      ));

    test("of a long text the last tokens that fit the window are seen, or all, and it says which", () =>
      withModel(kind, head, async (model) => {
        const long = someIds(20, 11);
        const whole = await model.next(long);
        const end = await model.next(long.slice(-8));
        if (family === "transformer") expect(whole.logProbs).toEqual(end.logProbs);
        else expect(whole.logProbs).not.toEqual(end.logProbs);
        expect([whole.windowed, end.windowed]).toEqual([family === "transformer", false]);
      }));

    test("texts read in pieces, each going on from the state before, cost what they cost as a whole", () =>
      withModel(kind, head, async (model) => {
        if (model.initialState(2).length === 0) return expect(family).toBe("transformer");
        const rows = [someIds(9, 11, 1), someIds(9, 11, 2)];
        const whole = await lossesOf(model, rows);
        const pieces = [0, 1, 2, 6, 8];
        const losses = await readAll(() => {
          let state = model.initialState(2);
          return pieces.slice(1).map((to, i) => {
            const piece = (shift: number) => idsTensor(rows.map((row) => row.slice(pieces[i]! + shift, to + shift)));
            const next = model.losses(piece(0), piece(1), { state });
            state = next.state;
            return next.losses;
          });
        });
        for (const [i, to] of pieces.slice(1).entries()) {
          const expected = whole.flatMap((row) => row.slice(pieces[i], to));
          for (const [n, loss] of losses[i]!.entries()) expect(loss).toBeCloseTo(expected[n]!, 5);
        }
      }));

    test("each parameter's gradient equals central differences of the loss", () =>
      withModel(kind, head, async (model) => {
        const { loss, gradients } = await gradientsOf(model);
        const way = kind.startsWith("sparsemax") ? 1e-3 : 1e-2; // the gradient of sparsemax jumps where a position drops out
        for (const [i, [name, variable]] of [...namedVariables(model.params)].entries()) {
          if (slow && i % 6 > 0) continue;
          const gradient = gradients.get(name)!;
          const random = createRandomStream(randomKey(2, name));
          const noise = gradient.map(() => random.normal());
          const direction = noise.map((x) => x / norm(noise)); // a direction of length 1
          const values = (await variable.data<"float32">()).slice();
          const lossAt = async (step: number): Promise<number> => {
            const moved = values.map((value, i) => value + step * direction[i]!);
            tf.tidy(() => variable.assign(tf.tensor(moved, variable.shape)));
            return loss();
          };
          const slope = ((await lossAt(way)) - (await lossAt(-way))) / (2 * way);
          await lossAt(0);
          const expected = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0);
          // The loss is a float32 (2e-7 of about 3, twice over twice the way), the difference formula errs by way² = 1e-4 at most.
          expect(Math.abs(slope - expected), name).toBeLessThan(1e-3 * Math.max(0.2, norm(gradient)) + 2e-7 / way);
        }
      }));

    test("dropout takes part in training alone, and its mask is a function of the key", () =>
      withModel(
        kind,
        head,
        async (model) => {
          const [inputs, targets] = [idsTensor([someIds(8, 11)]), idsTensor([someIds(8, 11, 2)])];
          const losses = (key?: [number, number]) => read(() => model.nll(inputs, targets, key));
          expect(await losses([1, 2])).toEqual(await losses([1, 2]));
          expect(await losses([1, 2])).not.toEqual(await losses([1, 3]));
          expect(await losses()).toEqual(await losses());
          expect(await losses()).not.toEqual(await losses([1, 2]));
          tf.dispose([inputs, targets]);
        },
        { dropout: 0.5 },
      ));

    test("nothing is left behind: neither by a model's life, nor by losses, gradients, next tokens", async () => {
      expect(await tensorsLeft(() => createModel(tinyConfig(kind, head), 1).dispose())).toBe(0);
      await withModel(kind, head, async (model) => {
        expect(await tensorsLeft(() => lossesOf(model, [someIds(9, 11)]))).toBe(0);
        expect(await tensorsLeft(() => gradientsOf(model))).toBe(0);
        expect(await tensorsLeft(() => model.next([1, 2, 3]))).toBe(0);
      });
    });

    test("fresh parameters are a function of the seed", async () => {
      const [a, b, c] = [1, 1, 2].map((seed) => createModel(tinyConfig(kind, head), seed));
      const table = (model: LanguageModel) => model.params.trunk.tokenEmbedding.data();
      expect(await table(a!)).toEqual(await table(b!));
      expect(await table(a!)).not.toEqual(await table(c!));
      for (const model of [a!, b!, c!]) model.dispose();
    });
  });

  describe("mixtures", () => {
    const make = (K: number) => {
      const config = { kind: "mos", mixtures: K } as const;
      const head = headOf(config);
      return {
        config,
        head,
        params: head.init(config, { embedSize: 6, vocabSize: 13 }, createInitializer(K)) as never,
      };
    };
    const random = createRandomStream(randomKey(7, "mixtures"));
    const normals = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());
    const inputs = { hidden: normals(5 * 6), table: normals(13 * 6), projection: normals(36), offset: normals(6) };

    /** Losses and log-probabilities of five rows under a head whose components all have the same projection. */
    async function resultsOf(K: number) {
      const { config, head, params } = make(K);
      const { projection } = params as { projection: { kernel: tf.Variable; bias: tf.Variable } };
      const results = await readAll(() => {
        projection.kernel.assign(tf.tile(tf.tensor2d(inputs.projection, [6, 6]), [1, K]));
        projection.bias.assign(tf.tile(tf.tensor1d(inputs.offset), [K]));
        const [hidden, table] = [tf.tensor2d(inputs.hidden, [5, 6]), tf.tensor2d(inputs.table, [13, 6])];
        const targets = tf.tensor1d([0, 3, 12, 7, 7], "int32");
        const parts = { config, params, output: { table, softcap: 0, scale: 1 } };
        return [head.nll(parts, hidden, targets), head.logProbs(parts, hidden)];
      });
      tf.dispose(params as never);
      return results;
    }

    /** The softmax head over `tanh(U h + c)`. */
    const softmaxResults = () =>
      readAll(() => {
        const [hidden, table] = [tf.tensor2d(inputs.hidden, [5, 6]), tf.tensor2d(inputs.table, [13, 6])];
        const mapped = tf.tanh(
          tf.add(tf.matMul(hidden, tf.tensor2d(inputs.projection, [6, 6])), tf.tensor1d(inputs.offset)),
        ) as tf.Tensor2D;
        const softmax = headOf({ kind: "softmax" });
        const targets = tf.tensor1d([0, 3, 12, 7, 7], "int32");
        const parts = { config: { kind: "softmax" } as const, params: {}, output: { table, softcap: 0, scale: 1 } };
        return [softmax.nll(parts, mapped, targets), softmax.logProbs(parts, mapped)];
      });

    test.each([1, 2, 5])("a mixture of %i equal components is the one softmax of the component", async (K) => {
      const [mixture, softmax] = [await resultsOf(K), await softmaxResults()];
      for (const [i, expected] of softmax.entries())
        for (const [n, value] of expected.entries()) expect(mixture[i]![n]).toBeCloseTo(value, 5);
    });
  });
});

describe("engines among themselves", () => {
  test.each(everyModel)("$name has the same losses and gradients on every engine as on cpu", async ({ kind, head }) => {
    const resultsOn = async (engine: string) => {
      await activate(engine);
      return withModel(kind, head, async (model) => {
        const { loss, gradients } = await gradientsOf(model);
        return { loss: await loss(), gradients };
      });
    };
    const cpu = await resultsOn("cpu");
    for (const engine of testedEngines.filter((name) => name !== "cpu")) {
      const other = await resultsOn(engine);
      expect(other.loss, engine).toBeCloseTo(cpu.loss, 5);
      for (const [name, expected] of cpu.gradients) {
        const difference = expected.map((value, i) => value - other.gradients.get(name)![i]!);
        // Two orders of summation in float32 through a whole model and back.
        expect(norm(difference), `${engine}: ${name}`).toBeLessThan(1e-4 * Math.max(1e-2, norm(expected)));
      }
    }
  });
});
