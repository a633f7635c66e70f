/**
 * @file Train, validation and calibration text: by position, deterministic, cut where no tokenizer minds.
 *
 * A cut before white space never divides a match of GPT-2's expression, and the tokens on both sides are those of the
 * uncut text (after a newline they might not be: "\n\n" at the end of a text is one token, before a word two).
 */
import { SandboxError } from "../engine/errors.ts";

/** Parts of the text; each from 0 to 1, together 1. */
export interface SplitShares {
  readonly train: number;
  readonly validation: number;
  readonly calibration: number;
}

export type SplitName = keyof SplitShares;

export const splitNames = ["train", "validation", "calibration"] as const satisfies SplitName[];

/** Shares are decimal fractions: 0.9 + 0.05 + 0.05 may miss 1 by a little. */
const rounding = 1e-9;

/** How far a cut may move to find the end of a line or word, in UTF-16 units, and as a part of the smallest split. */
const reach = { units: 4096, share: 0.25 };

/**
 * Cuts a text in three; put together they are the text again.
 *
 * A cut falls at the nearest end of a line, else of a word, else exactly at its share (never within a character).
 *
 * @throws {SandboxError} if the shares are no parts of a whole.
 */
export function splitText(text: string, shares: SplitShares): Record<SplitName, string> {
  expectShares(shares);
  const first = cutNear(text, shares.train, shares);
  const second = shares.validation === 0 ? first : cutNear(text, shares.train + shares.validation, shares);
  return { train: text.slice(0, first), validation: text.slice(first, second), calibration: text.slice(second) };
}

function expectShares(shares: SplitShares): void {
  const sum = shares.train + shares.validation + shares.calibration;
  const each = splitNames.every((name) => shares[name] >= 0 && shares[name] <= 1);
  if (each && Math.abs(sum - 1) < rounding) return;
  const got = splitNames.map((name) => `${name} ${shares[name]}`).join(", ");
  throw new SandboxError(
    `splits: shares must be from 0 to 1 and sum to 1, got ${got}`,
    "For example train 0.9, validation 0.05, calibration 0.05.",
  );
}

function cutNear(text: string, share: number, shares: SplitShares): number {
  if (share < rounding) return 0;
  if (share > 1 - rounding) return text.length;
  const exact = Math.round(share * text.length);
  const smallest = Math.min(...splitNames.map((name) => shares[name]).filter((part) => part > 0));
  const distance = Math.floor(Math.min(reach.units, reach.share * smallest * text.length));
  return (
    nearestPosition(text, exact, distance, isEndOfLine) ??
    nearestPosition(text, exact, distance, isEndOfWord) ??
    outsidePair(text, exact)
  );
}

function nearestPosition(
  text: string,
  from: number,
  distance: number,
  isGood: (text: string, at: number) => boolean,
): number | undefined {
  for (let away = 0; away <= distance; away++) {
    if (isGood(text, from - away)) return from - away;
    if (isGood(text, from + away)) return from + away;
  }
  return undefined;
}

const isSpace = (text: string, at: number): boolean => /\s/.test(text.charAt(at));
const isEndOfWord = (text: string, at: number): boolean => at > 0 && isSpace(text, at) && !isSpace(text, at - 1);
const isEndOfLine = (text: string, at: number): boolean =>
  isEndOfWord(text, at) && (text[at] === "\n" || (text[at] === "\r" && text[at + 1] === "\n"));

/** Between two halves of a surrogate pair one steps back. */
function outsidePair(text: string, at: number): number {
  const isPair = at > 0 && at < text.length && text.codePointAt(at - 1)! > 0xffff;
  return isPair ? at - 1 : at;
}
