/** @file The learning rate as a pure function of the step. */
import type { ScheduleConfig } from "./config.ts";

/** Share of the way from the largest to the final rate that is left at `progress` in [0, 1]. */
const decays = {
  cosine: (progress: number) => 0.5 * (1 + Math.cos(Math.PI * progress)), // Loshchilov and Hutter 2017, eq. 5
  linear: (progress: number) => 1 - progress,
  constant: () => 1,
} satisfies Record<ScheduleConfig["kind"], (progress: number) => number>;

/**
 * Learning rate of a step: linear warm-up to `largest`, then the decay to `finalShare · largest` at `decaySteps`.
 *
 * @param step - from 1.
 */
export function learningRateAt(step: number, largest: number, schedule: ScheduleConfig): number {
  const { kind, warmupSteps, decaySteps, finalShare } = schedule;
  if (step <= warmupSteps) return (largest * step) / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, decaySteps - warmupSteps));
  return largest * (finalShare + (1 - finalShare) * decays[kind](progress));
}
