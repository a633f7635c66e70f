/** @file The play screen's state and the one function that changes it. No React, no model, no clock. */
import type { Notice } from "../notice.ts";
import type { Size } from "../screen.ts";
import { type Branch, branchAt, dropBranch, keepBranch, markBranch } from "./branches.ts";
import { createEditor, type Edit, type Editor, edit } from "./editor.ts";
import {
  type Answer,
  type Inside,
  type InsidePage,
  initialInside,
  isAnswered,
  moveInside,
  queryOf,
  turnPeer,
} from "./inside.ts";
import type { Insight, ModelCard, Query, Settings, Snapshot } from "./port.ts";
import { answered, failed, quiet, replied } from "./replies.ts";
import { type Dial, dials, moveFilter, sameSettings, toggleCalibration, turnDial } from "./settings.ts";

/** A call of the port that is wanted or under way. */
export type Request =
  | { readonly kind: "prompt"; readonly text: string }
  | { readonly kind: "pick"; readonly id: number }
  | { readonly kind: "keep" | "jump"; readonly branch: number }
  | { readonly kind: "inspect"; readonly query: Query; readonly version: number }
  | { readonly kind: "save" }
  | { readonly kind: "look" | "step" | "undo" };

/** Which page is shown. */
export type Page = "watch" | "edit" | "help" | "settings" | "tree" | InsidePage;

/** Everything that the screen shows. */
export interface State {
  readonly size: Size;
  readonly page: Page;
  /** Undefined until the model is loaded. */
  readonly card: ModelCard | undefined;
  readonly snapshot: Snapshot | undefined;
  /** What the user has asked for; shown at once. */
  readonly settings: Settings;
  /** The settings that `snapshot` belongs to. */
  readonly answered: Settings | undefined;
  /** The text that `restart` goes back to. */
  readonly prompt: string;
  readonly running: boolean;
  /** Index of the selected candidate. */
  readonly selected: number;
  /** Calls that change the text, in order. */
  readonly waiting: readonly Request[];
  readonly inFlight: { readonly request: Request; readonly settings: Settings } | undefined;
  readonly editor: Editor;
  /** First line of the help page that is shown. */
  readonly helpTop: number;
  readonly notice: Notice | undefined;
  /** The dial that the arrows turn. */
  readonly dial: Dial;
  /** Counts the changes of the text. */
  readonly version: number;
  /** Where the pages about the inside stand. */
  readonly inside: Inside;
  readonly answer: Answer | undefined;
  /** Texts that were kept, oldest first. */
  readonly branches: readonly Branch[];
  /** Place of the selected branch in the tree, and the number of the one that it is compared with. */
  readonly branch: number;
  readonly compared: number | undefined;
  readonly ended: boolean;
}

/** Everything that can happen. */
export type Action =
  | { readonly type: "opened"; readonly card: ModelCard }
  | { readonly type: "sent"; readonly request: Request; readonly settings: Settings }
  | { readonly type: "replied"; readonly snapshot: Snapshot }
  | { readonly type: "inspected"; readonly insight: Insight }
  | { readonly type: "saved"; readonly files: readonly string[] }
  | { readonly type: "failed"; readonly notice: Notice }
  | { readonly type: "resized"; readonly size: Size }
  | { readonly type: "dial-turned"; readonly dial?: Dial | undefined; readonly by: 1 | -1 }
  | { readonly type: "dial-chosen"; readonly by: 1 | -1 }
  | { readonly type: "filter-moved"; readonly by: 1 | -1 }
  | { readonly type: "page-toggled"; readonly page: Page }
  | { readonly type: "inside-moved"; readonly across: number; readonly down: number }
  | { readonly type: "peer-kind-turned" }
  | { readonly type: "calibration-toggled" }
  | { readonly type: "branch-kept" }
  | { readonly type: "branch-moved"; readonly by: number }
  | { readonly type: "branch-jumped" }
  | { readonly type: "branch-compared" }
  | { readonly type: "branch-dropped" }
  | { readonly type: "save-asked" }
  | { readonly type: "stepped" }
  | { readonly type: "run-toggled" }
  | { readonly type: "selection-moved"; readonly by: number }
  | { readonly type: "picked"; readonly rank?: number }
  | { readonly type: "undone" }
  | { readonly type: "restarted"; readonly newSeed: boolean }
  | { readonly type: "edit-opened"; readonly insert?: string }
  | { readonly type: "edited"; readonly change: Edit }
  | { readonly type: "edit-submitted" }
  | { readonly type: "page-closed" }
  | { readonly type: "help-opened" }
  | { readonly type: "help-scrolled"; readonly by: number }
  | { readonly type: "repainted" }
  | { readonly type: "ended" };

