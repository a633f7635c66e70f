/** @file Dawn, the WebGPU of Chrome, in Node: which adapter it offers here. Knows nothing of tfjs. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { quietly } from "../quietly.ts";
import { parts, placeOf } from "./place.ts";

export interface GpuAdapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(description: object): Promise<GpuDevice>;
}

/** As far as it is used here. */
export interface GpuDevice {
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  addEventListener(event: "uncapturederror", listener: (event: GpuErrorEvent) => void): void;
  destroy(): void;
}

interface GpuErrorEvent {
  readonly error: Error;
  preventDefault(): void;
}

/** The npm package `webgpu`. */
interface Dawn {
  create(flags: readonly string[]): Gpu;
  /** `GPUBuffer`, `GPUBufferUsage`, …: what a browser has as globals. */
  readonly globals: Readonly<Record<string, unknown>>;
}
interface Gpu {
  requestAdapter(options: object): Promise<GpuAdapter | null>;
}

interface Started {
  readonly globals: Dawn["globals"];
  /** The whole of Dawn; everything that it hands out dies with it. */
  readonly gpu: Gpu;
}

let starting: Promise<Started> | undefined;

/** Loads the library, once a thread. @throws {Error} if it does not load. */
export function startDawn(): Promise<Started> {
  starting ??= load();
  return starting;
}

async function load(): Promise<Started> {
  const { create, globals } = (await import(pathToFileURL(join(placeOf(), parts.dawn)).href)) as Dawn;
  return { globals, gpu: create([]) };
}

/** Asks for the fastest adapter; a device is to be asked of it once. `undefined` where Dawn finds no driver. */
export async function findAdapter(): Promise<GpuAdapter | undefined> {
  const { gpu } = await startDawn();
  const ask = (): Promise<GpuAdapter | null> => gpu.requestAdapter({ powerPreference: "high-performance" });
  return (await quietly(join(placeOf(), parts.quiet), ask)) ?? undefined; // it remarks on limits of software adapters
}

export const nameOf = ({ info }: GpuAdapter): string =>
  info.description || [info.vendor, info.architecture].filter(Boolean).join(" ") || "an adapter without a name";

/** Whether an adapter is a program on the processor, slower than the engine native. */
export const isSoftware = (adapter: GpuAdapter): boolean =>
  adapter.info.isFallbackAdapter === true || /llvmpipe|lavapipe|swiftshader|basic render/i.test(nameOf(adapter));
