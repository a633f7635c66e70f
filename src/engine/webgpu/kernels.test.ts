// Our WGSL kernels at sizes of several tiles against the cpu engine's composites, what they leave behind, and numbers that are none.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { activate, testedEngines, webgpuIsMissing } from "../../../test/support/engines.ts";
import { adamW } from "../ops/adamW.ts";
import { cachedAttention } from "../ops/cachedAttention.ts";
import { causalAttention } from "../ops/causalAttention.ts";
import { embed, embedTied } from "../ops/embed.ts";
import { layerNorm } from "../ops/layerNorm.ts";
import { linear, linearGelu } from "../ops/linear.ts";
import { linearCrossEntropy } from "../ops/linearCrossEntropy.ts";
import { linearLogSumExp } from "../ops/linearLogSumExp.ts";
import { rmsNorm } from "../ops/rmsNorm.ts";
import { createRandomStream, randomKey } from "../random.ts";
import type { WebgpuBackend } from "./device.ts";
import { allowSubgroups, hasSubgroups } from "./reductions.ts";

test("the WGSL kernels are tested, or it is said why not", () => {
  if (webgpuIsMissing) console.warn(`webgpu: not tested here: ${webgpuIsMissing}; npm run webgpu installs it`);
  expect(testedEngines.includes("webgpu")).toBe(webgpuIsMissing === undefined);
});

const random = createRandomStream(randomKey(7, "wgsl"));
const normals = (n: number, scale = 1): Float32Array => Float32Array.from({ length: n }, () => scale * random.normal());
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What `work` makes on an engine of arrays of these shapes. */
async function resultsOn(
  engine: string,
  arrays: Float32Array[],
  shapes: number[][],
  work: Work,
): Promise<Float32Array[]> {
  await activate(engine);
  tf.engine().startScope();
  try {
    const outputs = work(arrays.map((values, i) => tf.tensor(values.slice(), shapes[i]!)));
    return (await Promise.all(outputs.map((x) => x.data()))) as Float32Array[];
  } finally {
    tf.engine().endScope();
  }
}
type Work = (inputs: tf.Tensor[]) => tf.Tensor[];

/** Largest difference relative to the largest expected value (at least 1); infinite where one is not a number and the other is. */
function difference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  return expected.reduce((most, x, i) => {
    const apart = Math.abs(actual[i]! - x) / largest;
    return Math.max(most, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }, 0);
}

/** Both engines' results from the same random inputs are within float32 sums of each other. */
async function expectSame(shapes: number[][], work: Work, scale = 1): Promise<void> {
  const arrays = shapes.map((shape) => normals(sizeOf(shape), scale));
  const expected = await resultsOn("cpu", arrays, shapes, work);
  const actual = await resultsOn("webgpu", arrays, shapes, work);
  for (const [i, x] of actual.entries()) expect(difference(x, expected[i]!), `result ${i}`).toBeLessThan(2e-5); // sums of up to 1,000 float32 terms, twice
}

/** Values and gradients of a function of one result. */
const withGradients =
  (op: (...inputs: tf.Tensor[]) => tf.Tensor): Work =>
  (inputs) => {
    const mix = (y: tf.Tensor): tf.Tensor => tf.cos(tf.reshape(tf.range(0, y.size), y.shape));
    const { value, grads } = tf.valueAndGrads((...x: tf.Tensor[]) => {
      const y = op(...x);
      return tf.sum(tf.mul(y, mix(y))) as tf.Scalar;
    })(inputs);
    return [op(...inputs), value, ...grads];
  };

const backend = (): WebgpuBackend => tf.backend() as unknown as WebgpuBackend;

