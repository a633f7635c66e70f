/** @file The sampling settings on the screen: how they are called, the values that keys walk through, how they read. */
import { SamplingSettings } from "../../sampling/settings.ts";
import { dialTable, filterOf, type NumberSetting } from "./dials.ts";
import type { Settings } from "./port.ts";

/** A setting that keys change. */
export type Dial = NumberSetting;

/** In the order of the page of settings; the first four have keys of their own. */
export const dials = Object.keys(dialTable) as readonly Dial[];

/** The model's own distribution, unfiltered. */
export const defaultSettings: Settings = SamplingSettings.parse({});

/** The settings with one dial moved one step up (`by` = 1) or down (−1); at its end it stays. */
export function turnDial(settings: Settings, dial: Dial, by: 1 | -1): Settings {
  const { steps, off } = dialTable[dial];
  if (typeof steps === "number") return { ...settings, [dial]: stepped(settings[dial], steps, by) };
  // "Off" may be the number 0 where all other values are stronger the lower they are: it stands at the top then.
  const top = steps.at(-1) === Number.POSITIVE_INFINITY;
  const value = top && settings[dial] === off ? Number.POSITIVE_INFINITY : settings[dial];
  const next = climb(steps, value, by);
  return { ...settings, [dial]: Number.isFinite(next) ? next : off };
}

/** The settings with the saved repair on or off. */
export const toggleCalibration = (settings: Settings): Settings => ({
  ...settings,
  calibrated: settings.calibrated !== true,
});

/** A dial's value in words: `0 (greedy)`, `off`, `0.95`. */
export function dialText(settings: Settings, dial: Dial): string {
  const value = settings[dial];
  if (dial === "temperature") return value === 0 ? "0 (greedy)" : value.toFixed(2);
  const { off, offName = "off" } = dialTable[dial];
  return value === off ? offName : String(value);
}

/** Which filter of the chain the dial's is, from 1; undefined where it is none, or not in it. */
export function placeInChain({ order }: Settings, dial: Dial): number | undefined {
  const filter = filterOf(dial);
  const place = filter === undefined ? -1 : order.indexOf(filter);
  return place < 0 ? undefined : place + 1;
}

/** The settings with the dial's filter applied one place earlier (−1) or later; one that is not in the chain comes in at its end. */
export function moveFilter(settings: Settings, dial: Dial, by: 1 | -1): Settings {
  const filter = filterOf(dial);
  if (filter === undefined) return settings;
  const place = settings.order.indexOf(filter);
  if (place < 0) return { ...settings, order: [...settings.order, filter] };
  const order = settings.order.toSpliced(place, 1);
  return { ...settings, order: order.toSpliced(Math.max(0, place + by), 0, filter) };
}

/** Whether two settings give the same distribution and the same next draw. */
export const sameSettings = (a: Settings, b: Settings): boolean =>
  JSON.stringify({ calibrated: false, ...a }) === JSON.stringify({ calibrated: false, ...b });

/** The largest value of dials that go in even steps. */
const largest = 5;

function stepped(value: number, step: number, by: 1 | -1): number {
  const steps = Number((value / step).toFixed(6));
  const next = by > 0 ? Math.floor(steps) + 1 : Math.ceil(steps) - 1;
  const rounded = Math.max(0, Number((next * step).toFixed(6)));
  return Math.min(Math.max(largest, value), rounded);
}

function climb(ladder: readonly number[], value: number, by: 1 | -1): number {
  const next = by > 0 ? ladder.find((rung) => rung > value) : ladder.findLast((rung) => rung < value);
  return next ?? value;
}
