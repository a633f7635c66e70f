/**
 * @file What goes wrong on a device is told where somebody waits for its numbers. WebGPU throws nothing: after an error a program does not
 * run, and what it should have written is read as if it had.
 */
import { setImmediate } from "node:timers/promises";
import type * as tf from "@tensorflow/tfjs";
import { SandboxError } from "../errors.ts";
import type { GpuDevice } from "./dawn.ts";

type DataId = tf.TensorInfo["dataId"];

/** The part of tfjs's backend through which numbers come and go. */
export interface GuardedBackend {
  readonly device: GpuDevice;
  readonly tensorMap: { get(dataId: DataId): TensorData };
  read(dataId: DataId): Promise<tf.BackendValues>;
  readSync(dataId: DataId): tf.BackendValues;
  uploadToGPU(dataId: DataId): void;
}

interface TensorData {
  values: tf.BackendValues | null | undefined;
  readonly resource: object | null | undefined;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** Changes `backend` so that no number is read after an error, and none is asked for that the device cannot hold. */
export function guard(backend: GuardedBackend): void {
  const failure = watch(backend.device);
  const { read, uploadToGPU } = backend;
  backend.read = async (dataId) => {
    const values = await read.call(backend, dataId).catch(async (error: unknown) => {
      await setImmediate(); // a lost device tells of it in its own promise
      throw failure() ?? error;
    });
    const failed = failure();
    if (failed) throw failed;
    return values;
  };
  backend.readSync = (dataId) => {
    const { values } = backend.tensorMap.get(dataId);
    if (values) return values;
    throw (
      failure() ??
      new Error("webgpu: numbers on the device are read by `await tensor.data()`; nothing waits for dataSync()")
    );
  };
  backend.uploadToGPU = (dataId) => {
    const data = backend.tensorMap.get(dataId);
    if (!data.resource) expectRoom(backend.device, data);
    const { values } = data;
    uploadToGPU.call(backend, dataId);
    if (data.dtype === "int32" && values) data.values = values; // ids are few, and the adaptive head asks for them at once
  };
}

/** @returns what asks for the first error so far. */
function watch(device: GpuDevice): () => Error | undefined {
  let first: Error | undefined;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault(); // Dawn would print it
    first ??= explainError(event.error);
  });
  void device.lost.then(({ message }) => {
    first = explainLoss(message); // what is told in its wake says less
  });
  return () => first;
}

const goOn = "What was saved is whole: softbox train --resume <run> goes on from there.";

export const explainLoss = (message: string): SandboxError =>
  new SandboxError(
    `engine webgpu: the device is gone: ${firstLine(message) || "the driver does not say why"}`,
    `The driver was reset, the GPU taken away, or one program on it ran for too long (a smaller batch helps). ${goOn}`,
  );

/** An error for the user where memory ran out; anything else is a bug, ours, tfjs's or the driver's. */
export function explainError(error: Error): Error {
  if (error.constructor.name !== "GPUOutOfMemoryError") return new Error(`webgpu: ${error.message}`, { cause: error });
  return new SandboxError(
    `engine webgpu: the device's memory is used up: ${firstLine(error.message)}`,
    `A smaller batch, context or model fits, or another engine. ${goOn}`,
    { cause: error },
  );
}

const firstLine = (text: string): string => text.trim().split("\n")[0]!;

function expectRoom({ limits }: GpuDevice, { shape }: TensorData): void {
  const bytes = 4 * shape.reduce((product, size) => product * size, 1);
  const most = Math.min(limits.maxStorageBufferBindingSize!, limits.maxBufferSize!);
  if (bytes <= most) return;
  const mega = (count: number): string => (count / 1e6).toFixed(0);
  throw new SandboxError(
    `engine webgpu: an array of shape [${shape.join(", ")}] takes ${mega(bytes)} MB, and the most that this device lets a program see is ${mega(most)} MB`,
    `A smaller batch, vocabulary or model fits, or another engine. ${goOn}`,
  );
}
