/**
 * @file Bounds what tfjs's backend keeps of freed buffers: it gives one back only to an array of the same size, so that a text whose
 * arrays grow token by token would fill the device.
 */

/** tfjs's buffer manager, as far as it is used here. */
export interface BufferManager {
  numFreeBuffers: number;
  numBytesAllocated: number;
  readonly numBytesUsed: number;
  readonly freeBuffers: Map<string, FreeBuffer[]>;
}

interface FreeBuffer {
  readonly size: number;
  destroy(): void;
}

interface PoolingBackend {
  readonly bufferManager: BufferManager;
  submitQueue(): void;
}

/** Freed bytes that may wait for another use: what is in use, and this. */
const spareBytes = 2 ** 28;

/** Looks after each submission; only then does no recorded program need a freed buffer any more. */
export function boundPool(backend: PoolingBackend): void {
  const { submitQueue } = backend;
  backend.submitQueue = () => {
    submitQueue.call(backend);
    const { numBytesAllocated, numBytesUsed } = backend.bufferManager;
    if (numBytesAllocated - numBytesUsed > numBytesUsed + spareBytes) empty(backend.bufferManager);
  };
}

function empty(manager: BufferManager): void {
  for (const buffers of manager.freeBuffers.values())
    for (const buffer of buffers.splice(0)) {
      buffer.destroy();
      manager.numFreeBuffers--;
      manager.numBytesAllocated -= buffer.size;
    }
}