describe.each(testedEngines.filter((name) => name === "webgpu"))("on %s", (engine) => {
  beforeAll(() => activate(engine));

  test.each([
    [1, 1, 1],
    [3, 17, 65],
    [65, 33, 257],
    [130, 5, 1000],
  ])("the log-sum-exp of %d tokens of %d features over %d entries", async (N, E, V) => {
    const targets = Int32Array.from({ length: N }, () => random.below(V));
    const ids = (): tf.Tensor1D => tf.tensor1d(targets, "int32");
    const op = (h: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      linearCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, ids(), b as tf.Tensor1D);
    await expectSame([[N, E], [V, E], [V]], withGradients(op as never), 0.5);
  });

  test.each([
    [2, 65, 6, 2],
    [1, 17, 66, 1], // wider than what is in workgroup memory at a time
  ])(
    "attention of %d × %d positions, %d wide, %d heads",
    async (B, T, E, heads) => {
      await expectSame(
        [[B, T, 3 * E]],
        withGradients((qkv) => causalAttention(qkv as tf.Tensor3D, heads)),
      );
    },
    300_000,
  ); // a software adapter compiles for seconds, on a busy machine for a minute

  test.each([
    [1, 1, 1],
    [200, 65, 3],
    [130, 5, 257],
  ])("gradients of %d rows of %d looked up among %d", async (N, E, V) => {
    const ids = Int32Array.from({ length: N }, () => random.below(V));
    const at = (): tf.Tensor1D => tf.tensor1d(ids, "int32");
    const tied = (table: tf.Tensor): tf.Tensor => {
      const { rows, table: same } = embedTied(at(), table as tf.Tensor2D);
      return tf.concat([rows, tf.square(same)]);
    };
    await expectSame(
      [[V, E]],
      withGradients((table) => embed(at(), table as tf.Tensor2D)),
    );
    await expectSame([[V, E]], withGradients(tied));
  });

  test("attention over a cache, some positions and then one, more than a workgroup has threads", async () => {
    const [B, H, C, D] = [2, 2, 90, 66];
    const work: Work = ([qkv, next, keys, values]) => {
      const cache = { keys: tf.add(keys!, 0) as tf.Tensor4D, values: tf.add(values!, 0) as tf.Tensor4D };
      const first = cachedAttention(qkv as tf.Tensor3D, cache, 0);
      const second = cachedAttention(next as tf.Tensor3D, first, 75);
      return [first.out, second.out, second.keys, second.values];
    };
    await expectSame(
      [
        [B, 75, 3 * H * D],
        [B, 1, 3 * H * D],
        [B, H, C, D],
        [B, H, C, D],
      ],
      work,
    );
  });

  test("affine maps of several tiles, their inner axis cut into slices", async () => {
    const [N, I, O] = [300, 70, 65];
    type Map = [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const plain = (...x: tf.Tensor[]): tf.Tensor => linear(...(x.slice(0, 3) as Map), x[3] as tf.Tensor2D);
    const activated = (...x: tf.Tensor[]): tf.Tensor => linearGelu(...(x as Map));
    await expectSame([[N, I], [I, O], [O], [N, O]], withGradients(plain), 0.3);
    await expectSame([[N, I], [I, O], [O]], withGradients(activated), 0.3);
  });

  test.each([true, false])("norms of rows that are longer than a workgroup, subgroups allowed: %s", async (allowed) => {
    await activate("webgpu");
    allowSubgroups(backend(), allowed);
    try {
      const layer = (x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
        layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D);
      const rms = (x: tf.Tensor, gain: tf.Tensor): tf.Tensor => rmsNorm(x as tf.Tensor2D, gain as tf.Tensor1D);
      await expectSame([[70, 130], [130], [130]], withGradients(layer as never));
      await expectSame([[3, 65], [65]], withGradients(rms as never));
    } finally {
      allowSubgroups(backend(), true);
    }
  });

  test("a weight that is not a number makes the loss none", async () => {
    const shapes = [
      [3, 5],
      [70, 5],
    ];
    const arrays = shapes.map((shape) => normals(sizeOf(shape)));
    arrays[1]![17] = Number.NaN;
    const [loss, capped] = await resultsOn("webgpu", arrays, shapes, ([h, w]) => {
      const inputs = [h as tf.Tensor2D, w as tf.Tensor2D, tf.tensor1d([1, 2, 66], "int32")] as const;
      return [
        linearCrossEntropy(...inputs),
        linearLogSumExp(...inputs, undefined, { softcap: 3, sigsoftmax: true }).logSumExp,
      ];
    });
    expect(Array.from(loss!)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(Array.from(capped!)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("scores of ±1e4 in other tiles do not overflow", async () => {
    const weight = new Float32Array(200).fill(-1e4);
    weight[150] = 1e4;
    const [loss] = await resultsOn(
      "webgpu",
      [Float32Array.of(1), weight],
      [
        [1, 1],
        [200, 1],
      ],
      ([h, w]) => [linearCrossEntropy(h as tf.Tensor2D, w as tf.Tensor2D, tf.tensor1d([150], "int32"))],
    );
    expect(loss![0]).toBe(0);
  });

  test("no tokens have no loss, and gradients of zero", async () => {
    const work: Work = ([h, w]) => {
      const loss = (x: tf.Tensor, y: tf.Tensor): tf.Tensor =>
        linearCrossEntropy(x as tf.Tensor2D, y as tf.Tensor2D, tf.tensor1d([], "int32"));
      return tf.grads(loss as never)([h!, w!], tf.tensor1d([]));
    };
    const [dHidden, dWeight] = await resultsOn(
      "webgpu",
      [new Float32Array(0), normals(6)],
      [
        [0, 2],
        [3, 2],
      ],
      work,
    );
    expect(dHidden!.length).toBe(0);
    expect(Array.from(dWeight!)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, clipNorm: 0.5 };
  const shapes = [[300, 7], [1], [17], [65, 3], [257], [2, 2], [9], [4], [5], [11], [3]];

  /** Three steps of AdamW; all parameters and moments, and each step's norm. */
  const threeSteps = (change: (gradient: Float32Array, step: number) => void) => async (name: string) => {
    await activate(name);
    const stream = createRandomStream(randomKey(9, "gradients"));
    const arrays = shapes.map((shape) => Float32Array.from({ length: sizeOf(shape) }, () => stream.normal()));
    const variables = tf.tidy(() =>
      arrays.map((values, i) =>
        [tf.tensor(values, shapes[i]!), tf.zeros(shapes[i]!), tf.zeros(shapes[i]!)].map((x) => tf.variable(x)),
      ),
    );
    const norms: number[] = [];
    for (let step = 1; step <= 3; step++) {
      const gradients = shapes.map((shape) => {
        const values = Float32Array.from({ length: sizeOf(shape) }, () => stream.normal());
        change(values, step);
        return tf.tensor(values, shape);
      });
      const slots = variables.map(([parameter, firstMoment, secondMoment], i) => {
        const gradient = gradients[i]!;
        return {
          parameter: parameter!,
          firstMoment: firstMoment!,
          secondMoment: secondMoment!,
          gradient,
          weightDecay: 0.1 * (i % 2),
        };
      });
      const norm = adamW(slots, { ...settings, step });
      norms.push((await norm.data())[0]!);
      if (step === 2) await variables[0]![0]!.data(); // what was read must not be handed out again
      tf.dispose([norm, gradients]);
    }
    const values = (await Promise.all(variables.flat().map((x) => x.data()))) as Float32Array[];
    tf.dispose(variables);
    return { norms, values };
  };

  test("AdamW changes parameters and moments as its definition does", async () => {
    const run = threeSteps(() => {});
    const [expected, actual] = [await run("cpu"), await run("webgpu")];
    expect(difference(Float32Array.from(actual.norms), Float32Array.from(expected.norms))).toBeLessThan(1e-6);
    for (const [i, x] of actual.values.entries()) expect(difference(x, expected.values[i]!)).toBeLessThan(1e-6);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e30])(
    "a step with a gradient of %d changes nothing",
    async (bad) => {
      const broken = await threeSteps((gradient, step) => {
        if (step === 3) gradient[gradient.length - 1] = bad;
      })("webgpu");
      const still = await threeSteps((gradient, step) => {
        if (step === 3) gradient[0] = bad;
      })("webgpu");
      expect(Number.isFinite(broken.norms[1])).toBe(true);
      expect(Number.isFinite(broken.norms[2])).toBe(false);
      expect(broken.values).toEqual(still.values); // and both are those of two steps
      const whole = await threeSteps(() => {})("webgpu");
      expect(broken.values[0]).not.toEqual(whole.values[0]);
    },
  );

  test("subgroup operations and workgroup memory give the same sums", async () => {
    if (!hasSubgroups(backend())) return expect(backend().device.features.has("subgroups")).toBe(false);
    const run = threeSteps(() => {});
    const fast = await run("webgpu");
    allowSubgroups(backend(), false);
    const portable = await run("webgpu");
    allowSubgroups(backend(), true);
    for (const [i, x] of portable.values.entries()) expect(difference(x, fast.values[i]!)).toBeLessThan(1e-6);
  });

  test("steps leave no tensor and no buffer behind", async () => {
    const shape = [2, 33, 12];
    const inputs = [tf.randomNormal(shape), tf.randomNormal([90, 4]), tf.tensor1d([3, 80], "int32")] as const;
    const step = async (): Promise<void> => {
      const gradients = tf.tidy(() =>
        tf.grads((qkv: tf.Tensor, weight: tf.Tensor) => {
          const hidden = tf.slice(causalAttention(qkv as tf.Tensor3D, 2), [0, 0, 0], [2, 1, 4]);
          return tf.mean(linearCrossEntropy(tf.reshape(hidden, [2, 4]), weight as tf.Tensor2D, inputs[2]));
        })([inputs[0], inputs[1]]),
      );
      await Promise.all(gradients.map((x) => x.data()));
      tf.dispose(gradients);
    };
    const used = () => ({ tensors: tf.memory().numTensors, bytes: backend().bufferManager.numBytesUsed });
    await step();
    const before = used();
    const allocated = backend().bufferManager.numBytesAllocated;
    for (let i = 0; i < 5; i++) await step();
    expect(used()).toEqual(before);
    expect(backend().bufferManager.numBytesAllocated).toBe(allocated);
    tf.dispose([...inputs]);
  });
});
