/** @file Loads `@tensorflow/tfjs-node-gpu` and with it libtensorflow: once a process, silently. */
import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs";
import { quietly } from "../quietly.ts";
import { packageFolder, packageName, quietPath } from "./place.ts";

/** The package's backend, as far as it is used here. */
export interface TensorflowBackend extends tf.KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: Binding;
  /** What the backend knows of each array, by tfjs's data id. */
  readonly tensorMap: { get(dataId: object): unknown; set(dataId: object, entry: object): void };
  /** Handles of tensors; values that wait in JavaScript are handed over first. */
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
}

interface Output {
  readonly id: number;
  readonly shape: number[];
}

interface Binding {
  readonly TF_Version: string;
  /** Runs an operation by its name; attributes and inputs in TensorFlow's order. */
  executeOp(name: string, attributes: readonly object[], inputs: readonly number[], outputs: number): Output[];
  createTensor(shape: readonly number[], type: number, values: Float32Array | Int32Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
}

export interface Loaded {
  readonly backend: TensorflowBackend;
  /** `2.21.0`. */
  readonly version: string;
  /** Whether it drives a GPU. */
  readonly gpu: boolean;
  /** Threads that were asked for at the start. */
  readonly threads?: number;
}

let loading: Promise<Loaded> | undefined;

/**
 * @param threads - of one operation; default all cores. The library reads it once, when it starts.
 * @throws {Error} if the binding or the library does not load.
 */
export function loadTensorflow({ threads }: { readonly threads?: number } = {}): Promise<Loaded> {
  loading ??= load(threads);
  return loading;
}

async function load(threads: number | undefined): Promise<Loaded> {
  const environment = process.env;
  environment.TF_CPP_MIN_LOG_LEVEL ??= "3"; // its log would tear the terminal UI and --json
  environment.TF_FORCE_GPU_ALLOW_GROWTH ??= "true"; // not the whole memory of the GPU at once
  if (threads !== undefined) environment.TF_NUM_INTRAOP_THREADS = String(threads);
  restoreUtil();
  const start = async (): Promise<void> => void (await import(packageName));
  // Whatever it logs while it loads heeds no level.
  await (environment.TF_CPP_MIN_LOG_LEVEL === "3" ? quietly(quietPath(packageFolder() ?? ""), start) : start());
  const backend = tf.engine().findBackend("tensorflow") as TensorflowBackend;
  const { isUsingGpuDevice, binding } = backend;
  return { backend, version: binding.TF_Version, gpu: isUsingGpuDevice, ...(threads === undefined ? {} : { threads }) };
}

/** The package calls functions of `node:util` that Node 22 warns of and Node 23 dropped. */
function restoreUtil(): void {
  const util = createRequire(import.meta.url)("node:util") as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  util.isArray = Array.isArray;
}
