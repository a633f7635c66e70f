// Makes the two models that come with softbox (npm run twins): trains the recipe `twin` with each head, then keeps the weights of its
// best step alone, as bfloat16. Flags go on to softbox train: npm run twins -- --steps 200 --decay-steps 200.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const program = join(here, "../bin/softbox.js");
const heads = { "twin-softmax": "softmax", "twin-mos": "mos:4" };

/** Runs softbox in the terminal; a failure ends it all. */
function softbox(...args) {
  const { status } = spawnSync(process.execPath, [program, ...args], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

const work = mkdtempSync(join(tmpdir(), "softbox-twins-"));
for (const [name, head] of Object.entries(heads)) {
  const run = join(work, name);
  softbox("train", "--recipe", "twin", "--head", head, "--run", run, ...process.argv.slice(2));
  rmSync(join(here, name), { recursive: true, force: true });
  softbox("export", run, "--format", "run", "--type", "bfloat16", "--step", "best", "--out", join(here, name));
}
rmSync(work, { recursive: true });
