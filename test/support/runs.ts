/** @file Runs of tiny models in this process. */
import { join } from "node:path";
import { parseRunConfig, type RunConfig } from "../../src/experiments/config.ts";
import type { RunEvent } from "../../src/experiments/events.ts";
import { runTraining } from "../../src/experiments/runTraining.ts";
import { resumeRun, type Session, startRun } from "../../src/experiments/session.ts";
import { parseHead } from "../../src/lm/heads/shortForm.ts";

/** A run that evaluates every 4 steps, saves every 3, drops a tenth and accumulates two batches a step. */
export function tinyRun(corpus: string, head: string, training: object = {}): RunConfig {
  process.env.SOFTBOX_CACHE = join(corpus, "../cache");
  return parseRunConfig("test", {
    corpus,
    tokenizer: "char",
    model: {
      kind: "transformer",
      contextLength: 8,
      embedSize: 8,
      layers: 1,
      heads: 2,
      dropout: 0.1,
      head: parseHead(head),
    },
    training: {
      steps: 10,
      batchSize: 2,
      accumulate: 2,
      evaluateEvery: 4,
      evaluationTokens: 64,
      checkpointEvery: 3,
      schedule: { warmupSteps: 2, decaySteps: 10 },
      ...training,
    },
    probes: ["the "],
    sample: { prompt: "a", tokens: 4 },
  });
}

/** The same for a recurrent model with every regulariser. */
export function tinyRecurrentRun(corpus: string, kind: "lstm" | "gru", training: object): RunConfig {
  const dropped = { dropout: 0.1, inputDropout: 0.1, betweenDropout: 0.1, embeddingDropout: 0.1, weightDropout: 0.1 };
  const penalties = { activationPenalty: 2, temporalPenalty: 1 };
  const run = tinyRun(corpus, "softmax");
  return parseRunConfig("test", {
    ...run,
    training: { ...run.training, ...training },
    model: { kind, contextLength: 8, embedSize: 8, hiddenSizes: [7, 6], ...dropped, ...penalties },
  });
}

interface Told {
  readonly events: readonly RunEvent[];
  readonly warnings: readonly string[];
}

async function finish(session: Session, warnings: string[], signal?: AbortSignal): Promise<Told> {
  const events: RunEvent[] = [];
  try {
    for await (const event of runTraining(session, signal)) events.push(event);
  } finally {
    session.close();
  }
  return { events, warnings };
}

/** Trains a new run to its end. */
export async function trainFresh(config: RunConfig, folder: string): Promise<Told> {
  const warnings: string[] = [];
  const session = await startRun(config, { folder, engine: "test", onWarning: (line) => warnings.push(line) });
  return finish(session, warnings);
}

/** Goes on with a run to its end. */
export async function trainOn(folder: string, steps?: number): Promise<Told> {
  const warnings: string[] = [];
  const options = { folder, engine: "test", onWarning: (line: string) => warnings.push(line) };
  return finish(await resumeRun({ ...options, ...(steps === undefined ? {} : { steps }) }), warnings);
}
