/** @file Numbers in words. */

/** A whole number with thousands separators. By hand: `toLocaleString` loads its tables for tens of milliseconds. */
export const grouped = (count: number): string => String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");

/** `1 token`, `1,000 tokens`. */
export const tokenCount = (count: number): string => `${grouped(count)} token${count === 1 ? "" : "s"}`;

/** exp(H) for an entropy `H` in nats: as many equally likely tokens would be as uncertain. */
export function effectiveVocabulary(entropy: number): string {
  const tokens = Math.exp(entropy);
  return tokens < 100 ? tokens.toFixed(1) : grouped(tokens);
}

/** An entropy in nats with two decimals; that of a single certain token may come as −0. */
export function nats(entropy: number): string {
  return Math.abs(entropy).toFixed(2);
}

/** 1,234,567 as `1.2 M`. */
export function shortCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e4 ? `${Math.round(count / 1e3)} k` : String(Math.round(count));
}

/** Seconds as `1:05` or `2:01:05`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A number with about three digits: `0.00123`, `4.51`, `1.2e-7`. */
export function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1);
  if (size >= 100) return Math.round(value).toString();
  return Number(value.toPrecision(3)).toString();
}
