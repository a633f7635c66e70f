/** @file Where softbox itself lies: the same answer from `src/` and from `dist/`. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of softbox's own package.json. */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && JSON.parse(readFileSync(file, "utf8")).name === "softbox") return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json of softbox above ${import.meta.url}`);
  }
}
