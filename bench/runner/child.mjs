/** @file A competitor as a process: started once, asked for steps, stopped. Knows the protocol, not the jobs. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A competitor compiles for a minute at most; steps take seconds. Beyond this it is given up. */
const patience = 15 * 60_000;

/**
 * @typedef {object} Answer
 * @property {number} milliseconds - of one step.
 * @property {number} peakMemoryMiB - of the process so far.
 * @property {number} extraMemoryMiB - how far the peak rose over what was there before the first step.
 *
 * @typedef {object} Child
 * @property {() => Promise<{ ready?: boolean, description?: string, unavailable?: string }>} whenReady
 * @property {(steps: number) => Promise<Answer>} ask
 * @property {() => Promise<void>} stop
 */

/**
 * @param {{ file: string, args: readonly string[], env: Record<string, string> }} command
 * @returns {Child}
 */
export function startChild({ file, args, env }) {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  const mailbox = createMailbox();
  let complaint = "";
  child.stderr.on("data", (data) => {
    complaint = (complaint + data).slice(-4000);
  });
  child.stdin.on("error", () => {}); // a process that died is reported by its end
  createInterface({ input: child.stdout }).on("line", (line) => line.startsWith("{") && mailbox.put(JSON.parse(line)));
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(lastLine(complaint) || `it ended with ${signal ?? code}`));
  });
  ended.then((reason) => mailbox.close(new Error(reason)));
  const reply = () => withPatience(mailbox.take(), () => child.kill("SIGKILL"));
  return {
    whenReady: reply,
    ask: (steps) => {
      child.stdin.write(`${steps}\n`);
      return reply();
    },
    stop: async () => {
      child.stdin.end();
      await withPatience(ended, () => child.kill("SIGKILL"));
    },
  };
}

/** What says most in a stack trace: the line that names the error (JavaScript), else the last one (Python). */
function lastLine(text) {
  const lines = text.trim().split("\n");
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1)).trim();
}

async function withPatience(promise, giveUp) {
  const timer = setTimeout(giveUp, patience);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Messages in order, for one reader. */
function createMailbox() {
  const letters = [];
  let reader;
  let closed;
  return {
    put: (letter) => {
      if (!reader) return void letters.push(letter);
      reader.resolve(letter);
      reader = undefined;
    },
    close: (error) => {
      closed = error;
      reader?.reject(error);
    },
    take: async () => {
      if (letters.length) return letters.shift();
      if (closed) throw closed;
      return new Promise((resolve, reject) => {
        reader = { resolve, reject };
      });
    },
  };
}
