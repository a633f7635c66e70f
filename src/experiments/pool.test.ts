import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { workInPool } from "./pool.ts";

async function collect<E>(stream: AsyncIterable<E>): Promise<E[]> {
  const events: E[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

test("no more than so many items are worked on at once, and all are", async () => {
  let [atWork, most] = [0, 0];
  const work = async (item: number, tell: (event: number) => void): Promise<void> => {
    most = Math.max(most, ++atWork);
    await setTimeout(1);
    tell(item);
    atWork--;
  };
  const told = await collect(workInPool([1, 2, 3, 4, 5], 2, work));
  expect(told.sort()).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test("after an error nothing new is begun, and what was told before it still comes", async () => {
  const begun: number[] = [];
  const work = async (item: number, tell: (event: string) => void): Promise<void> => {
    begun.push(item);
    tell(`began ${item}`);
    await setTimeout(1);
    if (item === 1) throw new Error("broken");
  };
  const told: string[] = [];
  const all = (async () => {
    for await (const event of workInPool([1, 2, 3], 1, work)) told.push(event);
  })();
  await expect(all).rejects.toThrow("broken");
  expect({ begun, told }).toEqual({ begun: [1], told: ["began 1"] });
});

test("no items, no events", async () => {
  expect(await collect(workInPool([], 3, async () => {}))).toEqual([]);
});
