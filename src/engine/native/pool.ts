/** @file Recycles buffers of tensors by size, so that a steady training step allocates nothing. */
import { totalmem } from "node:os";

/** Below this a plain typed array is cheaper, bytes. */
export const smallestPooled = 512;

/** Idle bytes kept at most. */
const idleLimit = Math.min(2 ** 30, totalmem() / 8);

/** Rounds up to one of eight sizes an octave: sizes that nearly agree share buffers. */
function sizeClass(bytes: number): number {
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}

export interface BufferPool {
  /** A buffer of at least `bytes`; its contents are arbitrary. */
  take(bytes: number): ArrayBuffer;
  /** Gives a buffer of `take` back; nobody may read it any more. */
  give(buffer: ArrayBuffer): void;
  idleBytes(): number;
  /** Of all buffers ever made; flat in a steady state. */
  allocatedBytes(): number;
}

/** @param allocate - where new buffers come from. */
export function createBufferPool(allocate: (bytes: number) => ArrayBuffer): BufferPool {
  const idle = new Map<number, ArrayBuffer[]>();
  let idleBytes = 0;
  let allocatedBytes = 0;
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
    give(buffer) {
      const size = buffer.byteLength;
      if (idleBytes + size > idleLimit) return;
      const stack = idle.get(size);
      if (stack) stack.push(buffer);
      else idle.set(size, [buffer]);
      idleBytes += size;
    },
    idleBytes: () => idleBytes,
    allocatedBytes: () => allocatedBytes,
  };
}
