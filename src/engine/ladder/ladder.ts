/** @file What the engine ladder asks of an engine. */
import type { Precision } from "../native/addon.ts";
import type { ScorePasses } from "../scorePasses.ts";

export type { Precision } from "../native/addon.ts";

/** What an engine says of itself, without being started. */
export type Inspection =
  | { readonly usable: true /** Drives a real GPU. */; readonly gpu: boolean; readonly details: string }
  | { readonly usable: false; readonly reason: string /** What to type. */; readonly hint: string };

export interface StartOptions {
  /** Threads for engines that let themselves be told; default the processor's cores. */
  readonly threads?: number;
  /** What the inputs of matrix products are rounded to; sums and everything else stay float32. Default float32. */
  readonly precision?: Precision;
  /** Receives a line when something long goes on, e.g. a compilation. */
  readonly onLine?: (line: string) => void;
}

export interface InspectOptions extends StartOptions {
  /** Believe what files say: load a large library only where it may drive a GPU. */
  readonly lightly?: boolean;
}

/** Every rung, from the one most wished for to the one that is always there. */
const rungNames = ["tensorflow", "webgpu", "native", "wasm", "cpu"] as const;
export type EngineName = (typeof rungNames)[number];
/** What may be asked for. */
export const engineNames: readonly string[] = ["auto", ...rungNames];

/** One rung: a tfjs backend and how to come by it. */
export interface Rung {
  readonly name: EngineName;
  /** The precisions it can compute in besides float32. */
  readonly precisions?: readonly Precision[];
  /** Says whether the engine can start here. Never throws. */
  inspect(options: InspectOptions): Promise<Inspection>;
  /** Registers and readies the tfjs backend. */
  start(options: StartOptions): Promise<Started>;
}

export interface Started {
  /** The tfjs backend's. */
  readonly backendName: string;
  /** For the user, e.g. `avx512, 2 threads`. */
  readonly details: string;
  /** Absent where JavaScript's are as fast: in WebAssembly they are. */
  readonly scorePasses?: ScorePasses;
}
