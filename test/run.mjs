// `npm test`: types, lint, then every test; closes with the plain line "N passed, N failed".
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (!existsSync(join(root, "node_modules/vitest"))) {
  console.error("Nothing is installed yet. Run first: npm ci");
  process.exit(1);
}

/** Runs a tool of node_modules; its output goes to the terminal. */
function run(tool, args) {
  const command = join(root, "node_modules/.bin", tool);
  return spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" }).status === 0;
}

const checks = [
  ["types", () => run("tsc", [])],
  ["lint", () => run("biome", ["check"])],
  ["build", () => run("tsc", ["-p", "tsconfig.build.json"])], // the terminal tests run the built program
];
let passed = 0;
let failed = 0;
for (const [name, check] of checks) {
  const good = check();
  console.log(`${name}: ${good ? "good" : "FAILED"}`);
  if (good) passed++;
  else failed++;
}

const folder = mkdtempSync(join(tmpdir(), "softbox-test-"));
const report = join(folder, "report.json");
const vitestGood = run("vitest", [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);
if (existsSync(report)) {
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, "utf8"));
  passed += numPassedTests;
  // A file that does not load has no test of its own to fail.
  failed += numFailedTests || (vitestGood ? 0 : Math.max(1, numFailedTestSuites));
} else failed++;
rmSync(folder, { recursive: true, force: true });

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
