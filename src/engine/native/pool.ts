/** @file Recycles the memory of tensors by size, so that a steady training step allocates nothing. */
import { totalmem } from "node:os";

/** Below this a plain typed array is cheaper, bytes. */
export const smallestPooled = 512;

/** Idle bytes kept at most. */
const idleLimit = Math.min(2 ** 30, totalmem() / 8);

/** Rounds up to one of eight sizes an octave: sizes that nearly agree share buffers. */
function sizeClass(bytes: number): number {
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  return Math.max(1, Math.ceil(bytes / step)) * step;
}

/** Where the data of tensors lie. */
export interface TensorStore {
  /** A block of aligned memory of arbitrary contents. */
  allocate(bytes: number): Uint8Array;
  /** Gives a block back; absent where the garbage collector does. */
  release?(block: Uint8Array): void;
  /**
   * Whether an array lies in this store; absent where kernels read arrays wherever they lie. Nobody else may hold on to
   * arrays in such a store: they are copied out.
   */
  holds?(array: ArrayBufferView): boolean;
}

export interface BufferPool {
  /** A block of at least `bytes`; its contents are arbitrary. */
  take(bytes: number): Uint8Array;
  /** Gives a block of `take` back; nobody may read it any more. */
  give(block: Uint8Array): void;
  idleBytes(): number;
  /** Of all blocks ever made; flat in a steady state. */
  allocatedBytes(): number;
}

/** @param store - where new blocks come from. */
export function createBufferPool(store: TensorStore): BufferPool {
  const idle = new Map<number, Uint8Array[]>();
  let idleBytes = 0;
  let allocatedBytes = 0;
  const drain = (): void => {
    for (const block of [...idle.values()].flat()) store.release?.(block);
    idle.clear();
    idleBytes = 0;
  };
  const allocate = (bytes: number): Uint8Array => {
    try {
      return store.allocate(bytes);
    } catch (error) {
      if (idleBytes === 0) throw error;
      drain();
      return store.allocate(bytes);
    }
  };
  return {
    take(bytes) {
      const size = sizeClass(bytes);
      const found = idle.get(size)?.pop();
      if (found) {
        idleBytes -= size;
        return found;
      }
      allocatedBytes += size;
      return allocate(size);
    },
    give(block) {
      const size = block.byteLength;
      if (idleBytes + size > idleLimit) return store.release?.(block);
      const stack = idle.get(size);
      if (stack) stack.push(block);
      else idle.set(size, [block]);
      idleBytes += size;
    },
    idleBytes: () => idleBytes,
    allocatedBytes: () => allocatedBytes,
  };
}
