/**
 * @file What TensorBoard shows, as the protocol buffers that it reads: numbers, text, histograms (tensorflow/core/util/event.proto,
 * tensorflow/core/framework/summary.proto; the numbers of fields are theirs).
 */
import { bytes, double, doubles, type Field, float, int64, message } from "./protobuf.ts";

/** Counts of values between edges. */
export interface Histogram {
  readonly least: number;
  readonly most: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** The right edge of each bucket; the first begins at `least`. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** A name, and what it has at a step. */
export type Shown =
  | { readonly tag: string; readonly scalar: number }
  | { readonly tag: string; readonly text: string }
  | { readonly tag: string; readonly histogram: Histogram };

/** The first event of a file. @param wallTime - seconds since 1970. */
export const versionEvent = (wallTime: number): Uint8Array => message(double(1, wallTime), bytes(3, "brain.Event:2"));

/** Field 1 is the time and 2 the step, both always there and first; {@link stepOf} relies on it. */
export const summaryEvent = (wallTime: number, step: number, shown: readonly Shown[]): Uint8Array =>
  message(double(1, wallTime), int64(2, step), bytes(5, message(...shown.map((each) => bytes(1, valueMessage(each))))));

/** The step of an event that {@link summaryEvent} wrote; undefined for others. */
export function stepOf(event: Uint8Array): number | undefined {
  const afterTime = 9;
  if (event[0] !== 0x09 || event[afterTime] !== 0x10) return undefined;
  let [step, scale] = [0, 1];
  for (let at = afterTime + 1; at < event.length; at++, scale *= 128) {
    step += (event[at]! & 127) * scale;
    if (event[at]! < 128) return step;
  }
  return undefined;
}

function valueMessage(shown: Shown): Uint8Array {
  const name = bytes(1, shown.tag);
  if ("scalar" in shown) return message(name, float(2, shown.scalar));
  if ("histogram" in shown) return message(name, bytes(5, histogramOf(shown.histogram)));
  return message(name, bytes(9, bytes(1, bytes(1, "text"))), bytes(8, textTensor(shown.text)));
}

/** A tensor of one string. */
function textTensor(text: string): Uint8Array {
  const [stringType, oneLong] = [7, bytes(2, int64(1, 1))];
  return message(int64(1, stringType), bytes(2, oneLong), bytes(8, text));
}

const histogramOf = ({ least, most, sum, sumOfSquares, edges, counts }: Histogram): Uint8Array => {
  const numbers: readonly Field[] = [least, most, total(counts), sum, sumOfSquares].map((value, i) =>
    double(i + 1, value),
  );
  return message(...numbers, doubles(6, edges), doubles(7, counts));
};

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Buckets of a histogram. */
const buckets = 64;

/** Equally wide buckets from the least to the most; values that are not finite are left out. Undefined where none is left. */
export function histogramOfValues(values: Iterable<number> & ArrayLike<number>): Histogram | undefined {
  let [least, most, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
    sum += value;
    sumOfSquares += value * value;
  }
  if (least > most) return undefined;
  const width = (most - least) / buckets;
  const counts = Array.from({ length: width > 0 ? buckets : 1 }, () => 0);
  for (const value of values)
    if (Number.isFinite(value)) counts[width > 0 ? Math.min(buckets - 1, Math.floor((value - least) / width)) : 0]!++;
  const edges = counts.map((_, i) => (i === counts.length - 1 ? most : least + (i + 1) * width));
  return { least, most, sum, sumOfSquares, edges, counts };
}
