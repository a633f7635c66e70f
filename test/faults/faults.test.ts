// A short form of `npm run faults` (test/faults/run.mjs); runs that are killed or fought over are in kill.test.ts.
import { expect, test } from "vitest";
import { damageManyTimes } from "./mutate.mjs";
import { fillDisks, turnReadOnly, whyNoMount, writeReadOnly } from "./places.mjs";
import { createTally } from "./softbox.mjs";

test("damaged files of a run: never another model, never a silent step back, never an error without words", {
  timeout: 120_000,
}, async () => {
  const tally = createTally();
  await damageManyTimes(120, 2, tally);
  expect(tally.result()).toEqual({ tried: 150, failures: [] });
});

const why = await whyNoMount();
if (why !== undefined) process.stderr.write(`full and read-only disks are not tested: ${why}\n`);
else
  test("a full disk and a read-only one are told, and with room again the run goes on as if nothing had been", {
    timeout: 240_000,
  }, async () => {
    const tally = createTally();
    await fillDisks([24, 96], tally);
    await writeReadOnly(tally);
    await turnReadOnly(1, tally);
    expect(tally.result()).toEqual({ tried: 13, failures: [] });
  });
