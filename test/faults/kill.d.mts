export function killManyTimes(kills: number, seed?: number, onLine?: (line: string) => void): Promise<number>;
