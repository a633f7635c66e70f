/**
 * @file How a mixture uses its components over a text: the mean of the gate's weights, and how undecided it is at a position.
 *
 * A component that hardly ever gets weight is dead: it costs its arithmetic and says nothing. Its own gradient is scaled by that
 * weight, so it seldom comes back. Measured by gateUse.ts; this file loads no tensor library, so that screens may say it.
 */
/** What a gate does over a text. */
export interface GateUse {
  /** Mean weight of each component, `[K]`, sum 1. */
  readonly weights: readonly number[];
  /** Mean over positions of the weights' entropy, in nats: 0 = one component at a time, ln K = all alike. */
  readonly entropy: number;
  /** Positions that were looked at. */
  readonly tokens: number;
}

/** What is wrong with a gate. */
export interface GateWarning {
  /** The same for the same trouble, whatever its figures. */
  readonly key: string;
  readonly text: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A component with less than this share of an even weight, 1/K, is dead. */
const deadShare = 0.1;
/** Of ln K: below the first a gate decides nearly everywhere, above the second it does not choose. */
const [decided, undecided] = [0.02, 0.99];

/** Whether half of a run's steps are made: by then a gate should choose. */
export const isGrown = (step: number, steps: number): boolean => step >= steps / 2;

/** Components whose mean weight is below a tenth of an even share, from 0. */
export const deadComponents = ({ weights }: Pick<GateUse, "weights">): number[] =>
  weights.flatMap((weight, k) => (weight < deadShare / weights.length ? [k] : []));

/**
 * What a user should know of a gate.
 *
 * @param grown - whether the model has been trained for long enough that its gate should choose; a fresh one weighs all alike.
 */
export function gateWarnings(use: Pick<GateUse, "weights" | "entropy">, grown: boolean): GateWarning[] {
  const K = use.weights.length;
  if (K < 2) return [];
  const dead = deadComponents(use);
  if (dead.length > 0) return [deadWarning(use.weights, dead)];
  const figures = `entropy ${use.entropy.toFixed(3)} of at most ${Math.log(K).toFixed(3)} nats`;
  if (use.entropy < decided * Math.log(K))
    return [
      {
        key: "decided",
        text: `the gate takes one component alone at nearly every position (${figures}), so little is mixed`,
        hint: "A lower learning rate or more weight decay keeps it softer.",
      },
    ];
  if (grown && use.entropy > undecided * Math.log(K))
    return [
      {
        key: "undecided",
        text: `the gate weighs all components alike at every position (${figures}): it has not learned to choose`,
        hint: "Train for more steps, or mix fewer components, which cost less.",
      },
    ];
  return [];
}

/** `components 3 and 5 of 8 are dead: …`, counted from 1. */
function deadWarning(weights: readonly number[], dead: readonly number[]): GateWarning {
  const [K, alive] = [weights.length, weights.length - dead.length];
  const numbers = dead.map((k) => String(k + 1));
  const one = numbers.length === 1;
  const list = one ? numbers[0] : `${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
  const who = one ? `component ${list} of ${K} is dead` : `components ${list} of ${K} are dead`;
  const most = Math.max(...dead.map((k) => weights[k]!));
  const instead = alive === 1 ? "A softmax does the same for less" : `A mixture of ${alive} does the same for less`;
  return {
    key: `dead ${numbers.join()}`,
    text: `${who}: mean weight ${one ? "" : "at most "}${percent(most)}, where an even share is ${percent(1 / K)}`,
    hint: `More steps seldom revive ${one ? "it" : "them"}. ${instead}; or begin anew with a lower learning rate, a longer warm-up or another seed.`,
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.001 ? 3 : 1)} %`;

/** `gate: entropy 1.21 of at most 1.39 nats, mean weights 0.31 0.22 0.25 0.22`. */
export function gateLine({ weights, entropy }: Pick<GateUse, "weights" | "entropy">): string {
  const shown = weights.length <= 8 ? weights.map((weight) => weight.toFixed(2)).join(" ") : undefined;
  const range = `from ${Math.min(...weights).toFixed(4)} to ${Math.max(...weights).toFixed(4)}`;
  return `gate: entropy ${entropy.toFixed(2)} of at most ${Math.log(weights.length).toFixed(2)} nats, mean weights ${shown ?? range}`;
}
