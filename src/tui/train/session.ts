/** @file One sitting with a run: the state, what it asks of the port, and how often it can be told. */
import { noticeOf } from "../notice.ts";
import { createStore, type Store } from "../store.ts";
import type { Batch, TrainPort } from "./port.ts";
import { type Action, isAtWork, reduce, type State } from "./state.ts";

/** A store for the screen, and the run behind it. */
export interface TrainSession extends Store<State, Action> {
  /** Opens the run; failures show as notices. */
  start(): void;
  /** Told after each frame how many milliseconds it took. */
  drawn(milliseconds: number): void;
}

/** Drawing takes at most this share of one processor's time; keys are always drawn at once. */
const drawingShare = 0.03;
/** Milliseconds between two batches. */
const shortest = 250;
const longest = 1000;

/** Milliseconds until the next batch is wanted, if a frame takes `frame` milliseconds. */
const restAfter = (frame: number): number => Math.min(longest, Math.max(shortest, frame / drawingShare));

/** A session that is not started yet. */
export function createTrainSession(port: TrainPort, initial: State): TrainSession {
  const store = createStore(initial, reduce);
  let frame = 0;
  const dispatch = (action: Action) => {
    const before = store.getState();
    store.dispatch(action);
    perform(port, action, before, store.getState());
  };
  const batch = (told: Batch) => {
    dispatch({ type: "told", batch: told });
    setTimeout(() => port.ready(), restAfter(frame)).unref();
  };
  const failed = (error: unknown) => dispatch({ type: "failed", notice: noticeOf(error) });
  return {
    ...store,
    dispatch,
    start: () => {
      (async () => port.open({ batch, failed }))()
        .then((card) => {
          dispatch({ type: "opened", card });
          port.ready();
        }, failed)
        .catch(store.fail);
    },
    drawn: (milliseconds) => {
      frame = frame === 0 ? milliseconds : frame + 0.1 * (milliseconds - frame);
    },
  };
}

/** What an action asks of the run. */
function perform(port: TrainPort, action: Action, before: State, after: State): void {
  const isTraining = after.card?.source === "training" && isAtWork(after);
  if (action.type === "pause-toggled" && before.phase !== after.phase)
    after.phase === "paused" ? port.pause() : port.resume();
  else if (action.type === "save-asked" && isTraining && after.savedStep !== after.step) port.save();
  else if (action.type === "skip-asked") port.skip();
  else if (action.type === "stop-asked" && isTraining) port.stop();
}
