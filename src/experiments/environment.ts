/** @file On what a run was made: enough to explain a difference later. */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../engine/packageRoot.ts";

/** The version in package.json. */
export const softboxVersion = (): string =>
  (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version;

/** Of softbox's own checkout: what it takes to have the same sources again. */
interface GitState {
  readonly commit: string;
  /** Whether files are those of the commit. */
  readonly clean: boolean;
  /** `git diff HEAD`, where files differ; what is longer than {@link longestDiff} is cut. */
  readonly diff?: string;
  /** Files that git does not know. */
  readonly untracked?: readonly string[];
}

/** Characters of a difference that are kept. */
const longestDiff = 500_000;

/** `null` where softbox is no checkout of its own, such as a package in somebody's project. */
function gitState(): GitState | null {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", packageRoot(), ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 2 ** 26,
    });
  try {
    if (realpathSync(git("rev-parse", "--show-toplevel").trim()) !== realpathSync(packageRoot())) return null;
    const commit = git("rev-parse", "HEAD").trim();
    const status = git("status", "--porcelain").split("\n").filter(Boolean);
    if (status.length === 0) return { commit, clean: true };
    const untracked = status.filter((line) => line.startsWith("??")).map((line) => line.slice(3));
    return { commit, clean: false, diff: git("diff", "HEAD").slice(0, longestDiff), untracked };
  } catch {
    return null;
  }
}

/** Versions of what computes. */
function libraryVersions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return Object.fromEntries(Object.entries(dependencies).filter(([name]) => /tensorflow|gpt-3-encoder/.test(name)));
}

/** Versions and machine, for `environment.json`. */
export const describeEnvironment = (engine: string): object => ({
  softbox: softboxVersion(),
  node: process.version,
  libraries: libraryVersions(),
  platform: `${process.platform}-${process.arch} ${release()}`,
  processor: `${cpus()[0]?.model.trim() ?? "unknown"} × ${cpus().length}`,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  engine,
  git: gitState(),
});
