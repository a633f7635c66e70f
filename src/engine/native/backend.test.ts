/** @file The tfjs backend: it does what tfjs's cpu backend does, and never recycles a buffer that is still seen. */
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRandomStream, type RandomStream, randomKey } from "../random.ts";
import { registerWasmBackend } from "../wasm/backend.ts";
import { type NativeBackend, registerNativeBackend } from "./backend.ts";
import { foldAxes } from "./kernels-data.ts";
import { planeOf } from "./kernels-elementwise.ts";

const before = tf.getBackend();

beforeAll(() => {
  tf.enableProdMode();
  registerNativeBackend();
  registerWasmBackend();
});
beforeEach(() => {
  tf.engine().startScope();
  return () => tf.engine().endScope();
});
afterAll(async () => {
  if (before) await tf.setBackend(before);
});

const range = (n: number, from = 0) => tf.add(tf.range(0, n), from);

// ---- agreement with cpu

/** Numbers of one type, with what is awkward among them. */
function draw(random: RandomStream, shape: number[], dtype: "float32" | "int32" | "bool"): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const awkward = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e4, -1e4];
  const float = () => (random.below(40) === 0 ? awkward[random.below(awkward.length)]! : random.normal() * 2);
  const values = Array.from({ length: size }, () =>
    dtype === "float32" ? float() : dtype === "int32" ? random.below(19) - 9 : random.below(2),
  );
  return tf.tensor(values, shape, dtype);
}

const sizes = [1, 1, 2, 3, 5, 16, 17, 33];
const drawShape = (random: RandomStream, rank: number) =>
  Array.from({ length: rank }, () => (random.below(25) === 0 ? 0 : sizes[random.below(sizes.length)]!));

/** A shape that broadcasts with `shape`. */
function broadcastable(random: RandomStream, shape: number[]): number[] {
  const other = shape.map((n) => (random.below(3) === 0 ? 1 : n));
  return other.slice(random.below(3) === 0 ? random.below(shape.length + 1) : 0);
}

