/** @file Filters that look at the text so far: what has been there becomes less likely. As in `filters.ts`, but a token's place must be its id. */
import { maximum } from "../lm/softmax.ts";
import { type Field, removed, withScores } from "./field.ts";
import type { Filter } from "./filters.ts";

/** The last `window` ids; 0 means all of them. */
const recent = (ids: readonly number[], window: number): readonly number[] => (window > 0 ? ids.slice(-window) : ids);

/** How often each id of the vocabulary came. */
function countsOf(ids: readonly number[], V: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of ids) if (id < V) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** A field with the scores of some ids changed. */
function changed(field: Field, ids: Iterable<number>, change: (score: number, id: number) => number): Field {
  const copy = field.scores.slice();
  for (const id of ids) if (copy[id]! > removed) copy[id] = change(copy[id]!, id);
  return maximum(copy) > removed ? withScores(field, copy) : field; // nothing left: nothing is changed
}

/** What makes scores log-probabilities: `ln Σ e^s`. */
function logTotalOf({ sums }: Field): number {
  const { top, total } = sums();
  return top + Math.log(total);
}

/**
 * `p^θ` for every token that came among the last `window` (Keskar et al. 2019, arXiv 1909.05858, section 4.1, on
 * log-probabilities instead of logits: a mixture has none, and where 0 lies would be chance); 1 changes nothing.
 */
export const repetition =
  (theta: number, window: number): Filter =>
  (field, { ids = [] } = {}) => {
    if (theta === 1) return field;
    const shift = logTotalOf(field);
    return changed(field, new Set(recent(ids, window)), (score) => (score - shift) * theta + shift);
  };

/** Takes `amount` nats from every token that came among the last `window` (OpenAI's presence_penalty); 0 changes nothing. */
export const presence =
  (amount: number, window: number): Filter =>
  (field, { ids = [] } = {}) =>
    amount === 0 ? field : changed(field, new Set(recent(ids, window)), (score) => score - amount);

/** Takes `amount` nats for each time that a token came among the last `window` (OpenAI's frequency_penalty); 0 changes nothing. */
export const frequency =
  (amount: number, window: number): Filter =>
  (field, { ids = [] } = {}) => {
    if (amount === 0) return field;
    const counts = countsOf(recent(ids, window), field.scores.length);
    return changed(field, counts.keys(), (score, id) => score - amount * counts.get(id)!);
  };

/**
 * Removes tokens that would complete a sequence of `n` that the text holds already (Paulus et al. 2017, arXiv 1705.04304,
 * section 2.5); 0 removes none. Where that would leave nothing, nothing is removed.
 */
export const noRepeatNgram =
  (n: number): Filter =>
  (field, { ids = [] } = {}) => {
    if (n === 0 || ids.length < n) return field;
    const end = ids.slice(ids.length - n + 1);
    const banned = new Set<number>();
    for (let at = 0; at + n <= ids.length; at++)
      if (end.every((id, i) => ids[at + i] === id)) banned.add(ids[at + n - 1]!);
    return changed(field, banned, () => removed);
  };

/**
 * "Don't repeat yourself" (text-generation-webui, pull request 5677): where the text's last L tokens came before and a token
 * followed them there, that token loses `multiplier · base^(L − allowed)` nats, for the largest L that is at least `allowed`;
 * multiplier 0 changes nothing.
 */
export const dry =
  (multiplier: number, base: number, allowed: number): Filter =>
  (field, { ids = [] } = {}) => {
    if (multiplier === 0) return field;
    const lengths = new Map<number, number>();
    for (let next = 1; next < ids.length; next++) {
      let length = 0;
      while (length < next && ids[next - 1 - length] === ids[ids.length - 1 - length]) length++;
      if (length >= allowed) lengths.set(ids[next]!, Math.max(length, lengths.get(ids[next]!) ?? 0));
    }
    const penalty = (id: number): number => multiplier * base ** (lengths.get(id)! - allowed);
    return changed(field, lengths.keys(), (score, id) => Math.max(score - penalty(id), -3e38)); // finite: less likely, not removed
  };

/** Adds nats to tokens by id; −∞ is not among them, −100 does for "never". */
export const logitBias =
  (biases: Readonly<Record<string, number>>): Filter =>
  (field) => {
    const ids = Object.keys(biases)
      .map(Number)
      .filter((id) => id < field.scores.length);
    return ids.length ? changed(field, ids, (score, id) => score + biases[id]!) : field;
  };
