/**
 * @file A tfjs backend over our C++ kernels: tfjs's `cpu` backend with all its kernels, the hot ones replaced.
 *
 * Data are typed arrays whose memory comes from a pool. A block goes back to it when its last tensor is disposed, unless
 * somebody may still look at it: it was read out (`dataSync` hands out the live array), or another tensor is a view of it.
 * Where tensors must lie in a store of their own (WebAssembly's memory), whoever looks gets a copy instead.
 */
import * as tf from "@tensorflow/tfjs";
import { type Addon, loadAddon } from "./addon.ts";
import { type BufferPool, createBufferPool, smallestPooled, type TensorStore } from "./pool.ts";
import { nativeKernels } from "./table.ts";

type DataId = tf.TensorInfo["dataId"];
type Words = Float32Array | Int32Array;
/** What the cpu backend keeps of a tensor, and what is added here. */
type TensorRecord = ReturnType<tf.MathBackendCPU["data"]["get"]> & {
  /** The block of the pool that its values lie in. */
  block?: Uint8Array;
  /** Its block may be seen from elsewhere and is never recycled. */
  escaped?: boolean;
  /** Its numbers as bfloat16, where somebody asked for them to be kept. */
  halves?: { readonly numbers: Uint16Array; readonly block: Uint8Array };
};

/**
 * From this size on the addon's memory lies in huge pages, where it is read up to half again as fast as an array of V8's; so
 * large tensors that JavaScript made, such as weights, move there when a kernel first meets them.
 */
const hugeBytes = 4 << 20;

/** A new tensor and its array, to be filled. */
export interface Output<A extends Words = Float32Array> {
  readonly info: tf.TensorInfo;
  readonly values: A;
}

export class NativeBackend extends tf.MathBackendCPU {
  readonly addon: Addon;
  readonly pool: BufferPool;
  /** Whether tensors must lie in a store of their own. */
  readonly #enclosed: boolean;
  readonly #store: TensorStore;
  /** Memory of the store that belongs to no tensor yet, or whose tensor does not give it back. */
  readonly #handedOut = new WeakSet<ArrayBufferLike>();

  constructor(addon: Addon, store: TensorStore) {
    super();
    this.addon = addon;
    this.pool = createBufferPool(store);
    this.#store = store;
    this.#enclosed = store.holds !== undefined;
    Object.assign(this, { firstUse: false }); // no advice to install another backend
  }

  /** A new float32 tensor of arbitrary contents. */
  newFloats(shape: readonly number[]): Output {
    return this.#create(shape, "float32", Float32Array);
  }

  /** A new int32 tensor of arbitrary contents. */
  newInts(shape: readonly number[]): Output<Int32Array> {
    return this.#create(shape, "int32", Int32Array);
  }

  /** An array of arbitrary contents for whoever makes a tensor of it; a large one lies in huge pages from the start. */
  allocateFloats(count: number): Float32Array {
    if (this.#enclosed || 4 * count < hugeBytes) return new Float32Array(count);
    const { buffer, byteOffset } = this.#store.allocate(4 * count);
    this.#handedOut.add(buffer);
    return new Float32Array(buffer, byteOffset, count);
  }

  /** The array behind a tensor, ready for the addon, without marking it as read out. */
  valuesOf(x: tf.TensorInfo): unknown {
    const record = this.data.get(x.dataId) as TensorRecord;
    if (!record.block && isWords(record.values) && this.#isMisplaced(record.values))
      this.#moveIn(record, record.values);
    return record.values;
  }

  /**
   * The numbers of `x` for a kernel to change: `x` itself where the caller allows it and nobody else looks at its data, a copy
   * otherwise.
   *
   * @param values - what `x` holds, as float32.
   */
  writable(x: tf.TensorInfo, values: Float32Array, overwrite: boolean): Output {
    const { refCount, escaped, values: own } = this.data.get(x.dataId) as TensorRecord;
    if (overwrite && refCount === 1 && !escaped && values === own) {
      this.incRef(x.dataId);
      return { info: { dataId: x.dataId, shape: x.shape, dtype: x.dtype }, values };
    }
    const copy = this.newFloats(x.shape);
    copy.values.set(values);
    return copy;
  }

  /** Keeps a copy of a matrix as bfloat16, half the bytes to read, until its numbers change or it is disposed. */
  keepHalves(x: tf.TensorInfo, values: Float32Array): void {
    const record = this.data.get(x.dataId) as TensorRecord;
    if (record.halves) return;
    const block = this.pool.take(2 * values.length);
    const numbers = new Uint16Array(block.buffer, block.byteOffset, values.length);
    this.addon.toHalves(values, numbers, values.length);
    record.halves = { numbers, block };
  }

  /** The copy that `keepHalves` made, if there is one. */
  halvesOf(x: tf.TensorInfo): Uint16Array | undefined {
    return (this.data.get(x.dataId) as TensorRecord).halves?.numbers;
  }

  /** The numbers of `x` are about to change: their copy goes. */
  dropHalves(x: { readonly dataId: DataId }): void {
    const record = this.#record(x.dataId);
    if (!record?.halves) return;
    this.pool.give(record.halves.block);
    delete record.halves;
  }

  /** Keeps what tensors see from changing where a cpu kernel's output lies in an input's block. */
  guardViews(inputs: readonly tf.TensorInfo[], outputs: readonly tf.TensorInfo[]): void {
    for (const input of inputs) {
      const record = this.#record(input.dataId);
      if (!record?.block || record.escaped) continue;
      for (const { dataId } of outputs) if (dataId !== input.dataId) this.#guardView(record, this.#record(dataId));
    }
  }

  #guardView(source: TensorRecord, view: TensorRecord | undefined): void {
    if (!view || !liesIn(view.values, source.block!)) return;
    if (this.#enclosed) view.values = view.values.slice();
    else source.escaped = true;
  }

  override readSync(dataId: DataId): ReturnType<tf.MathBackendCPU["readSync"]> {
    const record = this.#record(dataId);
    const values = super.readSync(dataId);
    if (record?.block && this.#enclosed) return (values as Float32Array).slice();
    if (record) record.escaped = true;
    return values;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const record = this.#record(dataId);
    const halves = record?.halves;
    const released = super.disposeData(dataId, force);
    if (released && record?.block && !record.escaped) this.pool.give(record.block);
    if (released && halves) this.pool.give(halves.block);
    return released;
  }

  #record(dataId: DataId): TensorRecord | undefined {
    return this.data.has(dataId) ? (this.data.get(dataId) as TensorRecord) : undefined;
  }

  #create<A extends Words>(shape: readonly number[], dtype: tf.DataType, Type: WordsConstructor<A>): Output<A> {
    const size = sizeOf(shape);
    const bytes = 4 * size;
    if (bytes < smallestPooled && !this.#enclosed) {
      const values = new Type(new ArrayBuffer(bytes), 0, size);
      return { info: this.makeTensorInfo([...shape], dtype, values), values };
    }
    const block = this.pool.take(bytes);
    const values = new Type(block.buffer, block.byteOffset, size);
    const info = this.makeTensorInfo([...shape], dtype, values);
    (this.data.get(info.dataId) as TensorRecord).block = block;
    return { info, values };
  }

  #isMisplaced(values: Words): boolean {
    return this.#enclosed || (values.byteLength >= hugeBytes && !this.#handedOut.has(values.buffer));
  }

