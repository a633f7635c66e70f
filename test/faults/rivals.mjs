// Several processes on one run: one trains, the others are refused; and a killed one's lock stands in nobody's way.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createUniform,
  expectThat,
  inFolder,
  isExplained,
  newRun,
  softbox,
  startSoftbox,
  writeText,
} from "./softbox.mjs";

const manySteps = 1_000_000;

const closed = (child) => new Promise((resolve) => child.once("close", resolve));

/** The first words of a process on stdout; undefined if it ends without. */
const firstWords = (child) =>
  Promise.race([new Promise((resolve) => child.stdout.once("data", resolve)), closed(child).then(() => undefined)]);

/** Starts several; whatever comes, none is left. */
async function withProcesses(children, work) {
  const ends = children.map(closed);
  try {
    return await work(children, ends);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ends);
  }
}

/** In each round: a second process while one trains, the lock of one killed with -9, three that come at once. */
export function fightManyTimes(rounds, tally) {
  return inFolder("rivals", async (folder) => {
    writeText(folder, createUniform(5));
    const made = await softbox(folder, [...newRun("run", "transformer", 5), "--steps", 5, "--threads", "1"]);
    expectThat(made.code === 0, `the run could not be made: ${made.err}`);
    const resume = (steps) => ["train", "--resume", "run", "--steps", steps, "--threads", "1", "--json"];
    const lock = join(folder, "run/run.lock");
    for (let round = 1; round <= rounds; round++) {
      await tally.attempt(`a second process, round ${round}`, () =>
        withProcesses([startSoftbox(folder, resume(manySteps))], async ([first]) => {
          expectThat(await firstWords(first), "the first process ended");
          const second = await softbox(folder, resume(manySteps));
          const isRefused = isExplained(second) && second.err.includes(`process ${first.pid} on`);
          expectThat(isRefused, `code ${second.code}: ${second.err}`);
          expectThat(
            JSON.parse(readFileSync(lock, "utf8")).pid === first.pid,
            "the lock is not the first one's any more",
          );
        }),
      ); // which ends with the first one's kill -9
      await tally.attempt(`after a kill, three at once, round ${round}`, () =>
        withProcesses(
          [1, 2, 3].map(() => startSoftbox(folder, resume(manySteps))),
          async (three, ends) => {
            expectThat(existsSync(lock), "a process killed with -9 leaves its lock");
            const words = await Promise.all(three.map(firstWords));
            const winners = three.filter((_, i) => words[i] !== undefined);
            expectThat(winners.length === 1, `${winners.length} of three train`);
            const [winner] = winners;
            const codes = await Promise.all(ends.filter((_, i) => three[i] !== winner));
            expectThat(
              codes.every((code) => code === 1),
              `those who came too late ended with ${codes}, expected 1`,
            );
            winner.stdout.resume();
            winner.kill("SIGINT");
            expectThat((await closed(winner)) === 130, "the one that trains did not stop as it should");
            expectThat(!existsSync(lock), "a lock is left behind");
          },
        ),
      );
    }
  });
}
