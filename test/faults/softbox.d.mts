export interface Tally {
  attempt(what: string, work: () => unknown): Promise<void>;
  result(): { readonly tried: number; readonly failures: readonly string[] };
}
export function createTally(onFailure?: (failure: string) => void): Tally;
