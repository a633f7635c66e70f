/** @file Asks a run's model what a report shows of it, on a bounded amount of the run's own validation text. Loads tfjs. */
import { logProbabilityMatrix, rankBound } from "../../analysis/bottleneck.ts";
import { attentionMap } from "../../analysis/layers.ts";
import { spectrumOf } from "../../analysis/spectrum.ts";
import { measureReliability } from "../../calibration/reliability.ts";
import { SandboxError } from "../../engine/errors.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import type { Attention, FiguresOrReason, HeadMap, ModelFigures } from "../../experiments/report/figures.ts";
import { spread } from "../../experiments/report/page.ts";
import { modelPredictions } from "../../training/predictions.ts";
import { note } from "../output.ts";
import { tokenName } from "../play/tokenName.ts";
import { textOfRun } from "../textOfRun.ts";

/** Tokens over which calibration is measured, at most. */
const calibrationTokens = 4096;
/** Contexts and tokens of the matrix whose spectrum is shown, at most. */
const [matrixContexts, matrixTokens] = [256, 256];
/** Tokens whose attention is shown; layers and heads of a layer, at most. */
const [attentionTokens, attentionLayers, attentionHeads] = [16, 4, 4];

/** The best checkpoint's figures; where the run lacks what it takes, the reason. */
export async function modelFigures(folder: string): Promise<FiguresOrReason> {
  try {
    const run = await loadRun(folder, "best", note);
    try {
      return { figures: await figuresOf(run) };
    } finally {
      run.dispose();
    }
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    note(`warning: ${folder}: its model is not shown: ${error.message}`);
    return { reason: error.message };
  }
}

async function figuresOf(run: LoadedRun): Promise<ModelFigures> {
  const { ids, where } = await textOfRun(run, {}, "report");
  const attention = await attentionOf(run, ids);
  return {
    step: run.step,
    text: where,
    reliability: await reliabilityOf(run, ids),
    spectrum: await spectrumFigure(run, ids),
    ...(attention && { attention }),
  };
}

function reliabilityOf({ model, config }: LoadedRun, ids: Int32Array): Promise<ModelFigures["reliability"]> {
  const { batchSize } = config.training;
  return measureReliability(modelPredictions(model, { ids, batchSize, maxTokens: calibrationTokens }));
}

async function spectrumFigure({ model }: LoadedRun, ids: Int32Array): Promise<ModelFigures["spectrum"]> {
  const places = ids.length - Math.min(model.config.contextLength, Math.floor(ids.length / 2)) + 1;
  const size = { contexts: Math.min(matrixContexts, places), tokens: Math.min(matrixTokens, new Set(ids).size) };
  const spectrum = spectrumOf(await logProbabilityMatrix(model, ids, size));
  return { spectrum, bound: rankBound(model.config), ...size };
}

async function attentionOf({ model, tokenizer }: LoadedRun, ids: Int32Array): Promise<Attention | undefined> {
  const { config } = model;
  if (config.kind !== "transformer") return undefined;
  const text = [...ids.subarray(0, Math.min(attentionTokens, config.contextLength))];
  const { layers, heads } = config;
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const maps: HeadMap[] = [];
  for (const layer of spread(upTo(layers), attentionLayers))
    for (const head of spread(upTo(heads), attentionHeads)) {
      const { weights } = await attentionMap(model, text, layer, head);
      maps.push({ layer, head, weights: weights.map((row) => [...row]) });
    }
  return { tokens: text.map((id) => tokenName(tokenizer, id)), maps, layers, heads };
}
