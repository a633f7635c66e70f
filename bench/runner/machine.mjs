/** @file The machine and what is installed on it, as it stands above the table. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Instruction sets that matrix kernels care about, by their names in /proc/cpuinfo. */
const interesting = ["avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16"];

/** Beyond this load other programs are likely to be in the figures. */
const quietLoad = 0.3;

/** CPU flags; none where the system does not tell. */
export function cpuFlags() {
  try {
    const [, flags] = readFileSync("/proc/cpuinfo", "utf8").match(/^(?:flags|Features)\s*:(.*)$/m);
    return flags.trim().split(/\s+/);
  } catch {
    return [];
  }
}

/** @param {import("./python.mjs").Python} python */
export function describeMachine(python) {
  const flags = cpuFlags();
  const [load] = loadavg();
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    instructions: interesting.filter((flag) => flags.includes(flag)),
    memoryGiB: totalmem() / 2 ** 30,
    system: `${type()} ${release()}`,
    load,
    quiet: load <= quietLoad,
    versions: { softbox: softboxVersion(), Node: process.versions.node, ...(python.usable ? python.versions : {}) },
  };
}

function softboxVersion() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return `${version}${commit()}`;
}

/** The commit, and whether files differ from it. */
function commit() {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no") ? ", with changes" : "";
    return ` (${git("rev-parse", "--short", "HEAD")}${changed})`;
  } catch {
    return "";
  }
}
