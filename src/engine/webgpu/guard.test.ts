import { expect, test } from "vitest";
import { SandboxError } from "../errors.ts";
import { explainError, explainLoss } from "./guard.ts";

/** As Dawn has it; no test can use up a card's memory. */
class GPUOutOfMemoryError extends Error {}

test("memory that is used up is the user's to mend; anything else that Dawn refuses is a bug", () => {
  const full = explainError(new GPUOutOfMemoryError("Failed to allocate.\n - While creating a buffer.\n"));
  expect(full).toBeInstanceOf(SandboxError);
  expect(full.message).toBe("engine webgpu: the device's memory is used up: Failed to allocate.");
  expect((full as SandboxError).hint).toMatch(/^A smaller batch, .* --resume <run> goes on/);
  expect(explainError(new Error("no such usage"))).not.toBeInstanceOf(SandboxError);
});

test("a lost device is told with the driver's first line, if it says any", () => {
  expect(explainLoss("reset\nat 0x1").message).toBe("engine webgpu: the device is gone: reset");
  expect(explainLoss("").message).toBe("engine webgpu: the device is gone: the driver does not say why");
});
