import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { defaultCacheFolder } from "./cacheFolder.ts";

test("the cache lies where the environment or the system wants it", () => {
  vi.stubEnv("SOFTBOX_CACHE", "/somewhere");
  expect(defaultCacheFolder()).toBe("/somewhere");
  vi.stubEnv("SOFTBOX_CACHE", "");
  vi.stubEnv("XDG_CACHE_HOME", "/caches");
  expect(defaultCacheFolder()).toBe(join("/caches", "softbox"));
  vi.stubEnv("XDG_CACHE_HOME", "");
  expect(defaultCacheFolder()).toMatch(/(\.cache|Caches).softbox$/);
  vi.unstubAllEnvs();
});
