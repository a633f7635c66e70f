/** @file The Python that runs the peers: the one that the user names, if it has what the peers need. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const probe = join(import.meta.dirname, "../python/versions.py");

/**
 * @typedef {{ usable: true, path: string, versions: Record<string, string> } | { usable: false, reason: string }} Python
 *
 * @param {string | undefined} path
 * @returns {Python}
 */
export function findPython(path) {
  if (!path) return { usable: false, reason: "no Python was named" };
  const { status, stdout, stderr, error } = spawnSync(path, ["-W", "ignore", probe], { encoding: "utf8" });
  if (error) return { usable: false, reason: `the Python named does not start: ${error.code}` };
  if (status !== 0) return { usable: false, reason: `the Python named: ${stderr.trim().split("\n").at(-1)}` };
  return { usable: true, path, versions: JSON.parse(stdout) };
}
