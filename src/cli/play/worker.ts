/** @file The worker thread that owns the model while the screen stays with the main thread. */
import { parentPort, workerData } from "node:worker_threads";
import { SandboxError } from "../../engine/errors.ts";
import type { PlayPort, Snapshot, TextToken } from "../../tui/play/port.ts";
import { createPlayModel, type PlayModelOptions } from "./playModel.ts";
import type { Call, PackedSnapshot, Reply } from "./workerPort.ts";
import { changeOf } from "./writtenText.ts";

const model = createPlayModel(workerData as PlayModelOptions);

/** What the screen's thread has of the text: only what changed is sent. */
let sent: readonly TextToken[] = [];

function pack(result: unknown): unknown {
  if (typeof result !== "object" || result === null || !("windowed" in result)) return result;
  const { tokens, ...rest } = result as Snapshot;
  const change = changeOf(sent, tokens);
  sent = tokens;
  return { ...rest, change } satisfies PackedSnapshot;
}

async function answer({ id, method, args }: Call): Promise<Reply> {
  try {
    const call = model[method] as (...given: unknown[]) => Promise<unknown>;
    return { id, result: pack(await call(...args)) };
  } catch (error) {
    const { message, stack } = error as Error;
    if (error instanceof SandboxError) return { id, error: { message, hint: error.hint, expected: true } };
    return { id, error: { message, hint: stack, expected: false } };
  }
}

/** One call after another, in the order they came. */
let queue: Promise<void> = Promise.resolve();

parentPort!.on("message", (call: Call & { method: keyof PlayPort }) => {
  queue = queue.then(async () => parentPort!.postMessage(await answer(call)));
});
