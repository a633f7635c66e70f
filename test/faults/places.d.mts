import type { Tally } from "./softbox.mjs";

export function whyNoMount(): Promise<string | undefined>;
export function fillDisks(kibibytes: readonly number[], tally: Tally): Promise<void>;
export function turnReadOnly(rounds: number, tally: Tally): Promise<void>;
export function writeReadOnly(tally: Tally): Promise<void>;
