/** @file Numbers as people read them. */

/** A number of seconds as `1:05` or `2:01:05`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Seconds for a table: `4.3 s`, from a minute on `1:05`. */
export const formatSeconds = (seconds: number): string =>
  seconds < 59.95 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);

/** A difference with its sign: `+0.0123`, `−0.0123`. */
export const formatSigned = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;

/** Whole numbers with thousands separators. */
export const formatCount = (n: number): string => Math.round(n).toLocaleString("en-US");
