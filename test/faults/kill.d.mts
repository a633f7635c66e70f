export function killManyTimes(
  kills: number,
  seed?: number,
  options?: { family?: "transformer" | "lstm"; onLine?: (line: string) => void },
): Promise<number>;