  /** Moves a tensor that a cpu kernel or the user made into the store. */
  #moveIn(record: TensorRecord, values: Words): void {
    const block = this.pool.take(values.byteLength);
    const Type = values.constructor as WordsConstructor<Words>;
    const inside = new Type(block.buffer, block.byteOffset, values.length);
    inside.set(values);
    record.block = block;
    record.values = inside;
  }
}

/** How a backend is made once tfjs asks for it. */
interface BackendOptions {
  readonly addon: Addon;
  readonly store: TensorStore;
  /** How many threads take part; by default what the addon has chosen. */
  readonly threads?: number | undefined;
}

/** Registers a tfjs backend of a name with all its kernels; `tf.setBackend(name)` then selects it. */
export function registerBackend(name: string, { addon, store, threads }: BackendOptions): void {
  if (threads !== undefined) addon.setThreads(checkedThreads(threads));
  if (tf.engine().registryFactory[name]) return;
  tf.registerBackend(name, () => new NativeBackend(addon, store), 2);
  tf.copyRegisteredKernels("cpu", name);
  for (const kernel of tf.getKernelsForBackend(name)) replace(kernel, guarded(kernel.kernelFunc));
  for (const [kernelName, fast] of Object.entries(nativeKernels)) {
    const fallback = tf.getKernel(kernelName, name);
    const kernelFunc: tf.KernelFunc = (call) =>
      fast(call.backend as NativeBackend, call.inputs as Record<string, tf.TensorInfo>, call.attrs ?? {}) ??
      fallbackOf(kernelName, fallback)(call);
    replace({ ...fallback, kernelName, backendName: name, kernelFunc }, kernelFunc);
  }
}

/**
 * Registers the tfjs backend "native" over the compiled addon.
 *
 * @param options.threads - how many threads take part, default one a core.
 * @throws {SandboxError} if the engine is not compiled or does not run here.
 */
export function registerNativeBackend({ threads }: { readonly threads?: number } = {}): void {
  const addon = loadAddon();
  const store: TensorStore = { allocate: (bytes) => new Uint8Array(addon.allocate(bytes)) };
  registerBackend("native", { addon, store, threads });
}

function checkedThreads(threads: number): number {
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024)
    throw new RangeError(`engine: threads must be an integer from 1 to 1024, got ${threads}`);
  return threads;
}

function fallbackOf(name: string, kernel: tf.KernelConfig | undefined): tf.KernelFunc {
  if (!kernel) throw new Error(`engine: ${name} declined its inputs and has no other kernel`);
  return kernel.kernelFunc;
}

function replace(kernel: tf.KernelConfig, kernelFunc: tf.KernelFunc): void {
  if (tf.getKernel(kernel.kernelName, kernel.backendName)) tf.unregisterKernel(kernel.kernelName, kernel.backendName);
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

type WordsConstructor<A> = new (buffer: ArrayBufferLike, offset: number, length: number) => A;

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const isWords = (values: unknown): values is Words => values instanceof Float32Array || values instanceof Int32Array;

/** Whether an array shares bytes with a block. */
const liesIn = (values: unknown, block: Uint8Array): values is Float32Array =>
  ArrayBuffer.isView(values) &&
  values.buffer === block.buffer &&
  values.byteOffset < block.byteOffset + block.byteLength &&
  block.byteOffset < values.byteOffset + values.byteLength;
