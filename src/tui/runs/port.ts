/** @file What the screen of runs needs: their lines and curves, as plain data. */
import type { RunCurves, RunSummary } from "../../experiments/runSummary.ts";

/** A run with what is drawn of it. */
export interface RunRecord {
  readonly summary: RunSummary;
  readonly curves: RunCurves;
}

export interface RunsPort {
  /** All runs as they are now, one after another; called again and again while the screen is shown. */
  read(): AsyncIterable<RunRecord>;
}
