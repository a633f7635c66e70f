/**
 * @file What a sweep varies: axes, each a key of the configuration with a list or a range of values, and the points that they span,
 * all of a grid or drawn at random. A value is text, as `--set` takes it.
 */
import { SandboxError } from "../../engine/errors.ts";
import { createRandomStream, randomKey } from "../../engine/random.ts";

export type Axis =
  | { readonly path: string; readonly kind: "list"; readonly values: readonly string[] }
  | {
      readonly path: string;
      readonly kind: "range";
      readonly from: number;
      readonly to: number;
      readonly scale: "linear" | "log";
      /** Points of a grid. */
      readonly count: number;
      /** Both ends are written as whole numbers, so values are. */
      readonly whole: boolean;
    };

/** One value of each axis. */
export type Point = readonly { readonly path: string; readonly value: string }[];

const usualCount = 5;
const number = "[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?";
const range = new RegExp(`^(${number})\\.\\.(${number})(?::(log|linear))?(?::(\\d+))?$`, "i");

/**
 * Reads `lr=1e-4..1e-2:log`, `lr=1e-4..1e-2:log:7`, `layers=1..4` or `head=softmax,mos:4,adaptive:2000,10000`.
 *
 * @param pathOf - the key that a short name means.
 * @throws {SandboxError} for what is neither.
 */
export function parseAxis(text: string, pathOf: (name: string) => string): Axis {
  const at = text.indexOf("=");
  const [name, values] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()];
  if (at < 1 || values === "") throw wrongAxis(text, "expected key=values");
  const path = pathOf(name);
  const match = range.exec(values);
  if (match) return rangeAxis(text, path, match);
  // Cutoffs of an adaptive softmax hold commas too: what follows one and is a number belongs to the head before it.
  const separator = path === "model.head" ? /,(?=\s*[a-z])/i : /,/;
  const list = values.split(separator).map((value) => value.trim());
  if (list.some((value) => value === "")) throw wrongAxis(text, "expected values between the commas");
  return { path, kind: "list", values: [...new Set(list)] };
}

function rangeAxis(text: string, path: string, match: RegExpExecArray): Axis {
  const [, low, high, scale = "linear", count = String(usualCount)] = match as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  const [from, to] = [Number(low), Number(high)];
  const whole = /^[+-]?\d+$/.test(low) && /^[+-]?\d+$/.test(high);
  if (!(from < to)) throw wrongAxis(text, "expected a range that rises");
  if (scale === "log" && from <= 0) throw wrongAxis(text, "expected a range above 0 for a logarithmic scale");
  if (Number(count) < 2) throw wrongAxis(text, "expected at least two points");
  return { path, kind: "range", from, to, scale: scale as "linear" | "log", count: Number(count), whole };
}

const wrongAxis = (text: string, what: string): SandboxError =>
  new SandboxError(
    `--sweep: ${what}, got ${JSON.stringify(text)}`,
    "For example --sweep lr=1e-4..1e-2:log (five points, :7 for seven), --sweep head=softmax,mos:4 or --sweep layers=1..4.",
  );

/** The value of a range at a share of the way, 0 to 1. */
function valueAt(axis: Extract<Axis, { kind: "range" }>, share: number): string {
  const { from, to, scale, whole } = axis;
  const value = scale === "log" ? from * (to / from) ** share : from + (to - from) * share;
  return whole ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}

function gridValues(axis: Axis): readonly string[] {
  if (axis.kind === "list") return axis.values;
  const shares = Array.from({ length: axis.count }, (_, i) => i / (axis.count - 1));
  return [...new Set(shares.map((share) => valueAt(axis, share)))];
}

/** Every combination; the last axis runs fastest. */
export function gridPoints(axes: readonly Axis[]): Point[] {
  return axes.reduce<Point[]>(
    (points, axis) =>
      points.flatMap((point) => gridValues(axis).map((value) => [...point, { path: axis.path, value }])),
    [[]],
  );
}

/** `count` points, each a pure function of `seed` and its number; lists are drawn from evenly, ranges on their scale. Equal ones once. */
export function randomPoints(axes: readonly Axis[], count: number, seed: number): Point[] {
  const points = Array.from({ length: count }, (_, i): Point => {
    const random = createRandomStream(randomKey(seed, "sweep", i));
    return axes.map((axis) => {
      const share = random.uniform();
      const value = axis.kind === "list" ? axis.values[Math.floor(share * axis.values.length)]! : valueAt(axis, share);
      return { path: axis.path, value };
    });
  });
  const seen = new Set<string>();
  return points.filter((point) => !seen.has(pointName(point)) && seen.add(pointName(point)));
}

/** `learningRate 0.001, mos:4`: the last word of each key, heads without. */
export const pointName = (point: Point): string =>
  point.map(({ path, value }) => (path === "model.head" ? value : `${path.split(".").at(-1)} ${value}`)).join(", ");
