/** @file `softbox worker`: takes trials of sweeps from a queue in Redis and trains them here. */
import type { Command } from "commander";
import { SandboxError } from "../../engine/errors.ts";
import { expectQueueUrl } from "../../experiments/queue/redis.ts";
import type { WorkshopEvent } from "../../experiments/workshop.ts";
import { type CommandModule, declareEngine, type EngineOptions, wholeNumber } from "../command.ts";
import { addHelp } from "../helpText.ts";
import { note, print, printJson } from "../output.ts";
import { stopOnSignals } from "../stopOnSignals.ts";
import { engineFlags, sharedThreads } from "../trainVariants.ts";

interface WorkerFlags extends EngineOptions {
  readonly queue?: string;
  readonly parallel: number;
  readonly idle?: number;
  readonly json?: boolean;
}

function declare(command: Command): void {
  command
    .option("--queue <url>", "the Redis where sweeps put their trials: redis://host:6379")
    .option("--parallel <n>", "trials at once, each a process of its own", wholeNumber("--parallel", 1, 64), 1)
    .option(
      "--idle <seconds>",
      "end when there was nothing to do for so long (default: never)",
      wholeNumber("--idle", 1),
    )
    .option("--json", "one JSON object an event");
  declareEngine(command);
  addHelp(command, () => [
    "Start it in the folder where the sweep is started, or in the same folder of shared storage on another machine: runs and texts are found by the sweep's own paths. --engine and --threads hold where the sweep names none.",
    "Ctrl-C saves the trials at work and hands them back. A worker that dies is replaced within some ten seconds: another one goes on from the last checkpoint. Only workers of the sweep's own softbox take its trials.",
  ]);
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const flags = options as unknown as WorkerFlags;
  if (flags.queue === undefined)
    throw new SandboxError("worker: no queue is named", "For example softbox worker --queue redis://127.0.0.1:6379.");
  expectQueueUrl(flags.queue);
  const { workOnQueue } = await import("../../experiments/queue/worker.ts");
  const { signal, release } = stopOnSignals("stopping after the steps at hand, saving, handing trials back");
  try {
    await workOnQueue(
      {
        url: flags.queue,
        parallel: flags.parallel,
        flags: engineFlags(sharedThreads(flags, flags.parallel)),
        ...(flags.idle !== undefined && { idleSeconds: flags.idle }),
        onEvent: flags.json ? printJson : tell,
        onLine: note,
      },
      signal,
    );
  } finally {
    release();
  }
  if (signal.aborted) process.exitCode = 130;
}

/** A line an event; steps are told by the sweep. */
function tell(event: WorkshopEvent): void {
  if (event.type === "failed") print(`${event.name}: failed: ${event.reason}`);
  else if (event.type === "waiting") print(`${event.name}: another process trains it, waiting for it to end`);
  else if (event.type === "stopped") print(`${event.name}: stopped, saved, handed back`);
  else if (event.type === "started" || event.type === "finished") print(`${event.name}: ${event.type}`);
}

export const worker: CommandModule = { declare, run };
