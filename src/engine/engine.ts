/** @file Chooses what executes tensors and starts it. The models above know tfjs alone. */
import * as tf from "@tensorflow/tfjs";
import { SandboxError } from "./errors.ts";
import { registerComposites, registerGradients } from "./fused.ts";
import { cpuRung } from "./ladder/cpu.ts";
import { type EngineName, engineNames, type Inspection, type Rung, type StartOptions } from "./ladder/ladder.ts";
import { nativeRung } from "./ladder/native.ts";
import { tensorflowRung } from "./ladder/tensorflow.ts";
import { wasmRung } from "./ladder/wasm.ts";
import { webgpuRung } from "./ladder/webgpu.ts";
import { didYouMean } from "./nearest.ts";
import { fusedKernels } from "./ops/table.ts";
import { offerScorePasses } from "./scorePasses.ts";

/** In the order of their names. */
const rungs: readonly Rung[] = [tensorflowRung, webgpuRung, nativeRung, wasmRung, cpuRung];

export interface Engine {
  readonly name: EngineName;
  /** For the user, e.g. `native (avx512, 2 threads)`. */
  readonly description: string;
}

/** One engine as `softbox doctor` lists it. */
export interface EngineReport {
  readonly name: EngineName;
  readonly inspection: Inspection;
}

/** What every engine says of itself, in the order in which `auto` asks. */
export async function inspectEngines(options: StartOptions = {}): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const rung of rungs) reports.push({ name: rung.name, inspection: await rung.inspect(options) });
  return reports;
}

/**
 * Starts an engine and makes it tfjs's global one. Any tfjs program runs on it from then on.
 *
 * `auto` takes the first usable of: tensorflow on a GPU, webgpu on a GPU, native, tensorflow on the CPU, wasm, cpu.
 *
 * @throws {SandboxError} if the name is unknown, or the engine cannot start here or not in the precision asked for; there
 * is no silent fallback.
 */
export async function useEngine(name = "auto", options: StartOptions = {}): Promise<Engine> {
  if (!engineNames.includes(name))
    throw new SandboxError(
      `engine: expected one of ${engineNames.join(", ")}, got ${JSON.stringify(name)}`,
      `${didYouMean(name, engineNames)}softbox doctor lists what is usable here.`,
    );
  tf.enableProdMode(); // silences tfjs's start banner, which would tear the terminal UI and --json
  registerGradients(fusedKernels);
  const rung = name === "auto" ? await chooseRung(options) : await namedRung(name, options);
  expectPrecision(rung, options);
  const { backendName, details, scorePasses } = await rung.start(options);
  registerComposites(fusedKernels, backendName);
  if (!(await tf.setBackend(backendName))) throw new Error(`engine ${rung.name}: tfjs refused the backend`);
  offerScorePasses(scorePasses);
  return { name: rung.name, description: `${rung.name} (${details})` };
}

function expectPrecision({ name, precisions = [] }: Rung, { precision = "float32" }: StartOptions): void {
  if (precision === "float32" || precisions.includes(precision)) return;
  const able = rungs.filter((rung) => rung.precisions?.includes(precision)).map((rung) => rung.name);
  throw new SandboxError(
    `engine ${name}: it computes in float32 only, got precision ${precision}`,
    `Leave the precision at float32, or choose --engine ${able.join(" or ")}.`,
  );
}

async function namedRung(name: string, options: StartOptions): Promise<Rung> {
  const rung = rungs.find((candidate) => candidate.name === name)!;
  const inspection = await rung.inspect(options);
  if (!inspection.usable) throw new SandboxError(`engine ${name}: ${inspection.reason}`, inspection.hint);
  return rung;
}

async function chooseRung(options: StartOptions): Promise<Rung> {
  const fallbacks: Rung[] = []; // webgpu without a GPU is software, slower than any other
  for (const rung of rungs) {
    const inspection = await rung.inspect({ ...options, lightly: true });
    if (!inspection.usable) continue;
    if (inspection.gpu || rung === nativeRung) return rung;
    if (rung !== webgpuRung) fallbacks.push(rung);
  }
  for (const rung of fallbacks) if ((await rung.inspect(options)).usable) return rung;
  return cpuRung;
}
