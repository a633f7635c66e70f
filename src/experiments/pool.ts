/** @file Work on several things at once, told as one stream of events. */

/**
 * Runs `work` on every item, at most `parallel` at a time, and yields what it tells in the order of telling.
 *
 * @throws the first error of `work`, after all that has begun has ended; nothing new is begun after it.
 */
export async function* workInPool<T, E>(
  items: readonly T[],
  parallel: number,
  work: (item: T, tell: (event: E) => void) => Promise<void>,
): AsyncGenerator<E> {
  const waiting: E[] = [];
  let wake = (): void => {};
  const tell = (event: E): void => {
    waiting.push(event);
    wake();
  };
  const queue = [...items];
  const hand = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item, tell);
  };
  const stopAll = (error: unknown): never => {
    queue.length = 0;
    throw error;
  };
  let ended = false;
  const hands = Promise.allSettled(Array.from({ length: parallel }, () => hand().catch(stopAll))).then((results) => {
    ended = true;
    wake();
    return results.find((result) => result.status === "rejected");
  });
  while (!ended || waiting.length > 0) {
    if (waiting.length > 0) yield waiting.shift()!;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  const failure = await hands;
  if (failure) throw failure.reason;
}
