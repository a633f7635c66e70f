/** @file The play screen's port, filled by a worker thread: calls and replies are plain messages. */
import type { Worker } from "node:worker_threads";
import { SandboxError } from "../../engine/errors.ts";
import type { PlayPort, Snapshot, TextToken } from "../../tui/play/port.ts";
import { startWorker } from "../startWorker.ts";
import type { PlayModelOptions } from "./playModel.ts";
import { applyChange, type Change } from "./writtenText.ts";

export interface Call {
  readonly id: number;
  readonly method: keyof PlayPort;
  readonly args: readonly unknown[];
}

/** A snapshot with what changed of its tokens. */
export type PackedSnapshot = Omit<Snapshot, "tokens"> & { readonly change: Change };

export type Reply =
  | { readonly id: number; readonly result: unknown; readonly error?: never }
  | {
      readonly id: number;
      readonly error: { readonly message: string; readonly hint: string | undefined; readonly expected: boolean };
    };

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Gives the worker time to free the model before it is ended. */
const closingMilliseconds = 500;

/** A port whose worker starts with the first call; its death rejects what is under way and all that follows. */
export function createWorkerPort(options: PlayModelOptions): PlayPort {
  let worker: Worker | undefined;
  const waiting = new Map<number, Waiting>();
  let death: Error | undefined;
  let nextId = 0;
  const answered = (reply: Reply): void => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error) call?.reject(errorOf(reply.error));
    else call?.resolve(reply.result);
  };

  const die = (error: Error): void => {
    death ??= error;
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  };
  /** Not before the first frame: loading tfjs takes the processor away from it. */
  const started = (): Worker => {
    if (worker) return worker;
    worker = startWorker(new URL("./worker.js", import.meta.url), options);
    worker.on("message", answered);
    worker.on("error", (error) =>
      die(new SandboxError(`the model's thread died: ${(error as Error).message}`, "Quit and start again.")),
    );
    worker.on("exit", () => die(new SandboxError("the model's thread has ended", "Quit and start again.")));
    return worker;
  };
  const call = <T>(method: keyof PlayPort, ...args: unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      if (death) return reject(death);
      const id = nextId++;
      waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      started().postMessage({ id, method, args } satisfies Call);
    });

  let tokens: readonly TextToken[] = [];
  const textCall = async (method: keyof PlayPort, ...args: unknown[]): Promise<Snapshot> => {
    const { change, ...rest } = await call<PackedSnapshot>(method, ...args);
    tokens = applyChange(tokens, change);
    return { ...rest, tokens };
  };

  return {
    open: () => call("open"),
    prompt: (...args) => textCall("prompt", ...args),
    look: (...args) => textCall("look", ...args),
    step: (...args) => textCall("step", ...args),
    pick: (...args) => textCall("pick", ...args),
    undo: (...args) => textCall("undo", ...args),
    keep: (...args) => textCall("keep", ...args),
    jump: (...args) => textCall("jump", ...args),
    inspect: (...args) => call("inspect", ...args),
    save: (...args) => call("save", ...args),
    close: async () => {
      if (!worker) return;
      const patience = new Promise((resolve) => setTimeout(resolve, closingMilliseconds).unref());
      await Promise.race([call("close").catch(() => {}), patience]);
      await worker.terminate();
    },
  };
}

function errorOf({ message, hint, expected }: { message: string; hint: string | undefined; expected: boolean }): Error {
  if (expected) return new SandboxError(message, hint);
  const bug = new Error(message);
  if (hint) bug.stack = hint;
  return bug;
}
