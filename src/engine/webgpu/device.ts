/** @file The little of WebGPU, and of tfjs's backend over it, that our own programs touch; types alone. */
import type { TensorInfo } from "@tensorflow/tfjs";

type DataId = TensorInfo["dataId"];

export interface GpuBuffer {
  readonly size: number;
}

export interface Pipeline {
  getBindGroupLayout(group: number): object;
}

export interface ComputeDevice {
  readonly features: ReadonlySet<string>;
  readonly limits: {
    readonly maxStorageBufferBindingSize: number;
    readonly maxStorageBuffersPerShaderStage: number;
    readonly maxComputeWorkgroupsPerDimension: number;
    readonly minStorageBufferOffsetAlignment: number;
  };
  createShaderModule(description: { label: string; code: string }): object;
  createComputePipeline(description: object): Pipeline;
  createBindGroup(description: { layout: object; entries: readonly object[] }): object;
}

interface ComputePass {
  setPipeline(pipeline: Pipeline): void;
  setBindGroup(index: number, group: object): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
}

interface CommandEncoder {
  beginComputePass(): ComputePass;
}

/** A tensor's numbers: on the device, in JavaScript, or in both where they were read. */
interface TensorData {
  resource: GpuBuffer | null | undefined;
  values: ArrayLike<number> | null | undefined;
  /** Of the numbers in memory; tfjs casts integers to float32 in name only. */
  readonly dtype: string;
  readonly refCount: number;
}

/** tfjs's `WebGPUBackend` 4.22: it records programs into one command encoder and submits some at a time. */
export interface WebgpuBackend {
  readonly device: ComputeDevice;
  readonly queue: { writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBuffer): void };
  readonly bufferManager: {
    readonly numBytesUsed: number;
    readonly numBytesAllocated: number;
    acquireBuffer(size: number, usage: number): GpuBuffer;
    releaseBuffer(buffer: GpuBuffer): void;
  };
  readonly tensorMap: { get(dataId: DataId): TensorData };
  readonly commandEncoder: CommandEncoder;
  computePassEncoder: ComputePass | null;
  /** Tensors that recorded programs use; their buffers are released after the next submission. */
  readonly commandQueueOwnedIds: WeakSet<DataId>;
  readonly uniformPendingDisposal: GpuBuffer[];
  dispatchCountInPass: number;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: DataId): void;
  makeTensorInfo(shape: number[], dtype: string, values?: Float32Array): TensorInfo;
  disposeData(dataId: DataId): boolean;
  incRef(dataId: DataId): void;
}
