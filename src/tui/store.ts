/** @file A state, the one function that changes it, and who wants to know. Knows no terminal and no React. */

/** What every screen's state has. */
export interface ScreenState {
  readonly ended: boolean;
}

/** A state that a screen draws. */
export interface Store<S extends ScreenState, A> {
  getState(): S;
  dispatch(action: A): void;
  /** Calls `listener` after each change; returns the unsubscriber. */
  subscribe(listener: () => void): () => void;
  /** Ends everything because of a bug: `ended` rejects with it. */
  fail(error: unknown): void;
  /** Resolves when the state has ended. */
  readonly ended: Promise<void>;
}

/**
 * A store that takes no action after its end.
 *
 * @param changed - called after each change that did not end it.
 */
export function createStore<S extends ScreenState, A>(
  initial: S,
  reduce: (state: S, action: A) => S,
  changed: () => void = () => {},
): Store<S, A> {
  let state = initial;
  let failed = false;
  const listeners = new Set<() => void>();
  const { promise: ended, resolve, reject } = deferred();
  return {
    getState: () => state,
    dispatch: (action) => {
      if (state.ended || failed) return;
      state = reduce(state, action);
      for (const listener of listeners) listener();
      if (state.ended) resolve();
      else changed();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    fail: (error) => {
      failed = true;
      reject(error);
    },
    ended,
  };
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
