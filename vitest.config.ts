import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{src,test,examples,bench}/**/*.test.{ts,tsx}"],
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Ink draws nothing until exit where CI is set; timed reads of the terminal need its frames.
    env: { CI: "false", NODE_ENV: "test" },
  },
});
