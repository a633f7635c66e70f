/** @file Numbers in words. */

/** exp(H) for an entropy `H` in nats: as many equally likely tokens would be as uncertain. */
export function effectiveVocabulary(entropy: number): string {
  const tokens = Math.exp(entropy);
  return tokens < 100 ? tokens.toFixed(1) : Math.round(tokens).toLocaleString("en");
}

/** An entropy in nats with two decimals; that of a single certain token may come as −0. */
export function nats(entropy: number): string {
  return Math.abs(entropy).toFixed(2);
}

/** 1,234,567 as `1.2 M`. */
export function shortCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e4 ? `${Math.round(count / 1e3)} k` : String(count);
}
