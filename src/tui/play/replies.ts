/** @file What the play screen's state makes of the port's replies. */
import type { Notice } from "../notice.ts";
import type { Insight, Snapshot } from "./port.ts";
import type { Request, State } from "./state.ts";

/** Calls that leave the text alone. */
export const quiet: ReadonlySet<Request["kind"]> = new Set(["look", "inspect", "save", "keep"]);

/** The state after a call that failed. */
export function failed(state: State, { notice }: { readonly notice: Notice }): State {
  // A question about the inside that fails is its own answer: the text goes on.
  if (state.inFlight?.request.kind === "inspect") return answered(state, notice);
  const tried = state.inFlight?.settings;
  const rest = { ...state, notice, running: false, waiting: [], inFlight: undefined };
  // Where there is no repair, it goes off again.
  if (tried?.calibrated === true && state.answered?.calibrated !== true)
    return { ...rest, settings: { ...state.settings, calibrated: false } };
  return { ...rest, answered: tried ?? state.answered };
}

/** The state after an answer about the inside of the model. */
export function answered(state: State, insight: Insight | Notice): State {
  const request = state.inFlight?.request;
  if (request?.kind !== "inspect") return state;
  const { query, version } = request;
  return { ...state, inFlight: undefined, answer: { query, version, insight } };
}

/** The state after a new distribution, and perhaps a new text. */
export function replied(state: State, { snapshot }: { readonly snapshot: Snapshot }): State {
  const looked = state.inFlight !== undefined && quiet.has(state.inFlight.request.kind);
  const selectedId = state.snapshot?.next.candidates[state.selected]?.id;
  const found = snapshot.next.candidates.findIndex(({ id }) => id === selectedId);
  return {
    ...state,
    snapshot,
    answered: state.inFlight?.settings ?? state.answered,
    inFlight: undefined,
    version: looked ? state.version : state.version + 1,
    selected: looked ? Math.max(0, found) : 0,
  };
}
