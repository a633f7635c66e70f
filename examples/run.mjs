// Runs an example: npm run example digits. Compiles them first, as the oldest Node that softbox supports does not read TypeScript.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [name, ...args] = process.argv.slice(2);
const names = readdirSync(here)
  .filter((file) => file.endsWith(".ts") && !/\.test\.ts$|Data\.ts$/.test(file))
  .map((file) => file.slice(0, -3));
if (!names.includes(name)) {
  console.error(
    `error: there is no example ${JSON.stringify(name ?? "")}\nhint: npm run example <name>, one of ${names.join(", ")}.`,
  );
  process.exit(1);
}

const run = (command, given) =>
  spawnSync(command, given, { stdio: "inherit", shell: process.platform === "win32" }).status;
if (!existsSync(join(here, "../dist/index.js"))) {
  console.error("error: softbox is not built yet\nhint: npm ci builds it, or npm run prepare.");
  process.exit(1);
}
const compiled = run(join(here, "../node_modules/.bin/tsc"), ["-p", here]);
process.exitCode = compiled || run(process.execPath, [join(here, "built", `${name}.js`), ...args]);