/** Steps and undos that may wait: more than that, a held key would run on after it is let go. */
const longestQueue = 12;

/** The state before the model is loaded; the prompt is already waiting. */
export function initialState(size: Size, settings: Settings, prompt: string): State {
  return {
    size,
    page: "watch",
    card: undefined,
    snapshot: undefined,
    settings,
    answered: undefined,
    prompt,
    running: false,
    selected: 0,
    waiting: [{ kind: "prompt", text: prompt }],
    inFlight: undefined,
    editor: createEditor(prompt),
    helpTop: 0,
    notice: undefined,
    dial: "temperature",
    version: 0,
    inside: initialInside(settings),
    answer: undefined,
    branches: [],
    branch: 0,
    compared: undefined,
    ended: false,
  };
}

/**
 * The call to send now, if any. At most one is under way; what changes the text goes first; a running text takes the
 * newest settings along; else changed settings ask for one look, however often they changed meanwhile.
 */
export function nextRequest(state: State): Request | undefined {
  if (state.inFlight !== undefined || state.card === undefined || state.ended) return undefined;
  const waiting = state.waiting[0];
  if (waiting !== undefined) return waiting;
  if (state.snapshot === undefined) return undefined;
  const query = queryOf(state);
  if (query !== undefined && !isAnswered(state, query)) return { kind: "inspect", query, version: state.version };
  if (state.running) return { kind: "step" };
  const answered = state.answered !== undefined && sameSettings(state.answered, state.settings);
  return answered ? undefined : { kind: "look" };
}

/** Whether the text is about to change: then what is on the screen cannot be picked from. */
function isTextMoving(state: State): boolean {
  const kind = state.inFlight?.request.kind;
  const waiting = state.waiting.some((request) => !quiet.has(request.kind));
  return state.running || waiting || (kind !== undefined && !quiet.has(kind));
}

type Handlers = { readonly [K in Action["type"]]: (state: State, action: Extract<Action, { type: K }>) => State };

