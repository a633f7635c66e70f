/**
 * @file A curve of any length in bounded memory: when it is full, neighbours are merged in pairs, so that each bucket holds
 * the mean of twice as many values as before.
 */

/** The mean of a few values that follow each other. */
export interface Bucket {
  /** Step of the last value. */
  readonly step: number;
  readonly sum: number;
  readonly count: number;
  readonly least: number;
  readonly most: number;
}

/** A curve; the last bucket may still be open. */
export interface Series {
  readonly buckets: readonly Bucket[];
  /** Values in a full bucket. */
  readonly stride: number;
}

/** One value of a curve. */
export interface Value {
  readonly step: number;
  readonly value: number;
}

/** More than twice as many as braille dots across the widest window that we draw. */
const longest = 1024;

export const emptySeries: Series = { buckets: [], stride: 1 };

/** The series with more values, in the order of their steps; values that are not finite are left out. */
export function extend(series: Series, values: readonly Value[]): Series {
  if (values.length === 0) return series;
  let buckets = [...series.buckets];
  let { stride } = series;
  for (const { step, value } of values) {
    if (!Number.isFinite(value)) continue;
    const one: Bucket = { step, sum: value, count: 1, least: value, most: value };
    const last = buckets.at(-1);
    if (last !== undefined && last.count < stride) buckets[buckets.length - 1] = merge(last, one);
    else buckets.push(one);
    if (buckets.length > longest) {
      buckets = halve(buckets);
      stride *= 2;
    }
  }
  return { buckets, stride };
}

/** The mean of a bucket. */
export const meanOf = ({ sum, count }: Bucket): number => sum / count;

/** The series without what came after `step`. */
export function cutAfter(series: Series, step: number): Series {
  return { ...series, buckets: series.buckets.filter((bucket) => bucket.step <= step) };
}

function merge(a: Bucket, b: Bucket): Bucket {
  return {
    step: b.step,
    sum: a.sum + b.sum,
    count: a.count + b.count,
    least: Math.min(a.least, b.least),
    most: Math.max(a.most, b.most),
  };
}

function halve(buckets: readonly Bucket[]): Bucket[] {
  const half: Bucket[] = [];
  for (let i = 0; i < buckets.length; i += 2) {
    const [first, second] = [buckets[i]!, buckets[i + 1]];
    half.push(second === undefined ? first : merge(first, second));
  }
  return half;
}
