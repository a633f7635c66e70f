/** @file On what a run was made: enough to explain a difference later. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../engine/packageRoot.ts";

/** The version in package.json. */
export const softboxVersion = (): string =>
  (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version;

/** Commit of softbox's own checkout and whether files differ from it; `null` where it is no checkout. */
function gitState(): { commit: string; clean: boolean } | null {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", packageRoot(), ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return { commit: git("rev-parse", "HEAD"), clean: git("status", "--porcelain") === "" };
  } catch {
    return null;
  }
}

/** Versions and machine, for `environment.json`. */
export const describeEnvironment = (engine: string): object => ({
  softbox: softboxVersion(),
  node: process.version,
  platform: `${process.platform}-${process.arch} ${release()}`,
  processor: `${cpus()[0]?.model.trim() ?? "unknown"} × ${cpus().length}`,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  engine,
  git: gitState(),
});
