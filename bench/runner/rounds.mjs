/** @file Times the competitors of a group in turn: a turn of A, a turn of B, …; then again, the other way round. */
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "./child.mjs";
import { commandOf } from "./launch.mjs";

/** Between turns, so that the threads of the last competitor have gone to sleep. */
const restMilliseconds = 30;
/** Turns that everybody's warming up lasts, before the first that counts: a just-in-time compiler must have seen some dozens of steps. */
const turnsToWarmUp = 4;
/** A step at most this long is made once untimed before each turn: the caches are then its own. */
const cheapStepMilliseconds = 250;

/**
 * @typedef {object} Result - of one competitor.
 * @property {string} [unavailable] - why there are no times.
 * @property {boolean} [failed] - it did not say so itself, it broke.
 * @property {string} [description]
 * @property {number[]} [times] - milliseconds of a step, by round.
 * @property {number} [peakMemoryMiB]
 * @property {number} [extraMemoryMiB]
 */

/**
 * @param {import("../groups/group.mjs").Group} group
 * @param {{ rounds: number, seconds: number, place: object }} settings - `seconds` is the length of a turn.
 * @returns {Promise<Map<string, Result>>} by the competitor's name.
 */
export async function timeGroup(group, { rounds, seconds, place }) {
  const runners = [];
  for (const competitor of group.competitors)
    runners.push(await startRunner(competitor, { ...place, warmSeconds: turnsToWarmUp * seconds }));
  const count = Math.min(rounds, group.rounds ?? rounds);
  for (const runner of runners) await attempt(runner, () => chooseSteps(runner, seconds));
  for (let round = 0; round < count; round++)
    for (const runner of round % 2 ? runners.toReversed() : runners) await attempt(runner, () => takeTurn(runner));
  for (const { child } of runners) await child?.stop();
  return new Map(runners.map(({ name, result }) => [name, result]));
}

/** One after the other, so that what compiles does not disturb what warms up. */
async function startRunner(competitor, place) {
  const command = commandOf(competitor, place);
  const runner = { name: competitor.name, result: { times: [] } };
  if (command.unavailable) return { ...runner, result: command };
  runner.child = startChild(command);
  await attempt(runner, async () => {
    const { description, unavailable } = await runner.child.whenReady();
    if (unavailable) runner.result = { unavailable };
    else runner.result.description = description;
  });
  return runner;
}

/** A competitor that breaks is out; the others go on. */
async function attempt(runner, action) {
  if (runner.result.unavailable) return;
  try {
    await action();
  } catch (error) {
    runner.result = { unavailable: error.message, failed: true };
  }
}

/** How many steps fill a turn, from one step and then from a tenth of a turn. */
async function chooseSteps(runner, seconds) {
  const turn = 1000 * seconds;
  const fill = (milliseconds, share) => Math.max(1, Math.round((share * turn) / Math.max(milliseconds, 1e-3)));
  const first = await runner.child.ask(1);
  const second = await runner.child.ask(fill(first.milliseconds, 0.1));
  runner.steps = fill(second.milliseconds, 1);
  runner.cheap = second.milliseconds < cheapStepMilliseconds;
}

async function takeTurn({ child, steps, cheap, result }) {
  await sleep(restMilliseconds);
  if (cheap) await child.ask(1);
  const { milliseconds, ...memory } = await child.ask(steps);
  result.times.push(milliseconds);
  Object.assign(result, memory);
}