type Case = (random: RandomStream) => { inputs: tf.Tensor[]; run: (inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[] };

const anyType = (random: RandomStream) => (["float32", "float32", "int32", "bool"] as const)[random.below(4)]!;

const unaryCase =
  (f: (x: tf.Tensor) => tf.Tensor, types = ["float32"] as ("float32" | "int32" | "bool")[]): Case =>
  (random) => ({
    inputs: [draw(random, drawShape(random, random.below(4)), types[random.below(types.length)]!)],
    run: ([x]) => f(x!),
  });

const binaryCase =
  (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Case =>
  (random) => {
    const shape = drawShape(random, random.below(4));
    const other = broadcastable(random, shape);
    const inputs = [draw(random, shape, anyType(random)), draw(random, other, anyType(random))];
    return { inputs: random.below(2) ? inputs : inputs.reverse(), run: ([a, b]) => f(a!, b!) };
  };

const reduceCase =
  (f: (x: tf.Tensor, axis: number | number[] | undefined, keepDims: boolean) => tf.Tensor): Case =>
  (random) => {
    const rank = 1 + random.below(4);
    const axes = Array.from({ length: rank }, (_, i) => i).filter(() => random.below(2));
    const axis = [undefined, -1, 0, axes][random.below(4)];
    const keep = random.below(2) === 1;
    return { inputs: [draw(random, drawShape(random, rank), anyType(random))], run: ([x]) => f(x!, axis, keep) };
  };

const matMulCase: Case = (random) => {
  const [m, k, n] = drawShape(random, 3) as [number, number, number];
  const batch = drawShape(random, random.below(3)).map((b) => Math.min(b, 3));
  const [ta, tb] = [random.below(2) === 1, random.below(2) === 1];
  const dtype = random.below(5) ? "float32" : "int32";
  const a = draw(random, [...batch, ...(ta ? [k, m] : [m, k])], dtype);
  const other = random.below(3) ? batch : batch.map(() => 1);
  const b = draw(random, [...other, ...(tb ? [n, k] : [k, n])], dtype);
  return { inputs: [a, b], run: ([x, y]) => tf.matMul(x!, y!, ta, tb) };
};

const fusedCase: Case = (random) => {
  const [m, k, n] = drawShape(random, 3).map((x) => Math.max(1, x)) as [number, number, number];
  const activation = (["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const)[random.below(6)]!;
  const transposeB = random.below(2) === 1;
  const inputs = [[m, k], transposeB ? [n, k] : [k, n], [random.below(3) ? n : 1]];
  return {
    inputs: inputs.map((shape) => draw(random, shape, "float32")),
    run: ([a, b, bias]) =>
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias: bias!, activation, transposeB }),
  };
};

const gatherCase: Case = (random) => {
  const shape = drawShape(random, 1 + random.below(3)).map((n) => Math.max(1, n));
  const axis = random.below(3) ? 0 : random.below(shape.length);
  const ids = Array.from({ length: random.below(6) }, () => random.below(shape[axis]!));
  const inputs = [draw(random, shape, anyType(random)), tf.tensor1d(ids, "int32")];
  return { inputs, run: ([x, i]) => tf.gather(x!, i as tf.Tensor1D, axis) };
};

const segmentCase: Case = (random) => {
  const n = 1 + random.below(20);
  const ids = Array.from({ length: n }, () => random.below(7) - 1);
  const x = draw(random, [n, ...drawShape(random, random.below(3)).map((d) => Math.max(1, d))], "float32");
  // NaN and infinity times the zero of tfjs's mask would spread over all segments.
  const inputs = [tf.where(tf.isFinite(x), x, tf.zerosLike(x)), tf.tensor1d(ids, "int32")];
  return { inputs, run: ([a, i]) => tf.unsortedSegmentSum(a!, i as tf.Tensor1D, 5) };
};

const sliceCase: Case = (random) => {
  const shape = drawShape(random, 1 + random.below(4));
  const begin = shape.map((n) => random.below(n + 1));
  const size = shape.map((n, i) => random.below(n - begin[i]! + 1));
  return { inputs: [draw(random, shape, anyType(random))], run: ([x]) => tf.slice(x!, begin, size) };
};

const concatCase: Case = (random) => {
  const shape = drawShape(random, 1 + random.below(3));
  const axis = random.below(shape.length);
  const dtype = anyType(random);
  const inputs = Array.from({ length: 1 + random.below(3) }, () =>
    draw(random, shape.with(axis, drawShape(random, 1)[0]!), dtype),
  );
  return { inputs, run: (xs) => tf.concat(xs, axis) };
};

const transposeCase: Case = (random) => {
  const shape = drawShape(random, 1 + random.below(4));
  const perm = shape.map((_, i) => i).sort(() => random.below(3) - 1);
  return { inputs: [draw(random, shape, anyType(random))], run: ([x]) => tf.transpose(x!, perm) };
};

const castCase: Case = (random) => {
  const to = anyType(random);
  // An int32 of NaN or infinity is 0 either way, of 1e10 it wraps.
  return { inputs: [draw(random, drawShape(random, 2), anyType(random))], run: ([x]) => tf.add(tf.cast(x!, to), 0.5) };
};

const splitCase: Case = (random) => {
  const shape = drawShape(random, 2).map((n) => 2 * n);
  const axis = random.below(2);
  return { inputs: [draw(random, shape, "float32")], run: ([x]) => tf.split(x!, 2, axis).map((y) => tf.mul(y, 2)) };
};

const selectCase: Case = (random) => {
  const shape = drawShape(random, random.below(3));
  const inputs = [draw(random, shape, "bool"), draw(random, shape, "float32"), draw(random, shape, anyType(random))];
  return { inputs, run: ([c, a, b]) => tf.where(c!, a!, tf.cast(b!, "float32")) };
};

const cases: Record<string, Case> = {
  add: binaryCase(tf.add),
  sub: binaryCase(tf.sub),
  mul: binaryCase(tf.mul),
  div: binaryCase(tf.div),
  exp: unaryCase(tf.exp),
  log: unaryCase(tf.log),
  tanh: unaryCase(tf.tanh),
  sigmoid: unaryCase(tf.sigmoid),
  square: unaryCase(tf.square, ["float32", "int32"]),
  sqrt: unaryCase(tf.sqrt),
  rsqrt: unaryCase(tf.rsqrt),
  neg: unaryCase(tf.neg, ["float32", "int32"]),
  relu: unaryCase(tf.relu, ["float32", "int32", "bool"]),
  reciprocal: unaryCase(tf.reciprocal, ["float32", "int32"]),
  zerosLike: unaryCase(tf.zerosLike, ["float32", "int32", "bool"]),
  onesLike: unaryCase(tf.onesLike, ["float32", "int32", "bool"]),
  sum: reduceCase(tf.sum),
  mean: reduceCase(tf.mean),
  max: reduceCase(tf.max),
  softmax: unaryCase((x) => (x.rank ? tf.softmax(x) : x.clone())),
  logSoftmax: unaryCase((x) => (x.rank ? tf.logSoftmax(x) : x.clone())),
  matMul: matMulCase,
  fusedMatMul: fusedCase,
  gather: gatherCase,
  segmentSum: segmentCase,
  slice: sliceCase,
  concat: concatCase,
  transpose: transposeCase,
  cast: castCase,
  split: splitCase,
  select: selectCase,
  fill: (random) => {
    const [shape, value] = [drawShape(random, 2), random.normal()];
    const dtype = random.below(2) ? "float32" : "int32";
    return { inputs: [], run: () => tf.fill(shape, dtype === "int32" ? Math.round(value) : value, dtype) };
  },
  addN: (random) => {
    const shape = drawShape(random, 2);
    const inputs = Array.from({ length: 1 + random.below(4) }, () => draw(random, shape, "float32"));
    return { inputs, run: (xs) => tf.addN(xs) };
  },
};

interface Plain {
  readonly shape: number[];
  readonly dtype: string;
  readonly values: number[];
}

/** Runs a case on one backend, on inputs carried there as plain numbers; an error gives its message. */
async function resultOn(name: string, inputs: Plain[], run: ReturnType<Case>["run"]): Promise<Plain[] | string> {
  await tf.setBackend(name);
  tf.engine().startScope();
  try {
    const tensors = inputs.map((x) => tf.tensor(x.values, x.shape, x.dtype as "float32"));
    return [run(tensors)].flat().map(plain);
  } catch (error) {
    return (error as Error).message;
  } finally {
    tf.engine().endScope();
  }
}

const plain = (x: tf.Tensor): Plain => ({ shape: x.shape, dtype: x.dtype, values: Array.from(x.dataSync()) });

/** Float32 sums in another order, and exp to 2 ulp, differ in the last digits; sums that cancel, by the terms' size. */
function agree(a: number, b: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a), Math.abs(b));
}

