/** @file The non-monotonic trigger: when a series of losses stops improving. All it knows is in one variable, for checkpoints. */
import * as tf from "@tensorflow/tfjs";

export interface Trigger {
  /** `[step it fired at or −1, losses seen, best of the older ones, the last `patience` losses]`. */
  readonly variable: tf.Variable<tf.Rank.R1>;
  /** The step at which it fired. */
  firedAt(): number | undefined;
  /** Takes the next loss; fires once it is above the best of those that are more than `patience` losses back. */
  evaluated(loss: number, step: number): void;
}

/** Stands for the best of no losses; finite, as checkpoints are. */
const none = 3e38;

/** A loss that is not a number neither fires it nor counts. */
export function createTrigger(patience: number): Trigger {
  const start = [-1, 0, none, ...Array.from({ length: patience }, () => none)];
  const variable: tf.Variable<tf.Rank.R1> = tf.tidy(() => tf.variable(tf.tensor1d(start), false));
  const read = (): number[] => Array.from(variable.dataSync());
  return {
    variable,
    firedAt: () => {
      const [fired] = read() as [number];
      return fired < 0 ? undefined : fired;
    },
    evaluated: (given, step) => {
      const [fired, seen, best, ...recent] = read() as [number, number, number, ...number[]];
      const loss = Math.fround(given); // as it will be remembered
      if (!Number.isFinite(loss)) return;
      const now = fired < 0 && seen > patience && loss > best ? step : fired;
      const [oldest, ...rest] = [...recent, loss];
      tf.tidy(() => variable.assign(tf.tensor1d([now, seen + 1, Math.min(best, oldest!), ...rest])));
    },
  };
}
