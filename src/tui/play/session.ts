/** @file One sitting with a model: the state, and the calls it makes to the port. Knows no terminal and no React. */
import { noticeOf } from "../notice.ts";
import { createStore, type Store } from "../store.ts";
import type { PlayPort, Settings, Snapshot } from "./port.ts";
import { type Action, nextRequest, type Request, reduce, type State } from "./state.ts";

/** A store for the screen, and the pump behind it. */
export interface Session extends Store<State, Action> {
  /** Loads the model; failures show as notices. */
  start(): void;
}

/** A session that is not started yet; calls to the port follow its actions by themselves. */
export function createSession(port: PlayPort, initial: State): Session {
  // Not at once: a port that answers without a pause must not starve keys and frames.
  const store: Store<State, Action> = createStore(initial, reduce, () => setImmediate(pump));
  const { getState, dispatch } = store;
  const settle = <T>(call: Promise<T>, done: (value: T) => Action) => {
    call
      .then(
        (value) => dispatch(done(value)),
        (error) => dispatch({ type: "failed", notice: noticeOf(error) }),
      )
      .catch(store.fail);
  };
  const pump = () => {
    const request = nextRequest(getState());
    if (request === undefined) return;
    const { settings, branches } = getState();
    dispatch({ type: "sent", request, settings });
    if (request.kind === "inspect")
      settle(
        soon(() => port.inspect(request.query)),
        (insight) => ({ type: "inspected", insight }),
      );
    else if (request.kind === "save")
      settle(
        soon(() => port.save({ settings, branches: branches.map(({ id }) => id) })),
        (files) => ({ type: "saved", files }),
      );
    else
      settle(
        soon(() => callPort(port, request, settings)),
        (snapshot) => ({ type: "replied", snapshot }),
      );
  };
  return { ...store, start: () => settle(soon(port.open), (card) => ({ type: "opened", card })) };
}

/** What a port throws at once is a rejection too. */
const soon = async <T>(call: () => Promise<T>): Promise<T> => call();

/** A call that comes back with the text. */
type TextRequest = Exclude<Request, { readonly kind: "inspect" } | { readonly kind: "save" }>;

function callPort(port: PlayPort, request: TextRequest, settings: Settings): Promise<Snapshot> {
  switch (request.kind) {
    case "prompt":
      return port.prompt(request.text, settings);
    case "pick":
      return port.pick(request.id, settings);
    case "keep":
    case "jump":
      return port[request.kind](request.branch, settings);
    case "look":
    case "step":
    case "undo":
      return port[request.kind](settings);
    default:
      request satisfies never;
      throw new Error("play: no such request");
  }
}
