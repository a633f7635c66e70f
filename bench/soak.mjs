/**
 * @file What half an hour of training under the screen makes of the process's memory: `train --ui` in a pseudo-terminal of 120 × 40, its
 * resident memory every ten seconds from /proc, and the line through all of it but the first minutes. `node bench/soak.mjs`, options by --help.
 *
 * V8 lets garbage lie, tens of megabytes in the screen's thread, for minutes: resident memory goes up and down by more than it could grow.
 * With --collect both threads collect theirs every ten seconds, and the line through the screen's live heap is told too.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { spawn } from "@lydell/node-pty";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    skip: { type: "string", default: "3" },
    recipe: { type: "string", default: "moby" },
    collect: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(
    "node bench/soak.mjs [--minutes 30] [--skip 3: minutes before the line begins] [--recipe moby] [--collect]   (Linux)",
  );
  process.exit(0);
}
const [minutes, skipped] = [Number(values.minutes), Number(values.skip)];
const program = fileURLToPath(new URL("../bin/softbox.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "softbox-soak-"));
const env = { ...process.env, CI: "false", SOFTBOX_CACHE: join(folder, "cache"), TERM: "xterm-256color" };
delete env.NO_COLOR;

/** Resident megabytes. */
const residentOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** Least squares: `[slope, level]`. */
function lineThrough(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(({ minute }) => minute), mean(({ megabytes }) => megabytes)];
  const slope =
    mean(({ minute, megabytes }) => (minute - x) * (megabytes - y)) / mean(({ minute }) => (minute - x) ** 2);
  return [slope, y - slope * x];
}

function tellHeap() {
  const heaps = readFileSync(heapFile, "utf8").trim().split("\n").map(Number);
  const points = heaps
    .map((megabytes, i) => ({ minute: (i + 1) / 6, megabytes }))
    .filter(({ minute }) => minute > skipped);
  const [slope] = lineThrough(points);
  console.log(
    `live heap of the screen's thread: ${points[0].megabytes.toFixed(1)} to ${points.at(-1).megabytes.toFixed(1)} MB, ` +
      `a line that rises by ${(30 * slope).toFixed(1)} MB in 30 minutes`,
  );
}

const heapFile = join(folder, "heap.txt");
const collecting = ["--expose-gc", "--import", new URL("./workers/collect.mjs", import.meta.url).href];
const args = ["train", "--ui", "--recipe", values.recipe, "--run", "soak", "--steps", "1000000"];
const pty = spawn(process.execPath, [...(values.collect ? collecting : []), program, ...args], {
  cols: 120,
  rows: 40,
  cwd: folder,
  env: { ...env, SOFTBOX_SOAK: heapFile },
});
let [ended, step] = [false, "0"];
pty.onExit(() => {
  ended = true;
});
pty.onData((data) => {
  step = /step ([\d,]+) of/.exec(data)?.[1] ?? step;
});
try {
  const points = [];
  const start = performance.now();
  for (let next = 10; next <= 60 * minutes; next += 10) {
    await pause(Math.max(0, start + 1000 * next - performance.now()));
    if (ended) throw new Error("train has ended");
    points.push({ minute: next / 60, megabytes: residentOf(pty.pid) });
    if (next % 60 === 0)
      console.log(`minute ${next / 60}: step ${step}, ${points.at(-1).megabytes.toFixed(1)} MB resident`);
  }
  const kept = points.filter(({ minute }) => minute > skipped);
  const [slope] = lineThrough(kept);
  const sizes = kept.map(({ megabytes }) => megabytes);
  console.log(
    `a line through minutes ${skipped} to ${minutes} rises by ${(30 * slope).toFixed(1)} MB in 30 minutes; ` +
      `between ${Math.min(...sizes).toFixed(0)} and ${Math.max(...sizes).toFixed(0)} MB, ${step} steps`,
  );
  if (values.collect) tellHeap();
} finally {
  if (!ended) pty.kill("SIGKILL");
  while (!ended) await pause(20);
  rmSync(folder, { recursive: true, force: true });
}
