import type { Tally } from "./softbox.mjs";

export function damageManyTimes(
  count: number,
  seed: number,
  tally: Tally,
  onLine?: (line: string) => void,
): Promise<void>;
