/** @file A tensor on its way from one place to another, piece by piece: a model larger than memory passes through. */

/** Where a tensor comes from. */
export interface TensorSource {
  readonly shape: readonly number[];
  /** Its numbers in order, in pieces of any size; a piece is valid until the next is asked for. */
  pieces(): AsyncIterable<Float32Array> | Iterable<Float32Array>;
}

/** Tensors by name, in the order in which they are written. */
export type TensorSources = ReadonlyMap<string, TensorSource>;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A tensor that lies in memory. */
export const tensorInMemory = (values: Float32Array, shape: readonly number[]): TensorSource => ({
  shape,
  pieces: () => [values],
});

/** All numbers of a tensor. @param values - where they go, of the tensor's size; by default memory of their own. */
export async function collectTensor(
  { shape, pieces }: TensorSource,
  values: Float32Array = new Float32Array(sizeOf(shape)),
): Promise<Float32Array> {
  let filled = 0;
  for await (const piece of pieces()) {
    values.set(piece, filled);
    filled += piece.length;
  }
  if (filled !== values.length)
    throw new RangeError(`tensor of shape [${shape}]: ${filled} numbers came of ${values.length}`);
  return values;
}

/** A matrix `[I, O]` as `[O, I]`; it is held in memory while it is turned. */
export function transposed(source: TensorSource): TensorSource {
  const [I = 0, O = 0] = source.shape;
  return {
    shape: [O, I],
    pieces: async function* () {
      const values = await collectTensor(source);
      const turned = new Float32Array(values.length);
      for (let i = 0; i < I; i++) for (let o = 0; o < O; o++) turned[o * I + i] = values[i * O + o]!;
      yield turned;
    },
  };
}

/** Every number times a factor. */
export const multiplied = (source: TensorSource, factor: number): TensorSource => ({
  shape: source.shape,
  pieces: async function* () {
    for await (const piece of source.pieces()) yield piece.map((x) => x * factor);
  },
});

/** The first `rows` rows of a tensor. */
export function firstRows(source: TensorSource, rows: number): TensorSource {
  const shape = [rows, ...source.shape.slice(1)];
  return {
    shape,
    pieces: async function* () {
      let left = sizeOf(shape);
      for await (const piece of source.pieces()) {
        yield piece.subarray(0, Math.min(piece.length, left));
        left -= Math.min(piece.length, left);
        if (left === 0) return;
      }
    },
  };
}
