/** @file `softbox doctor`: which engines are usable here, which is chosen, and how fast each is. */
import { cpus } from "node:os";
import * as tf from "@tensorflow/tfjs";
import type { Command } from "commander";
import { type EngineReport, inspectEngines, useEngine } from "../../engine/engine.ts";
import { nativeStatus } from "../../engine/native/addon.ts";
import { type CommandModule, declareEngine, type EngineOptions } from "../command.ts";
import { note, print, printJson } from "../output.ts";

interface DoctorFlags extends EngineOptions {
  readonly json?: boolean;
}

/** The probe: float32 matmuls of this size until about so much time has gone. */
const probeSize = 512;
const probeMilliseconds = 500;

function declare(command: Command): void {
  command.option("--json", "JSON instead of text");
  declareEngine(command);
}

/** GFLOP/s of float32 matmul on the active engine; one to warm up, then as many as fit the time. */
async function probe(): Promise<number> {
  const a = tf.randomUniform<tf.Rank.R2>([probeSize, probeSize], -1, 1, "float32", 1);
  const multiply = async (): Promise<void> => {
    const product = tf.matMul(a, a);
    await product.data();
    product.dispose();
  };
  await multiply();
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < probeMilliseconds; count++) await multiply();
  const seconds = (performance.now() - start) / 1000;
  a.dispose();
  return (count * 2 * probeSize ** 3) / seconds / 1e9;
}

async function measured(report: EngineReport, options: object): Promise<EngineReport & { gigaflops?: number }> {
  if (!report.inspection.usable) return report;
  await useEngine(report.name, options);
  return { ...report, gigaflops: Math.round(10 * (await probe())) / 10 };
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const { json, engine, threads } = options as DoctorFlags;
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

function reportLine({ name, inspection, gigaflops }: EngineReport & { gigaflops?: number }): string {
  if (!inspection.usable) return `${name.padEnd(11)} no   ${inspection.reason}\n${" ".repeat(17)}${inspection.hint}`;
  return `${name.padEnd(11)} yes  ${inspection.details}: ${gigaflops} GFLOP/s (float32 matmul, ${probeSize} × ${probeSize})`;
}

export const doctor: CommandModule = { declare, run };
