/** @file The sampling settings: defaults, the values that keys walk through, and how they read. */
import type { Settings } from "./port.ts";

/** The settings that keys change. */
export type Dial = "temperature" | "topK" | "topP" | "minP";

export const dials: readonly Dial[] = ["temperature", "topK", "topP", "minP"];

/** The model's own distribution, unfiltered. */
export const defaultSettings: Settings = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 1 };

/** The temperature's step and largest value. */
export const temperatureStep = 0.05;
const hottest = 5;

/** Rising; top-k counts "off" as infinity. */
const ladders = {
  topK: [1, 2, 3, 5, 10, 20, 40, 50, 100, 200, Number.POSITIVE_INFINITY],
  topP: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1],
  minP: [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5],
} as const;

/** The settings with one dial moved one step up (`by` = 1) or down (−1); at its end it stays. */
export function turnDial(settings: Settings, dial: Dial, by: 1 | -1): Settings {
  switch (dial) {
    case "temperature": {
      const steps = Number((settings.temperature / temperatureStep).toFixed(6));
      const next = by > 0 ? Math.floor(steps) + 1 : Math.ceil(steps) - 1;
      const temperature = Math.max(0, Math.round(next * temperatureStep * 100) / 100);
      return { ...settings, temperature: Math.min(Math.max(hottest, settings.temperature), temperature) };
    }
    case "topK": {
      const next = climb(ladders.topK, settings.topK === 0 ? Number.POSITIVE_INFINITY : settings.topK, by);
      return { ...settings, topK: Number.isFinite(next) ? next : 0 };
    }
    case "topP":
      return { ...settings, topP: climb(ladders.topP, settings.topP, by) };
    case "minP":
      return { ...settings, minP: climb(ladders.minP, settings.minP, by) };
    default:
      dial satisfies never;
      return settings;
  }
}

/** A dial's value in words: `0 (greedy)`, `off`, `0.95`. */
export function dialText(settings: Settings, dial: Dial): string {
  switch (dial) {
    case "temperature":
      return settings.temperature === 0 ? "0 (greedy)" : settings.temperature.toFixed(2);
    case "topK":
      return settings.topK === 0 ? "off" : String(settings.topK);
    case "topP":
      return settings.topP >= 1 ? "off" : String(settings.topP);
    case "minP":
      return settings.minP === 0 ? "off" : String(settings.minP);
    default:
      dial satisfies never;
      return "";
  }
}

/** Whether two settings give the same distribution and the same next draw. */
export function sameSettings(a: Settings, b: Settings): boolean {
  const keys = ["temperature", "topK", "topP", "minP", "seed"] as const;
  return keys.every((key) => a[key] === b[key]);
}

function climb(ladder: readonly number[], value: number, by: 1 | -1): number {
  const next = by > 0 ? ladder.find((rung) => rung > value) : ladder.findLast((rung) => rung < value);
  return next ?? value;
}
