/** @file One sitting with a model: the state, and the calls it makes to the port. Knows no terminal and no React. */
import type { PlayPort, Settings, Snapshot } from "./port.ts";
import { type Action, type Notice, nextRequest, type Request, reduce, type State } from "./state.ts";

/** A store for the screen, and the pump behind it. */
export interface Session {
  getState(): State;
  /** Applies an action; calls to the port follow by themselves. */
  dispatch(action: Action): void;
  /** Calls `listener` after each change; returns the unsubscriber. */
  subscribe(listener: () => void): () => void;
  /** Loads the model; failures show as notices. */
  start(): void;
  /** Ends the session because of a bug: `ended` rejects with it. */
  fail(error: unknown): void;
  /** Resolves when the state has ended. */
  readonly ended: Promise<void>;
}

/** A session that is not started yet. */
export function createSession(port: PlayPort, initial: State): Session {
  let state = initial;
  const listeners = new Set<() => void>();
  const { promise: ended, resolve, reject } = deferred();
  let failed = false;
  const dispatch = (action: Action) => {
    if (state.ended || failed) return;
    state = reduce(state, action);
    for (const listener of listeners) listener();
    if (state.ended) resolve();
    // Not at once: a port that answers without a pause must not starve keys and frames.
    else setImmediate(pump);
  };
  const settle = <T>(call: Promise<T>, done: (value: T) => Action) => {
    call
      .then(
        (value) => dispatch(done(value)),
        (error) => dispatch({ type: "failed", notice: noticeOf(error) }),
      )
      .catch(fail);
  };
  const fail = (error: unknown) => {
    failed = true;
    reject(error);
  };
  const pump = () => {
    if (failed) return;
    const request = nextRequest(state);
    if (request === undefined) return;
    const { settings } = state;
    dispatch({ type: "sent", request, settings });
    settle(callPort(port, request, settings), (snapshot) => ({ type: "replied", snapshot }));
  };
  return {
    getState: () => state,
    dispatch,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: () => settle(openPort(port), (card) => ({ type: "opened", card })),
    fail,
    ended,
  };
}

/** An error as a line for the user; what has a `hint` brings it, also when it came from another thread. */
export function noticeOf(error: unknown): Notice {
  const { message, hint } = (error ?? {}) as { message?: unknown; hint?: unknown };
  const text = typeof message === "string" && message !== "" ? message : String(error);
  return { kind: "error", text, ...(typeof hint === "string" && { hint }) };
}

async function openPort(port: PlayPort) {
  return port.open();
}

async function callPort(port: PlayPort, request: Request, settings: Settings): Promise<Snapshot> {
  switch (request.kind) {
    case "prompt":
      return port.prompt(request.text, settings);
    case "pick":
      return port.pick(request.id, settings);
    default:
      return port[request.kind](settings);
  }
}

function deferred() {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Whoever awaits it sees the error; before that nobody needs to.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