function expectAgreement(got: Plain, expected: Plain, described: string): void {
  const { shape, dtype, values } = expected;
  expect({ shape: got.shape, dtype: got.dtype }, described).toEqual({ shape, dtype });
  const large = values.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1);
  for (const [k, value] of values.entries())
    if (!agree(got.values[k]! / large, value / large))
      throw new Error(`${described}, element ${k}: cpu ${value}, got ${got.values[k]}`);
}

/** Draws an operation; 33 operations make over 5,000 cases on native. */
const draws = { native: 160, wasm: 40 };

describe.each(["native", "wasm"] as const)("on %s", (engine) => {
  beforeEach(async () => void (await tf.setBackend(engine)));

  test.each(Object.keys(cases))("%s does what it does on cpu, for shapes and types drawn at random", async (name) => {
    for (let i = 0; i < draws[engine]; i++) {
      const { inputs, run } = cases[name]!(createRandomStream(randomKey(5, name, i)));
      const given = inputs.map(plain);
      const [expected, got] = [await resultOn("cpu", given, run), await resultOn(engine, given, run)];
      const described = `${name} case ${i} of ${given.map((x) => `${x.dtype}[${x.shape}]`).join(" ")}`;
      if (typeof expected === "string" || typeof got === "string") expect(got, described).toEqual(expected);
      else for (const [j, y] of expected.entries()) expectAgreement(got[j]!, y, described);
    }
  });

  test("gradients through replaced kernels agree with cpu", async () => {
    const gradientOn = async (name: string) => {
      await tf.setBackend(name);
      const loss = (x: tf.Tensor, w: tf.Tensor): tf.Scalar => {
        const rows = tf.gather(w, tf.tensor1d([2, 0, 2], "int32"));
        const hidden = tf.tanh(tf.matMul(x, rows, false, true));
        return tf.mean(tf.neg(tf.max(tf.logSoftmax(tf.mul(hidden, tf.sigmoid(hidden))), -1))) as tf.Scalar;
      };
      const x = tf.tensor2d(
        Array.from({ length: 40 }, (_, i) => Math.sin(i)),
        [4, 10],
      );
      const w = tf.tensor2d(
        Array.from({ length: 50 }, (_, i) => Math.cos(i)),
        [5, 10],
      );
      return tf
        .grads(loss as never)([x, w])
        .flatMap((g) => Array.from(g.dataSync()));
    };
    const [expected, got] = [await gradientOn("cpu"), await gradientOn(engine)];
    for (const [i, y] of expected.entries()) expect(got[i]).toBeCloseTo(y, 5);
  });

  // ---- the buffer pool

  const scribble = (shape: number[]) => {
    for (let i = 0; i < 4; i++) tf.fill(shape, 777);
  };

  test("a buffer that was read out is never recycled", () => {
    const x = range(1000);
    const seen = x.dataSync();
    x.dispose();
    scribble([1000]);
    expect(seen[999]).toBe(999);
  });

  test("an array that came from the user is never recycled", () => {
    const mine = new Float32Array(1000).fill(3);
    tf.tensor(mine).dispose();
    scribble([1000]);
    expect(mine.every((x) => x === 3)).toBe(true);
  });

  test("a large array that came from the user moves into the pool's memory, numbers and all", () => {
    const mine = Float32Array.from({ length: 1 << 20 }, (_, i) => i);
    const x = tf.tensor1d(mine);
    const doubled = tf.mul(x, 2).dataSync();
    expect([doubled[0], doubled[77], doubled.at(-1)]).toEqual([0, 154, 2 * (2 ** 20 - 1)]);
    const seen = x.dataSync();
    expect(seen).toEqual(mine);
    expect(seen.buffer).not.toBe(mine.buffer);
  });

  test("views that cpu kernels make keep their source's buffer alive", () => {
    const x = range(4000);
    const parts = [
      ...tf.split(tf.reshape(x, [4, 1000]), 4, 0),
      ...tf.unstack(tf.reshape(x, [4, 1000])),
      tf.stridedSlice(x, [1000], [2000], [1]),
      tf.slice(tf.cast(x, "bool"), 1, 1000),
    ];
    x.dispose();
    scribble([4000]);
    scribble([1000]);
    const firsts = parts.map((part) => part.dataSync()[0]);
    expect(firsts).toEqual([0, 1000, 2000, 3000, 0, 1000, 2000, 3000, 1000, 1]);
  });

  test("a reshaped tensor keeps the buffer until the last of both is disposed", () => {
    const x = range(1000);
    const y = tf.reshape(x, [10, 100]);
    x.dispose();
    scribble([1000]);
    expect(y.dataSync()[999]).toBe(999);
  });

  test("buffers are recycled, and neither tensors nor idle bytes grow over a thousand steps", () => {
    const w = tf.variable(tf.randomNormal([64, 64], 0, 1, "float32", 1));
    const step = () => tf.tidy(() => tf.grad((x: tf.Tensor) => tf.sum(tf.softmax(tf.matMul(x, w))))(tf.ones([32, 64])));
    for (let i = 0; i < 10; i++) step().dispose();
    const { pool } = tf.backend() as NativeBackend;
    const [tensors, idle, allocated] = [tf.memory().numTensors, pool.idleBytes(), pool.allocatedBytes()];
    for (let i = 0; i < 1000; i++) step().dispose();
    expect(tf.memory().numTensors).toBe(tensors);
    expect(pool.idleBytes()).toBe(idle);
    expect(pool.allocatedBytes()).toBe(allocated);
    w.dispose();
  });

  test("a gradient is written into only where nobody else can see it", () => {
    const inputs = { dRows: tf.ones([2, 2]), ids: tf.tensor1d([0, 2], "int32") };
    const add = (dTable: tf.Tensor, overwrite: number): number[] => {
      const given = { ...inputs, dTable } as unknown as tf.NamedTensorMap;
      return [...(tf.engine().runKernel("SoftboxEmbedTiedGrad", given, { overwrite }) as tf.Tensor).dataSync()];
    };
    const fresh = (): tf.Tensor =>
      tf
        .add(tf.zeros([3, 200]), 1)
        .slice([0, 0], [3, 2])
        .add(0);
    const [kept, cloned, readOut, free] = [fresh(), fresh(), fresh(), fresh()];
    const [clone, live] = [tf.clone(cloned!), readOut!.dataSync()];
    for (const [dTable, overwrite] of [
      [kept!, 0],
      [cloned!, 1],
      [readOut!, 1],
      [free!, 1],
    ] as const)
      expect(add(dTable, overwrite)).toEqual([2, 2, 1, 1, 2, 2]);
    for (const unchanged of [kept!, cloned!, clone]) expect([...unchanged.dataSync()]).toEqual([1, 1, 1, 1, 1, 1]);
    expect([...live]).toEqual([1, 1, 1, 1, 1, 1]);
    expect([...free!.dataSync()]).toEqual([2, 2, 1, 1, 2, 2]); // the sum lies in its place
  });

  // ---- wrong input

  test("wrong input to fused kernels is an error that says what is wrong", () => {
    const run =
      (name: string, inputs: object, attributes = {}) =>
      () =>
        tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes);
    const ids = tf.tensor1d([0, 7], "int32");
    expect(run("SoftboxEmbed", { ids, table: tf.ones([5, 2]) })).toThrow("id 7 is not in [0, 5)");
    expect(run("SoftboxGelu", { x: tf.ones([2], "int32") })).toThrow("expected float32, got int32");
    expect(run("SoftboxLayerNorm", { x: tf.ones([2, 3]), gain: tf.ones([2]), bias: tf.ones([3]) })).toThrow(
      "3 elements",
    );
    expect(run("SoftboxCausalAttention", { qkv: tf.ones([1, 2, 12]) }, { heads: 3 })).toThrow("heads");
  });
});

// ---- arithmetic on shapes

test("shapes that broadcast fold into planes", () => {
  expect(planeOf([4, 5], [5])).toMatchObject({ rows: 4, columns: 5, b: { rowStride: 0, columnStride: 1 } });
  expect(planeOf([4, 5], [4, 1])).toMatchObject({ rows: 4, columns: 5, b: { rowStride: 1, columnStride: 0 } });
  expect(planeOf([2, 3, 4], [])).toMatchObject({ rows: 1, columns: 24, b: { rowStride: 0, columnStride: 0 } });
  expect(planeOf([2, 1, 4], [1, 3, 1])).toBeUndefined();
});

test("axes that lie end to end are joined", () => {
  expect(foldAxes([2, 3, 4], [12, 4, 1], [12, 4, 1])).toEqual([
    [1, 24],
    [0, 1],
    [0, 1],
  ]);
});

test("an impossible number of threads is refused", () => {
  expect(() => registerNativeBackend({ threads: 0 })).toThrow("threads");
});
