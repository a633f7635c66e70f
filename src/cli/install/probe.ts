/** @file Starts the engine in a process of its own and multiplies: a library that crashes takes nothing with it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { packageRoot } from "../../engine/packageRoot.ts";

const ProbeResult = z.object({
  /** `tensorflow (libtensorflow 2.21.0, CPU)`. */
  description: z.string(),
  gigaflops: z.number(),
});
export type ProbeResult = z.infer<typeof ProbeResult>;

/** The engine's own error for the user. */
const Refusal = z.object({ message: z.string(), hint: z.string().optional() });

const patienceMilliseconds = 180_000;

/** @throws {SandboxError} with the engine's own words, or the last that the process said, if it does not come to a result. */
export function probeEngine(name: string): Promise<ProbeResult> {
  const script = join(packageRoot(), "dist/cli/install/probeProcess.js");
  const child = spawn(process.execPath, [script, name], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: patienceMilliseconds,
  });
  const text = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text.out += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text.err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const result = ProbeResult.safeParse(parse(text.out));
      const refusal = Refusal.safeParse(parse(text.out));
      if (code === 0 && result.success) resolve(result.data);
      else if (refusal.success) reject(new SandboxError(refusal.data.message, refusal.data.hint));
      else reject(failure(name, text.err, signal ?? `exit code ${code}`));
    });
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.trim().split("\n").at(-1)!);
  } catch {
    return undefined;
  }
}

function failure(name: string, errors: string, end: string): SandboxError {
  const said = errors.trim().split("\n").at(-1);
  const hints: Readonly<Record<string, string>> = {
    SIGILL: "The processor lacks instructions that this build of the library uses (AVX).",
    SIGTERM: "It took longer than three minutes.",
  };
  return new SandboxError(
    `engine ${name}: the probe ended with ${end}${said ? `: ${said}` : ""}`,
    hints[end] ?? "softbox doctor lists the engines that are usable here.",
  );
}
