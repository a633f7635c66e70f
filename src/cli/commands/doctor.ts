/** @file `softbox doctor`: which engines are usable here, which is chosen, how fast each is; and it installs those that need it. */
import { cpus } from "node:os";
import type { Command } from "commander";
import { type EngineReport, inspectEngines, useEngine } from "../../engine/engine.ts";
import { SandboxError } from "../../engine/errors.ts";
import { measureEngine, probeSize } from "../../engine/measure.ts";
import { nativeStatus } from "../../engine/native/addon.ts";
import { type CommandModule, declareEngine, type EngineOptions } from "../command.ts";
import { createProgress, type Progress } from "../install/progress.ts";
import { note, print, printJson } from "../output.ts";

interface DoctorFlags extends EngineOptions {
  readonly json?: boolean;
  /** An engine to install. */
  readonly install?: string;
  readonly remove?: string;
  readonly cuda?: boolean;
  readonly from?: string;
  readonly index?: string;
}

/** Engines that can be installed, each loaded when it is asked for. */
const installers: Readonly<Record<string, () => Promise<Installer>>> = {
  tensorflow: async () => {
    const { installTensorflow, removeTensorflow } = await import("../install/tensorflow.ts");
    return { install: installTensorflow, remove: removeTensorflow };
  },
  webgpu: async () => {
    const { installWebgpu, removeWebgpu } = await import("../install/webgpu.ts");
    return { install: installWebgpu, remove: removeWebgpu };
  },
};

interface Installer {
  install(options: DoctorFlags, progress: Progress): Promise<void>;
  remove(progress: Progress): Promise<void>;
}

function declare(command: Command): void {
  command
    .option("--json", "JSON instead of text")
    .option("--install <engine>", `put an engine in place: ${Object.keys(installers).join(", ")}`)
    .option("--remove <engine>", "take back what --install put in place")
    .option("--cuda", "with --install tensorflow: the build for NVIDIA GPUs, and CUDA 12's libraries (3 GB more)")
    .option("--from <path>", "with --install tensorflow: a wheel, a folder of wheels, or Python's site-packages")
    .option("--index <url>", "with --install tensorflow: the package index to ask (default: pip's)");
  declareEngine(command);
}

async function measured(report: EngineReport, options: object): Promise<EngineReport & { gigaflops?: number }> {
  if (!report.inspection.usable) return report;
  await useEngine(report.name, options);
  return { ...report, gigaflops: await measureEngine() };
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const flags = options as DoctorFlags;
  if (flags.install !== undefined || flags.remove !== undefined) return change(flags);
  for (const name of ["cuda", "from", "index"] as const)
    if (flags[name] !== undefined)
      throw new SandboxError(`--${name}: it belongs to --install`, "softbox doctor --install tensorflow --help");
  const { json, engine, threads } = flags;
  const start = { onLine: note, ...(threads === undefined ? {} : { threads }) };
  const reports = [];
  for (const report of await inspectEngines(start)) reports.push(await measured(report, start));
  const wanted = engine ?? process.env.SOFTBOX_ENGINE ?? "auto";
  const chosen = await useEngine(wanted, start);
  const status = nativeStatus();
  const processor = `${cpus()[0]?.model.trim() ?? "unknown"}, ${cpus().length} cores`;
  if (json)
    return printJson({ node: process.version, processor, chosen: chosen.name, engines: reports, native: status });
  print(`node ${process.version} on ${processor}`);
  if (status.usable)
    print(
      `instruction sets: ${status.instructions.join(", ")} · threads: ${status.threads} · compiler: ${status.compiler}`,
    );
  print();
  for (const report of reports) print(reportLine(report));
  print();
  print(`chosen by ${wanted}: ${chosen.description}`);
}

async function change(flags: DoctorFlags): Promise<void> {
  const [flag, name] = flags.install === undefined ? ["--remove", flags.remove!] : ["--install", flags.install];
  const load = Object.hasOwn(installers, name) ? installers[name] : undefined;
  if (!load)
    throw new SandboxError(
      `${flag}: expected one of ${Object.keys(installers).join(", ")}, got ${JSON.stringify(name)}`,
      "The other engines come with softbox; softbox doctor lists them.",
    );
  const { install, remove } = await load();
  const progress = createProgress();
  await (flag === "--install" ? install(flags, progress) : remove(progress));
}

function reportLine({ name, inspection, gigaflops }: EngineReport & { gigaflops?: number }): string {
  if (!inspection.usable) return `${name.padEnd(11)} no   ${inspection.reason}\n${" ".repeat(17)}${inspection.hint}`;
  return `${name.padEnd(11)} yes  ${inspection.details}: ${gigaflops} GFLOP/s (float32 matmul, ${probeSize} × ${probeSize})`;
}

export const doctor: CommandModule = { declare, run };
