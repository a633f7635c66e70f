/** @file The rank of a run's log-probabilities and the bound that its head sets. Loads tfjs. */
import { logProbabilityMatrix, rankBound } from "../analysis/bottleneck.ts";
import { type Spectrum, spectrumOf } from "../analysis/spectrum.ts";
import { loadRun } from "../experiments/loadRun.ts";
import { headName } from "../lm/heads/shortForm.ts";
import { note } from "./output.ts";
import { type TextFlags, textOfRun } from "./textOfRun.ts";

/** Columns of the matrix where nobody says, and rows. */
export const usualColumns = 384;
export const usualRows = 384;

export interface RankFlags extends TextFlags {
  /** Which checkpoint. */
  readonly step: string;
  /** Rows of the matrix. */
  readonly contexts: number;
  /** Columns; where absent {@link usualColumns}, or as many tokens as the text has. */
  readonly tokens?: number;
}

/** What is told of one run. */
export interface RankFinding {
  readonly run: string;
  readonly head: string;
  readonly embedSize: number;
  readonly bound: number | undefined;
  readonly spectrum: Spectrum;
}

/** @throws {SandboxError} if there is no such run or step, or the text is too short. */
export async function examineRank(folder: string, flags: RankFlags): Promise<RankFinding> {
  const loaded = await loadRun(folder, flags.step, note);
  try {
    const { ids } = await textOfRun(loaded, flags, "bottleneck");
    const tokens = flags.tokens ?? Math.min(usualColumns, new Set(ids).size);
    const rows = await logProbabilityMatrix(loaded.model, ids, { contexts: flags.contexts, tokens });
    const { config } = loaded.model;
    const names = { run: folder, head: headName(config.head), embedSize: config.embedSize };
    return { ...names, bound: rankBound(config), spectrum: spectrumOf(rows) };
  } finally {
    loaded.dispose();
  }
}
