/**
 * @file What the screens cost and how fast they answer, in a real pseudo-terminal. `node bench/screen.mjs`, options by --help.
 *
 * Cost: `train --ui` and plain `train` in turn, several rounds; the time between two checkpoints of a run, divided by its steps. Beside it,
 * where there is /proc, the share of one processor that the screen's own thread took. Keys: milliseconds from start to the first frame,
 * and from a key to the frame that shows it, while a model trains, and while one writes.
 */
import { spawn as spawnProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { median } from "./runner/statistics.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    steps: { type: "string", default: "600" },
    keys: { type: "string", default: "30" },
    recipe: { type: "string", default: "moby" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log("node bench/screen.mjs [--rounds 5] [--steps 600] [--keys 30] [--recipe moby]");
  process.exit(0);
}
const [rounds, steps, presses] = [Number(values.rounds), Number(values.steps), Number(values.keys)];
const program = fileURLToPath(new URL("../bin/softbox.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "softbox-screen-"));
const env = { ...process.env, CI: "false", SOFTBOX_CACHE: join(folder, "cache"), TERM: "xterm-256color" };
delete env.NO_COLOR;

/** Flags of a run that evaluates nothing and saves twice: half way and at the end. */
const training = (run, count) =>
  `train --recipe ${values.recipe} --run ${run} --steps ${count} --set training.evaluateEvery=0 --set training.checkpointEvery=${count / 2}`.split(
    " ",
  );

/** The program in a window of 120 × 40. */
function openWindow(args) {
  const terminal = new xterm.Terminal({ cols: 120, rows: 40, allowProposedApi: true });
  const pty = spawn(process.execPath, [program, ...args], { cols: 120, rows: 40, cwd: folder, env });
  let ended = false;
  pty.onExit(() => {
    ended = true;
  });
  const waiting = new Set();
  const text = () =>
    Array.from({ length: 40 }, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? "").join(
      "\n",
    );
  const lookAll = () => {
    for (const look of waiting) look();
  };
  pty.onData((data) => terminal.write(data, lookAll));
  /** Resolves when the window shows it: looked at after every write. */
  const until = (wanted, limit = 300_000) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${wanted} in:\n${text()}`)), limit);
      const look = () => {
        if (!wanted.test(text())) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(text());
      };
      waiting.add(look);
      look();
    });
  return { until, text, type: (keys) => pty.write(keys), pid: pty.pid, hasEnded: () => ended };
}

const stepFolder = (run, step) => join(folder, run, `step-${String(step).padStart(6, "0")}`);
const millisecondsOf = (run, count) =>
  (statSync(stepFolder(run, count)).mtimeMs - statSync(stepFolder(run, count / 2)).mtimeMs) / (count / 2);

/** Clock ticks of the process's first thread; undefined where /proc does not tell. */
function ticksOf(pid) {
  const file = `/proc/${pid}/task/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const fields = readFileSync(file, "utf8").split(") ")[1].split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function trainPlainly(run) {
  const child = spawnProcess(process.execPath, [program, ...training(run, steps)], {
    cwd: folder,
    env,
    stdio: "ignore",
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`train ended with ${code}`);
  return { milliseconds: millisecondsOf(run, steps) };
}

async function trainOnScreen(run) {
  const window = openWindow([...training(run, steps), "--ui"]);
  while (!existsSync(stepFolder(run, steps / 2))) await pause(20);
  const [start, before] = [performance.now(), ticksOf(window.pid)];
  while (!existsSync(stepFolder(run, steps))) await pause(20);
  const [seconds, after] = [(performance.now() - start) / 1000, ticksOf(window.pid)];
  await window.until(/finished/);
  window.type("q");
  while (!window.hasEnded()) await pause(20);
  const share = before === undefined ? undefined : (after - before) / 100 / seconds;
  return { milliseconds: millisecondsOf(run, steps), share };
}

async function measureCost() {
  const [plain, screen] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const turns = [
      async () => plain.push(await trainPlainly(`plain-${round}`)),
      async () => screen.push(await trainOnScreen(`screen-${round}`)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  const ratios = screen.map(({ milliseconds }, i) => 100 * (milliseconds / plain[i].milliseconds - 1));
  const ms = (all) => median(all.map(({ milliseconds }) => milliseconds)).toFixed(2);
  const shares = screen.flatMap(({ share }) => (share === undefined ? [] : [100 * share]));
  const percent = (x) => `${x.toFixed(1)} %`;
  console.log(
    `training, ms a step: plain ${ms(plain)}, on a screen ${ms(screen)}; dearer by ${percent(median(ratios))} (rounds: ${ratios.map(percent).join(", ")})`,
  );
  if (shares.length)
    console.log(
      `the screen's thread: ${percent(median(shares))} of one processor (rounds: ${shares.map(percent).join(", ")})`,
    );
}

/** Presses keys that take turns; what each should show. */
async function measureKeys(name, args, ready, turns) {
  const start = performance.now();
  const window = openWindow(args);
  await window.until(/quit|help/);
  const first = performance.now() - start;
  await window.until(ready);
  const times = [];
  for (let i = 0; i < presses; i++) {
    const { key, shows } = turns[i % turns.length];
    await pause(90 + 37 * (i % 5)); // not in step with the frames
    const pressed = performance.now();
    window.type(key);
    await window.until(shows);
    times.push(performance.now() - pressed);
  }
  window.type("\x03");
  while (!window.hasEnded()) await pause(20);
  times.sort((a, b) => a - b);
  console.log(
    `${name}: first frame after ${first.toFixed(0)} ms; a key is shown after ${median(times).toFixed(0)} ms, ${times.at(-1).toFixed(0)} at most of ${presses}`,
  );
}

try {
  if (rounds > 0) await measureCost();
  const run = "keys";
  await measureKeys("while training", [...training(run, 1_000_000), "--ui"], /step [1-9]/, [
    { key: "l", shows: /log y/ },
    { key: "l", shows: /^(?![\s\S]*log y)/ },
  ]);
  const writing = ["play", run, "--prompt", "The whale", "--temperature", "1"];
  await measureKeys("while looking", writing, /▸ 1 \d\.\d{4}/, [
    { key: "\x1b[C", shows: /temperature 1\.05/ },
    { key: "\x1b[D", shows: /temperature 1\.00/ },
  ]);
  const running = { key: "\r", shows: /running/ };
  await measureKeys("while writing", writing, /▸ 1 \d\.\d{4}/, [
    running,
    { key: "\x1b[C", shows: /temperature 1\.05/ },
    { key: "\x1b[D", shows: /temperature 1\.00/ },
    { key: "k", shows: /top-k 200/ },
    { key: "K", shows: /top-k off/ },
    { key: "\r", shows: /^(?![\s\S]*running)/ },
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