const handlers: Handlers = {
  opened: (state, { card }) => ({ ...state, card }),
  sent: (state, { request, settings }) => ({
    ...state,
    inFlight: { request, settings },
    waiting: state.waiting[0] === request ? state.waiting.slice(1) : state.waiting,
  }),
  replied,
  inspected: (state, { insight }) => answered(state, insight),
  saved: (state, { files }) => ({
    ...state,
    inFlight: undefined,
    notice: { kind: "info", text: `saved ${files.join(" and ")}` },
  }),
  failed,
  resized: (state, { size }) => ({ ...state, size }),
  "dial-turned": (state, { dial, by }) => ({
    ...state,
    notice: undefined,
    settings: turnDial(state.settings, dial ?? state.dial, by),
  }),
  "dial-chosen": (state, { by }) => {
    const place = (dials.indexOf(state.dial) + by + dials.length) % dials.length;
    return { ...state, dial: dials[place]! };
  },
  "filter-moved": (state, { by }) => ({ ...state, settings: moveFilter(state.settings, state.dial, by) }),
  "page-toggled": (state, { page }) => ({ ...state, notice: undefined, page: state.page === page ? "watch" : page }),
  "inside-moved": (state, { across, down }) => ({ ...state, inside: moveInside(state, across, down) }),
  "peer-kind-turned": (state) => ({ ...state, inside: turnPeer(state) }),
  "calibration-toggled": (state) => ({ ...state, notice: undefined, settings: toggleCalibration(state.settings) }),
  "branch-kept": (state) =>
    wait(state, "press b again") ?? keepBranch(state, (id) => enqueue(state, { kind: "keep", branch: id })),
  "branch-moved": (state, { by }) => ({ ...state, branch: bounded(state.branch + by, state.branches.length) }),
  "branch-jumped": (state) => {
    const branch = branchAt(state);
    return branch === undefined ? state : enqueue({ ...state, running: false }, { kind: "jump", branch: branch.id });
  },
  "branch-compared": markBranch,
  "branch-dropped": dropBranch,
  "save-asked": (state) => enqueue(state, { kind: "save" }),
  stepped: (state) => enqueue({ ...state, running: false }, { kind: "step" }),
  "run-toggled": (state) => ({ ...state, running: !state.running, waiting: withoutSteps(state), notice: undefined }),
  "selection-moved": (state, { by }) => ({ ...state, selected: bounded(state.selected + by, candidateCount(state)) }),
  picked,
  undone: (state) =>
    state.snapshot?.tokens.length === 0
      ? { ...state, notice: { kind: "info", text: "nothing to undo" } }
      : enqueue({ ...state, running: false }, { kind: "undo" }),
  restarted: (state, { newSeed }) => ({
    ...startFrom(state, state.prompt),
    settings: newSeed ? { ...state.settings, seed: state.settings.seed + 1 } : state.settings,
  }),
  "edit-opened": (state, { insert }) => {
    const opened: State = {
      ...state,
      page: "edit",
      running: false,
      notice: undefined,
      editor: createEditor(state.prompt),
    };
    return insert === undefined ? opened : { ...opened, editor: edit(opened.editor, { do: "insert", text: insert }) };
  },
  edited: (state, { change }) => ({ ...state, editor: edit(state.editor, change) }),
  "edit-submitted": (state) => startFrom({ ...state, page: "watch" }, state.editor.text),
  "page-closed": (state) => ({ ...state, page: "watch" }),
  "help-opened": (state) => ({ ...state, page: "help", helpTop: 0 }),
  "help-scrolled": (state, { by }) => ({ ...state, helpTop: Math.max(0, state.helpTop + by) }),
  repainted: (state) => state,
  ended: (state) => ({ ...state, ended: true, running: false, waiting: [] }),
};

/** The state after an action. */
export function reduce(state: State, action: Action): State {
  const handler = handlers[action.type] as (state: State, action: Action) => State;
  return handler(state, action);
}

function picked(state: State, { rank }: { readonly rank?: number }): State {
  const waiting = wait(state, "pick again");
  if (waiting !== undefined) return waiting;
  const candidate = state.snapshot?.next.candidates[rank ?? state.selected];
  return candidate === undefined ? state : enqueue(state, { kind: "pick", id: candidate.id });
}

/** While the text moves, what is on the screen is not what a key would act on; undefined: it stands still. */
function wait(state: State, then: string): State | undefined {
  if (!isTextMoving(state)) return undefined;
  const text = `${state.running ? "paused" : "still computing"}: ${then}`;
  return { ...state, running: false, notice: { kind: "info", text } };
}

function startFrom(state: State, prompt: string): State {
  return { ...state, prompt, running: false, notice: undefined, waiting: [{ kind: "prompt", text: prompt }] };
}

function enqueue(state: State, request: Request): State {
  if (state.snapshot === undefined || state.waiting.length >= longestQueue) return state;
  return { ...state, notice: undefined, waiting: [...state.waiting, request] };
}

function withoutSteps(state: State): readonly Request[] {
  return state.waiting.filter(({ kind }) => kind !== "step");
}

function candidateCount(state: State): number {
  return state.snapshot?.next.candidates.length ?? 0;
}

function bounded(index: number, count: number): number {
  return Math.max(0, Math.min(count - 1, index));
}
