/** @file The process that `probe.ts` starts: one engine, by the name on the command line; one line of JSON, also where the engine refuses. */

import { useEngine } from "../../engine/engine.ts";
import { SandboxError } from "../../engine/errors.ts";
import { measureEngine } from "../../engine/measure.ts";
import { printJson } from "../output.ts";

try {
  const { description } = await useEngine(process.argv[2]!);
  printJson({ description, gigaflops: await measureEngine() });
} catch (error) {
  if (!(error instanceof SandboxError)) throw error;
  printJson({ message: error.message, hint: error.hint });
  process.exitCode = 1;
}
