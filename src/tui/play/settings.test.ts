import { expect, test } from "vitest";
import { SamplingSettings, settingKeys } from "../../sampling/settings.ts";
import { dialTable, filterOf } from "./dials.ts";
import { defaultSettings, dials, dialText, moveFilter, placeInChain, sameSettings, turnDial } from "./settings.ts";

test("temperature moves by 0.05 without drifting, from 0 to 5", () => {
  let settings = { ...defaultSettings, temperature: 0 };
  for (let step = 1; step <= 120; step++) {
    settings = turnDial(settings, "temperature", 1);
    expect(settings.temperature).toBe(Math.min(5, Math.round(step * 5) / 100));
  }
  expect(turnDial(turnDial(defaultSettings, "temperature", -1), "temperature", 1)).toEqual(defaultSettings);
  expect(dialText({ ...defaultSettings, temperature: 0 }, "temperature")).toBe("0 (greedy)");
});

test("a temperature from the command line goes to the next step, not over it", () => {
  const turned = (temperature: number, by: 1 | -1) =>
    turnDial({ ...defaultSettings, temperature }, "temperature", by).temperature;
  expect([turned(0.72, 1), turned(0.72, -1), turned(0.73, 1), turned(10, -1), turned(10, 1)]).toEqual([
    0.75, 0.7, 0.75, 9.95, 10,
  ]);
});

test("top-k, top-p and min-p go down and up their rungs, off included", () => {
  const down = turnDial(defaultSettings, "topK", -1);
  expect(down.topK).toBe(200);
  expect(turnDial(down, "topK", 1).topK).toBe(0);
  expect(turnDial({ ...defaultSettings, topK: 37 }, "topK", -1).topK).toBe(20);
  expect(turnDial({ ...defaultSettings, topK: 1 }, "topK", -1).topK).toBe(1);
  expect(turnDial(defaultSettings, "topP", -1).topP).toBe(0.99);
  expect(turnDial(defaultSettings, "topP", 1).topP).toBe(1);
  expect(turnDial(defaultSettings, "minP", 1).minP).toBe(0.001);
  expect(turnDial(defaultSettings, "minP", -1).minP).toBe(0);
});

test("settings are the same when every value is", () => {
  expect(sameSettings(defaultSettings, { ...defaultSettings })).toBe(true);
  expect(sameSettings(defaultSettings, { ...defaultSettings, seed: 2 })).toBe(false);
});

test("every number of sampling but the seed has its dial, by the name of the command line, and within its range all the way", () => {
  const keys = [...settingKeys.values()].filter((key) => key !== "seed");
  expect(dials.toSorted()).toEqual(keys.toSorted());
  for (const dial of dials) {
    expect(settingKeys.get(dialTable[dial].name)).toBe(dial);
    for (const by of [-1, 1] as const) {
      let settings = defaultSettings;
      for (let turn = 0; turn < 120; turn++) settings = turnDial(settings, dial, by);
      expect(SamplingSettings.safeParse(settings).success, `${dial} ${settings[dial]}`).toBe(true);
      expect(turnDial(settings, dial, by)).toEqual(settings);
    }
  }
});

test("a filter moves in the chain by one place, not beyond its ends; its parts move with it", () => {
  expect([placeInChain(defaultSettings, "repetition"), placeInChain(defaultSettings, "temperature")]).toEqual([1, 16]);
  const earlier = moveFilter(defaultSettings, "topP", -1);
  expect(earlier.order.slice(6, 8)).toEqual(["top-p", "top-k"]);
  expect(moveFilter(earlier, "topP", 1)).toEqual(defaultSettings);
  expect(moveFilter(defaultSettings, "repetition", -1)).toEqual(defaultSettings);
  expect(moveFilter(defaultSettings, "dynamicExponent", 1)).toEqual(defaultSettings);
  expect(moveFilter(defaultSettings, "dryBase", 1)).toEqual(moveFilter(defaultSettings, "dry", 1));
  expect(moveFilter(defaultSettings, "penaltyWindow", 1)).toBe(defaultSettings);
  expect(sameSettings(earlier, defaultSettings)).toBe(false);
});

test("a filter that the chain leaves out has no place, and comes in at the end", () => {
  const settings = { ...defaultSettings, order: ["temperature" as const] };
  expect([filterOf("penaltyWindow"), placeInChain(settings, "topK")]).toEqual([undefined, undefined]);
  expect(moveFilter(settings, "topK", -1).order).toEqual(["temperature", "top-k"]);
});
