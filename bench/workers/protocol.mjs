/**
 * @file What every worker speaks over stdin and stdout: one line of JSON when it is ready (or why it cannot be), then for
 * every line with a number n the milliseconds of a step, over n steps, and the memory so far.
 */
import { createInterface } from "node:readline";
import { createMemoryMeter } from "./memory.mjs";

/** What is asked is not there in this version or on this machine: the row says so, and nothing fails. */
export class Unavailable extends Error {}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/**
 * Serves the job named on the command line until stdin ends.
 *
 * @param {(job: object) => Promise<{ step: () => unknown, description: string }>} prepare - makes everything but the steps.
 */
export async function serve(prepare) {
  const job = JSON.parse(process.argv[2]);
  try {
    const { step, description } = await prepare(job);
    const memory = createMemoryMeter();
    await warmUp(step, job);
    say({ ready: true, description });
    for await (const line of createInterface({ input: process.stdin })) {
      const milliseconds = await time(step, Number(line));
      say({ milliseconds, ...memory.read() });
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    say({ unavailable: error.message });
  }
}

/** At least so many steps, and for so long. */
async function warmUp(step, { warmup: fewest = 3, warmSeconds = 0 }) {
  const end = performance.now() + 1000 * warmSeconds;
  for (let done = 0; done < fewest || performance.now() < end; done++) await step();
}

/** Milliseconds of a step, over `count` steps. */
async function time(step, count) {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const pending = step();
    if (pending) await pending;
  }
  return (performance.now() - start) / count;
}
