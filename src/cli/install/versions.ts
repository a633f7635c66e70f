/** @file The little of Python's version rules (PEP 440) that final releases and the requirements of wheels need. */

/** Numbers of a final release; anything else (`2.21.0rc1`, `1.0.dev3`) is none. */
function release(version: string): number[] | undefined {
  return /^\d+(\.\d+)*(\.post\d+)?$/.test(version) ? version.split(/\.post|\./).map(Number) : undefined;
}

/** Orders final releases; others stand below all of them. Missing numbers are 0. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [release(a), release(b)];
  if (!x || !y) return Number(Boolean(x)) - Number(Boolean(y));
  for (let i = 0; i < Math.max(x.length, y.length); i++)
    if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) - (y[i] ?? 0);
  return 0;
}

const holds: Readonly<Record<string, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  ">=": (order) => order >= 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  "<": (order) => order < 0,
};

/** Whether a final release satisfies every part of `wanted`: `<13.0,>=12.5.82`. */
export function satisfies(version: string, wanted: string): boolean {
  if (!release(version)) return false;
  return wanted.split(",").every((part) => {
    const [, sign, bound] = part.trim().match(/^(==|!=|>=|<=|>|<)\s*([\d.]+)$/) ?? [];
    return sign !== undefined && holds[sign]!(compareVersions(version, bound!));
  });
}
