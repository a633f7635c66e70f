// `npm run faults`: what may befall a run, done to it many times. One table at the end; exit code 1 if anything did not hold.
//
//     npm run faults                                  all, in some minutes
//     npm run faults -- --kills 20 --damages 200      less of it
//     npm run faults -- --seed 7                      other moments and places
//     npm run faults -- --only kill,disk              some: kill, damage, disk, readonly, turned, rivals
import { parseArgs } from "node:util";
import { killManyTimes } from "./kill.mjs";
import { damageManyTimes } from "./mutate.mjs";
import { fillDisks, turnReadOnly, whyNoMount, writeReadOnly } from "./places.mjs";
import { fightManyTimes } from "./rivals.mjs";
import { createTally } from "./softbox.mjs";

/** KiB: from too little for the first file to enough for all but the last checkpoints. */
const diskSizes = Array.from({ length: 16 }, (_, i) => 12 + 12 * i);

const numbers = { kills: "200", damages: "2000", rounds: "5", seed: "1" };
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, { type: "string", default: value }])),
    only: { type: "string", default: "kill,damage,disk,readonly,turned,rivals" },
  },
});
const [kills, damages, rounds, seed] = Object.keys(numbers).map((name) => Number(values[name]));

/** Kills of one family; a single failure ends its run. */
async function kill(family, count, tally) {
  let survived = 0;
  await tally.attempt(`kills of the ${family}`, () => killManyTimes(count, seed, { family, onLine: () => survived++ }));
  return survived;
}

/** Each fault's name, and what it does; it returns why it could not be done, if so. */
const faults = {
  kill: {
    title: "kill -9 at random moments",
    run: async (tally) => {
      const lstm = Math.floor(kills / 2);
      const survived = await Promise.all([kill("transformer", kills - lstm, tally), kill("lstm", lstm, tally)]);
      return { tried: survived[0] + survived[1] };
    },
  },
  damage: {
    title: "files truncated, flipped, swapped",
    run: (tally) => damageManyTimes(damages, seed, tally, console.log),
  },
  disk: { title: "disks that fill up", run: (tally) => mounted(() => fillDisks(diskSizes, tally)) },
  readonly: { title: "a read-only folder", run: (tally) => mounted(() => writeReadOnly(tally)) },
  turned: { title: "a folder that turns read-only", run: (tally) => mounted(() => turnReadOnly(rounds, tally)) },
  rivals: { title: "several processes on one run", run: (tally) => fightManyTimes(rounds, tally) },
};

async function mounted(work) {
  const why = await whyNoMount();
  return why === undefined ? work() : { why };
}

async function carryOut(name) {
  const { title, run } = faults[name];
  console.log(`${title} …`);
  const tally = createTally((failure) => console.log(`FAILED ${title}: ${failure}`));
  const start = performance.now();
  let more = {};
  try {
    more = (await run(tally)) ?? {};
  } catch (error) {
    await tally.attempt(title, () => Promise.reject(error));
  }
  const { tried, failures } = tally.result();
  return { title, tried, failures, seconds: (performance.now() - start) / 1000, ...more };
}

const names = values.only.split(",");
const unknown = names.find((name) => !(name in faults));
if (unknown !== undefined) {
  console.error(`--only: there is no fault ${unknown}; there are ${Object.keys(faults).join(", ")}`);
  process.exit(1);
}
const results = [];
for (const name of names) results.push(await carryOut(name));

console.log("");
const rows = results.map(({ title, tried, failures, seconds, why }) => [
  title,
  ...(why ? ["not run", "", ""] : [String(tried), String(failures.length), `${seconds.toFixed(0)} s`]),
]);
const table = [["fault", "times", "failed", "time"], ...rows];
const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
for (const row of table)
  console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "));
for (const { title, why } of results) if (why) console.log(`${title}: not run: ${why}`);
const failed = results.reduce((sum, { failures }) => sum + failures.length, 0);
console.log(failed === 0 ? "all that was tried held" : `${failed} did not hold`);
process.exitCode = failed === 0 ? 0 : 1;
