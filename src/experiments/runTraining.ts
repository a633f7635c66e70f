/** @file Trains a run and keeps its record: metrics, timings, probes, samples, checkpoints. Still an async stream of events. */
import { join } from "node:path";
import { gateUse } from "../analysis/gateUse.ts";
import { replaceFile } from "../engine/files.ts";
import { describeNext } from "../sampling/distribution.ts";
import { generate } from "../sampling/generate.ts";
import { parseSamplingSettings } from "../sampling/settings.ts";
import type { Batch } from "../text/batches.ts";
import { createStreamDecoder, type Tokenizer } from "../text/tokenizer.ts";
import type { EvaluationEvent, TrainingEvent } from "../training/events.ts";
import { type Progress, train } from "../training/train.ts";
import { saveCheckpoint } from "./checkpoints.ts";
import type { GateEvent, ProbeEvent, RunEvent, SampleEvent } from "./events.ts";
import { type LineWriter, openLines } from "./jsonLines.ts";
import { expectLocked } from "./lock.ts";
import { gapAfter } from "./prompts.ts";
import { checkpointVariables, lineFiles, type Session } from "./session.ts";
import { openBoard } from "./tensorboard/board.ts";
import { modelHistograms } from "./tensorboard/modelHistograms.ts";

/** Tokens that a probe records. */
const probedTokens = 20;

/** Tokens of the validation split over which a gate is watched. */
const watchedTokens = 2048;
/** Where what is looked at besides is kept. */
const fileOf = { gate: "metrics.jsonl", probe: "probes.jsonl", sample: "samples.jsonl" } as const;

type Record = { readonly [file in (typeof lineFiles)[number]]: LineWriter };

/** What may be asked of a run that is under way. */
export interface RunControls {
  /** Asked after each step: whether to save now. A `checkpoint` event tells that it is done. */
  readonly isSaveWanted?: () => boolean;
}

/** Trains until the configured steps are done or `signal` aborts; in both cases the state is safe when the stream ends. */
export async function* runTraining(
  session: Session,
  signal?: AbortSignal,
  controls: RunControls = {},
): AsyncGenerator<RunEvent> {
  const { folder, config, progress, model, dataset, tensorboard } = session;
  const board = tensorboard ? await openBoard(folder, config, progress.step) : undefined;
  const record = Object.fromEntries(lineFiles.map((file) => [file, openLines(join(folder, file))])) as Record;
  const flush = (): void => {
    for (const lines of Object.values(record)) lines.flush();
    board?.flush();
  };
  try {
    for await (const event of train({ ...trainOptions(session, flush, signal), ...controls })) {
      write(record, event);
      board?.add(event);
      yield event;
      if (event.type !== "evaluation") continue;
      for await (const extra of look(session, event)) {
        record[fileOf[extra.type]].append({ ...extra, ...finalMark(event) });
        board?.add(extra);
        yield extra;
      }
      board?.show(event.step, await modelHistograms(model, dataset.splits.validation.ids));
    }
  } finally {
    for (const lines of Object.values(record)) lines.close();
    board?.close();
  }
}

function trainOptions(session: Session, flush: () => void, signal: AbortSignal | undefined) {
  const { folder, config, dataset, model, optimizer, carried, progress } = session;
  const { tokenizer, splits } = dataset;
  const variables = checkpointVariables(session);
  return {
    model,
    optimizer,
    carried,
    progress,
    config: config.training,
    seed: config.seed,
    trainIds: splits.train.ids,
    validationIds: splits.validation.ids,
    tokenBytes: tokenByteLengths(tokenizer),
    save: async (now: Progress, best: boolean) => {
      expectLocked(folder);
      flush(); // first: a checkpoint's lines are never missing
      const keep = config.training.keepCheckpoints;
      await saveCheckpoint(folder, variables, now, {
        identity: { tokenizer: tokenizer.hash, model: config.model },
        best,
        keep,
      });
    },
    dump: async (step: number, batches: readonly Batch[]) => {
      const path = join(folder, "not-finite-batch.json");
      const plain = batches.map(({ inputs, targets }) => ({ inputs: [...inputs], targets: [...targets] }));
      await replaceFile(path, JSON.stringify({ step, batches: plain }));
      return path;
    },
    ...(signal ? { signal } : {}),
  };
}

/** Bytes of every token, by id. */
export const tokenByteLengths = (tokenizer: Tokenizer): Int32Array =>
  Int32Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id).length);

/** Marks lines that exist only because the run stopped at this step. */
const finalMark = ({ scheduled }: EvaluationEvent): { final?: true } => (scheduled ? {} : { final: true });

/** Numbers that a resumed run repeats exactly go to metrics; times go elsewhere. */
function write(record: Record, event: TrainingEvent): void {
  if (event.type === "step") {
    const { milliseconds, tokens, ...metrics } = event;
    record["metrics.jsonl"].append(metrics);
    const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
    record["timings.jsonl"].append({ step: event.step, tokens, milliseconds, peakMiB });
  } else if (event.type === "evaluation") {
    const { scheduled: _, ...metrics } = event;
    record["metrics.jsonl"].append({ ...metrics, ...finalMark(event) });
  } else if (event.type === "skipped") record["metrics.jsonl"].append(event);
}

/** The gate of a mixture, probes and a sample at an evaluation. */
async function* look(
  { config, dataset, prompts, model }: Session,
  { step, nats }: EvaluationEvent,
): AsyncGenerator<GateEvent | ProbeEvent | SampleEvent> {
  if (!Number.isFinite(nats)) return; // a model that has diverged draws no token; the steps to come will tell
  const { tokenizer, splits } = dataset;
  const { batchSize } = config.training;
  const use = await gateUse(model, splits.validation.ids, { batchSize, maxTokens: watchedTokens });
  if (use) yield { type: "gate", step, ...use };
  const settings = parseSamplingSettings({});
  for (const { text: prompt, ids } of prompts.probes) {
    const { logProbs } = await model.next(ids);
    const { candidates } = describeNext(logProbs, settings, probedTokens);
    const tokens = candidates.map(({ id, raw }) => ({ text: tokenizer.decode([id]), probability: raw }));
    yield { type: "probe", step, prompt, tokens };
  }
  if (!prompts.sample) return;
  const { text: prompt, ids } = prompts.sample;
  const decoder = createStreamDecoder(tokenizer);
  let text = gapAfter(prompt, tokenizer);
  const options = { prompt: ids, settings: config.sample.settings, maxTokens: config.sample.tokens };
  for await (const { id } of generate(model, options)) text += decoder.push(id);
  yield { type: "sample", step, prompt, text: text + decoder.end() };
}
