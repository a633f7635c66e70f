/** @file The state of the screen of runs and the one function that changes it. */
import type { Notice } from "../notice.ts";
import type { Size } from "../screen.ts";
import type { RunRecord } from "./port.ts";
import { columns, sortRuns } from "./table.ts";

export type Page = "runs" | "help";
/** What the curves show. */
const curveKinds = ["loss", "validation"] as const;
export type CurveKind = (typeof curveKinds)[number];

/** Runs that are overlaid at most: each has a letter and a colour of its own. */
export const mostShown = 6;
/** Runs that are listed at most. */
const mostRuns = 500;

export interface State {
  readonly size: Size;
  readonly page: Page;
  /** In the order in which they were found; undefined until they have been read once. */
  readonly runs: readonly RunRecord[] | undefined;
  /** Column that the table is sorted by. */
  readonly sortBy: number;
  readonly descending: boolean;
  /** The selected run's folder. */
  readonly selected: string | undefined;
  /** Folders of the overlaid runs, each in its place for good: the place gives letter and colour. */
  readonly shown: readonly (string | undefined)[];
  readonly kind: CurveKind;
  readonly logX: boolean;
  readonly logY: boolean;
  readonly helpTop: number;
  readonly notice: Notice | undefined;
  readonly ended: boolean;
}

export type Action =
  | { readonly type: "read"; readonly runs: readonly RunRecord[] }
  | { readonly type: "failed"; readonly notice: Notice }
  | { readonly type: "resized"; readonly size: Size }
  | { readonly type: "moved"; readonly by: number }
  | { readonly type: "show-toggled" }
  | { readonly type: "sort-turned"; readonly by: 1 | -1 }
  | { readonly type: "sort-reversed" }
  | { readonly type: "kind-turned" }
  | { readonly type: "scale-toggled"; readonly axis: "x" | "y" }
  | { readonly type: "help-opened" }
  | { readonly type: "help-scrolled"; readonly by: number }
  | { readonly type: "page-closed" }
  | { readonly type: "repainted" }
  | { readonly type: "ended" };

export const initialState = (size: Size): State => ({
  size,
  page: "runs",
  runs: undefined,
  sortBy: 1,
  descending: false,
  selected: undefined,
  shown: [],
  kind: "loss",
  logX: false,
  logY: false,
  helpTop: 0,
  notice: undefined,
  ended: false,
});

/** The runs in the table's order. */
export const sortedRuns = ({ runs, sortBy, descending }: State): readonly RunRecord[] =>
  sortRuns(runs ?? [], sortBy, descending);

type Handlers = { readonly [K in Action["type"]]: (state: State, action: Extract<Action, { type: K }>) => State };

const handlers: Handlers = {
  read: readAgain,
  failed: (state, { notice }) => ({ ...state, notice }),
  resized: (state, { size }) => ({ ...state, size }),
  moved: (state, { by }) => {
    const order = sortedRuns(state);
    const place = order.findIndex(({ summary }) => summary.folder === state.selected);
    const next = order[Math.max(0, Math.min(order.length - 1, place + by))];
    return { ...state, selected: next?.summary.folder, notice: undefined };
  },
  "show-toggled": toggleShown,
  "sort-turned": (state, { by }) => ({ ...state, sortBy: (state.sortBy + by + columns.length) % columns.length }),
  "sort-reversed": (state) => ({ ...state, descending: !state.descending }),
  "kind-turned": (state) => ({ ...state, kind: state.kind === "loss" ? "validation" : "loss" }),
  "scale-toggled": (state, { axis }) =>
    axis === "x" ? { ...state, logX: !state.logX } : { ...state, logY: !state.logY },
  "help-opened": (state) => ({ ...state, page: "help", helpTop: 0 }),
  "help-scrolled": (state, { by }) => ({ ...state, helpTop: Math.max(0, state.helpTop + by) }),
  "page-closed": (state) => ({ ...state, page: "runs" }),
  repainted: (state) => state,
  ended: (state) => ({ ...state, ended: true }),
};

/** The state after an action. */
export function reduce(state: State, action: Action): State {
  const handler = handlers[action.type] as (state: State, action: Action) => State;
  return handler(state, action);
}

/** What is new takes the place of what was; the first time the best few are shown. */
function readAgain(state: State, { runs }: { readonly runs: readonly RunRecord[] }): State {
  const kept = runs.slice(0, mostRuns);
  const read = { ...state, runs: kept };
  const order = sortedRuns(read).map(({ summary }) => summary.folder);
  const shown = state.runs === undefined ? order.slice(0, 3) : state.shown;
  const selected = state.selected !== undefined && order.includes(state.selected) ? state.selected : order[0];
  return { ...read, shown, selected };
}

function toggleShown(state: State): State {
  const { shown, selected } = state;
  if (selected === undefined) return state;
  if (shown.includes(selected))
    return { ...state, shown: shown.map((folder) => (folder === selected ? undefined : folder)) };
  const free = [...shown, undefined].indexOf(undefined);
  if (free >= mostShown)
    return { ...state, notice: { kind: "info", text: `${mostShown} curves at most: hide one first` } };
  return { ...state, shown: Object.assign([...shown], { [free]: selected }) };
}
