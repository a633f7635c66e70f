// What the faults share: the program, a small text, tiny runs, numbers from a seed, and the tally of what held.
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/softbox.js", import.meta.url));
const words = "the whale sea ship captain and of a in white old man sails wind".split(" ");

/** Numbers in [0, 1) from a seed (a linear congruential generator is random enough for moments and places). */
export function createUniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function writeText(folder, uniform) {
  const text = Array.from({ length: 2000 }, () => words[Math.floor(uniform() * words.length)]).join(" ");
  writeFileSync(join(folder, "text.txt"), `${text}\n`);
}

/** What is trained, by family: a transformer; an LSTM that carries its state over contiguous text, with every regulariser. */
const families = {
  transformer: ["--recipe", "nano-char", "--layers", "1", "--heads", "2", "--embed", "16", "--dropout", "0.1"],
  lstm: [
    ...["--recipe", "lstm-small", "--tokenizer", "char", "--embed", "12"],
    ...["--set", "model.hiddenSizes=[16,12]", "--set", 'probes=["the "]', "--set", "sample.prompt=a"],
  ],
};

/** Arguments of a new run on the text in the folder where it is started. */
export const newRun = (run, family, every) => [
  ...["train", "--run", run, ...families[family], "--corpus", "text.txt", "--context", "16", "--batch-size", "4"],
  ...["--set", "sample.tokens=4", "--set", `training.checkpointEvery=${every}`, "--set", "training.evaluateEvery=10"],
];

/** Starts `softbox <args>`. */
export function startSoftbox(cwd, args) {
  const env = { ...process.env, SOFTBOX_CACHE: join(cwd, "cache") };
  return spawn(process.execPath, [program, ...args.map(String)], { cwd, env });
}

/** Runs `softbox <args>` to its end. */
export const softbox = (cwd, args) => ended(startSoftbox(cwd, args));

/** How a process ends, and what it wrote. */
export function ended(child) {
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk) => (out += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk) => (err += chunk));
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, out, err })));
}

/** A folder in memory, where thousands of copies cost no disk anything; the usual one where there is none. */
export const memoryFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Lends a folder to `work`; it goes afterwards. */
export async function inFolder(name, work, parent = tmpdir()) {
  const folder = await mkdtemp(join(parent, `softbox-${name}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function expectThat(condition, what) {
  if (!condition) throw new Error(what);
}

/** Whether a process ended with a message for the user, a hint beside it, and no stack. */
export const isExplained = ({ code, err }) => code === 1 && /^error: .+\nhint: /m.test(err) && !/\n {4}at /.test(err);

/** Counts what was tried, and keeps what did not hold; `onFailure` hears of it at once. */
export function createTally(onFailure = () => {}) {
  const failures = [];
  let tried = 0;
  return {
    /** Tries one thing; what it throws is a failure. */
    attempt: async (what, work) => {
      tried++;
      try {
        await work();
      } catch (error) {
        failures.push(`${what}: ${error instanceof Error ? error.message : error}`);
        onFailure(failures.at(-1));
      }
    },
    result: () => ({ tried, failures }),
  };
}
