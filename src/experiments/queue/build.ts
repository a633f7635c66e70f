/** @file Which softbox this is: trials of one sweep are trained by the same program, or their numbers are no comparison. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../engine/packageRoot.ts";
import { softboxVersion } from "../environment.ts";

/** The version and, as one version may be changed by hand, eight digits of the SHA-256 of the program's files: `0.1.0-1f3a9c02`. */
export function softboxBuild(): string {
  const folder = join(packageRoot(), "dist");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const hash = createHash("sha256");
  for (const name of files.map((file) => file.replaceAll("\\", "/")).sort())
    hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  return `${softboxVersion()}-${hash.digest("hex").slice(0, 8)}`;
}
