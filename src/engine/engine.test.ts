import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { inspectEngines, useEngine } from "./engine.ts";
import { runFused } from "./fused.ts";
import { engineNames } from "./ladder/ladder.ts";

test("an engine of an unknown name is refused with the names there are", async () => {
  await expect(useEngine("cuda")).rejects.toMatchObject({
    name: "SandboxError",
    message: `engine: expected one of ${engineNames.join(", ")}, got "cuda"`,
    hint: "softbox doctor lists what is usable here.",
  });
});

test("every engine says whether it is usable, and if not why and what to do", async () => {
  const reports = await inspectEngines();
  expect(reports.map(({ name }) => name)).toEqual(engineNames.filter((name) => name !== "auto"));
  expect(reports.find(({ name }) => name === "cpu")!.inspection.usable).toBe(true);
  for (const { inspection } of reports)
    if (!inspection.usable) {
      expect(inspection.reason).toMatch(/\w/);
      expect(inspection.hint).toMatch(/\w/);
    }
});

test("an engine named that is not usable is an error, never another engine", async () => {
  const missing = (await inspectEngines()).filter(({ inspection }) => !inspection.usable);
  for (const { name, inspection } of missing)
    await expect(useEngine(name)).rejects.toMatchObject({
      name: "SandboxError",
      message: `engine ${name}: ${inspection.usable ? "" : inspection.reason}`,
    });
});

test("what is chosen is tfjs's global engine, has every fused operation, and can change", async () => {
  for (const name of ["cpu", "native", "cpu"]) {
    const engine = await useEngine(name);
    expect([engine.name, engine.description.startsWith(`${name} (`)]).toEqual([name, true]);
    expect(tf.getBackend()).toBe(name);
    const passed = tf.tidy(() => runFused("SoftboxGelu", { x: tf.tensor1d([0, 100]) }).dataSync());
    expect(Array.from(passed)).toEqual([0, 100]);
  }
});
