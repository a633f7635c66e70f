/**
 * @file A tfjs backend over the C++ engine: tfjs's `cpu` backend with all its kernels, the hot ones replaced.
 *
 * Data are typed arrays whose memory comes from a pool. A buffer goes back to it when its last tensor is disposed, unless
 * somebody may still look at it: it was read out (`dataSync` hands out the live array), or another tensor is a view of it.
 */
import * as tf from "@tensorflow/tfjs";
import { loadAddon, type NativeAddon } from "./addon.ts";
import { type BufferPool, createBufferPool, smallestPooled } from "./pool.ts";
import { nativeKernels } from "./table.ts";

type DataId = tf.TensorInfo["dataId"];
/** What the cpu backend keeps of a tensor, and what is added here. */
type TensorRecord = ReturnType<tf.MathBackendCPU["data"]["get"]> & {
  /** Its buffer is the pool's. */
  pooled?: boolean;
  /** Its buffer may be seen from elsewhere and is never recycled. */
  escaped?: boolean;
};

/** A new tensor and its array, to be filled. */
export interface Output<A extends Float32Array | Int32Array = Float32Array> {
  readonly info: tf.TensorInfo;
  readonly values: A;
}

export class NativeBackend extends tf.MathBackendCPU {
  readonly addon: NativeAddon;
  readonly pool: BufferPool;

  constructor(addon: NativeAddon) {
    super();
    this.addon = addon;
    this.pool = createBufferPool((bytes) => addon.allocate(bytes));
    Object.assign(this, { firstUse: false }); // no advice to install another backend
  }

  /** A new float32 tensor of arbitrary contents. */
  newFloats(shape: readonly number[]): Output {
    const size = sizeOf(shape);
    return this.#register(shape, "float32", new Float32Array(this.#buffer(size), 0, size));
  }

  /** A new int32 tensor of arbitrary contents. */
  newInts(shape: readonly number[]): Output<Int32Array> {
    const size = sizeOf(shape);
    return this.#register(shape, "int32", new Int32Array(this.#buffer(size), 0, size));
  }

  /** The array behind a tensor, without marking it as read out. */
  valuesOf(x: tf.TensorInfo): unknown {
    return this.data.get(x.dataId).values;
  }

  /** Keeps the inputs' buffers from being recycled where an output of another identity lies in the same memory. */
  guardViews(inputs: readonly tf.TensorInfo[], outputs: readonly tf.TensorInfo[]): void {
    for (const input of inputs) {
      const record = this.#record(input.dataId);
      if (!record?.pooled || record.escaped) continue;
      const buffer = bufferOf(record.values);
      record.escaped = outputs.some((x) => x.dataId !== input.dataId && bufferOf(this.valuesOf(x)) === buffer);
    }
  }

  override readSync(dataId: DataId): ReturnType<tf.MathBackendCPU["readSync"]> {
    const record = this.#record(dataId);
    if (record) record.escaped = true;
    return super.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const record = this.#record(dataId);
    const released = super.disposeData(dataId, force);
    if (released && record?.pooled && !record.escaped) this.pool.give(bufferOf(record.values) as ArrayBuffer);
    return released;
  }

  #record(dataId: DataId): TensorRecord | undefined {
    return this.data.has(dataId) ? (this.data.get(dataId) as TensorRecord) : undefined;
  }

  #buffer(size: number): ArrayBuffer {
    const bytes = 4 * size;
    return bytes < smallestPooled ? new ArrayBuffer(bytes) : this.pool.take(bytes);
  }

  #register<A extends Float32Array | Int32Array>(shape: readonly number[], dtype: tf.DataType, values: A): Output<A> {
    const info = this.makeTensorInfo([...shape], dtype, values);
    if (values.byteLength >= smallestPooled) (this.data.get(info.dataId) as TensorRecord).pooled = true;
    return { info, values };
  }
}

/**
 * Registers the tfjs backend "native" with all its kernels; `tf.setBackend("native")` then selects it.
 *
 * @param options.threads - how many threads take part, default one a core.
 * @throws {SandboxError} if the engine is not compiled or does not run here.
 */
export function registerNativeBackend(options: { readonly threads?: number } = {}): void {
  const addon = loadAddon();
  if (options.threads !== undefined) addon.setThreads(checkedThreads(options.threads));
  if (tf.engine().registryFactory.native) return;
  tf.registerBackend("native", () => new NativeBackend(addon), 2);
  tf.copyRegisteredKernels("cpu", "native");
  for (const kernel of tf.getKernelsForBackend("native")) replace(kernel, guarded(kernel.kernelFunc));
  for (const [kernelName, fast] of Object.entries(nativeKernels)) {
    const fallback = tf.getKernel(kernelName, "native");
    const kernelFunc: tf.KernelFunc = (call) =>
      fast(call.backend as NativeBackend, call.inputs as Record<string, tf.TensorInfo>, call.attrs ?? {}) ??
      fallbackOf(kernelName, fallback)(call);
    replace({ ...fallback, kernelName, backendName: "native", kernelFunc }, kernelFunc);
  }
}

function checkedThreads(threads: number): number {
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024)
    throw new RangeError(`registerNativeBackend: threads must be an integer from 1 to 1024, got ${threads}`);
  return threads;
}

function fallbackOf(name: string, kernel: tf.KernelConfig | undefined): tf.KernelFunc {
  if (!kernel) throw new Error(`native engine: ${name} declined its inputs and has no other kernel`);
  return kernel.kernelFunc;
}

function replace(kernel: tf.KernelConfig, kernelFunc: tf.KernelFunc): void {
  if (tf.getKernel(kernel.kernelName, "native")) tf.unregisterKernel(kernel.kernelName, "native");
  tf.registerKernel({ ...kernel, kernelFunc });
}

/** A cpu kernel, some of whose outputs may be views of its inputs (slices are). */
function guarded(kernelFunc: tf.KernelFunc): tf.KernelFunc {
  return (call) => {
    const outputs = kernelFunc(call);
    const inputs = Object.values(call.inputs).filter((x) => x?.dataId !== undefined) as tf.TensorInfo[];
    (call.backend as NativeBackend).guardViews(inputs, [outputs].flat());
    return outputs;
  };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const bufferOf = (values: unknown): unknown => (ArrayBuffer.isView(values) ? values.buffer : undefined);
