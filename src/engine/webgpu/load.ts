/** @file tfjs's WebGPU backend on a device of Dawn: loaded without globals, and with the device's features that our kernels use. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import * as tf from "@tensorflow/tfjs";
import type { BufferManager } from "./buffers.ts";
import { findAdapter, type GpuAdapter, type GpuDevice, startDawn } from "./dawn.ts";
import type { GuardedBackend } from "./guard.ts";
import { parts, placeOf } from "./place.ts";

export interface LoadedWebgpu {
  readonly backend: tf.KernelBackend & GuardedBackend & { readonly bufferManager: BufferManager; submitQueue(): void };
  readonly adapter: GpuAdapter;
  readonly device: GpuDevice;
}

/** The package `@tensorflow/tfjs-backend-webgpu`. */
interface BackendPackage {
  readonly WebGPUBackend: new (device: GpuDevice, info: object) => LoadedWebgpu["backend"];
}

let loading: Promise<LoadedWebgpu> | undefined;

/** Starts the backend, once a thread, without making it tfjs's. @throws {Error} if there is no adapter, or anything does not load. */
export function loadWebgpu(): Promise<LoadedWebgpu> {
  loading ??= load();
  return loading;
}

async function load(): Promise<LoadedWebgpu> {
  const adapter = await findAdapter();
  if (!adapter) throw new Error("there is no adapter");
  const device = await requestDevice(adapter);
  const { WebGPUBackend } = evaluate((await startDawn()).globals);
  return { backend: new WebGPUBackend(device, adapter.info), adapter, device };
}

/** All that the adapter can hold and do of what our kernels, or tfjs's, have a use for. */
function requestDevice(adapter: GpuAdapter): Promise<GpuDevice> {
  const { features, limits } = adapter;
  const wantedFeatures = ["timestamp-query", "subgroups", "shader-f16"].filter((name) => features.has(name));
  const wantedLimits = [
    "maxComputeWorkgroupStorageSize",
    "maxComputeWorkgroupsPerDimension",
    "maxComputeWorkgroupSizeX",
    "maxComputeInvocationsPerWorkgroup",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxBufferSize",
  ];
  return adapter.requestDevice({
    requiredFeatures: wantedFeatures,
    requiredLimits: Object.fromEntries(wantedLimits.map((name) => [name, limits[name]])),
  });
}

/**
 * The package expects a browser's globals and a tfjs that it finds for itself. Here it is handed both: its file needs nothing else,
 * and this process's globals stay as they were.
 */
function evaluate(globals: Readonly<Record<string, unknown>>): BackendPackage {
  const path = join(placeOf(), parts.backend);
  const exports = {};
  const fromTfjs = createRequire(createRequire(import.meta.url).resolve("@tensorflow/tfjs"));
  const world = { ...globals, navigator: { gpu: {} } };
  const given: Readonly<Record<string, unknown>> = {
    ...world,
    globalThis: Object.create(globalThis, Object.getOwnPropertyDescriptors(world)), // Node 21 and later have a navigator that cannot be set
    exports,
    require: fromTfjs,
  };
  compileFunction(readFileSync(path, "utf8"), Object.keys(given), { filename: path })(...Object.values(given));
  tf.removeBackend("webgpu"); // it registers one that would ask for a device of its own
  return exports as BackendPackage;
}
