/** @file `softbox train --ui`: the program. Import it after `NODE_ENV=production` is set (program.tsx). */
import type { Notice } from "../notice.ts";
import { closeInTime, type Program, runProgram, type Streams } from "../program.tsx";
import { sizeOf } from "../screen.ts";
import { TrainScreen } from "./components/TrainScreen.tsx";
import { actionFor } from "./keys.ts";
import type { RunCard, TrainPort } from "./port.ts";
import { createTrainSession } from "./session.ts";
import { type Action, initialState, isLeavingCostly, type Phase, type State } from "./state.ts";

/** Milliseconds that closing the port may take before it is left alone. */
const closingTime = 3000;

/** How the sitting ended, and where the run stands. */
export interface TrainEnd {
  /** Set where a signal came from outside: the caller decides on the exit code. */
  readonly signal?: NodeJS.Signals;
  readonly phase: Phase;
  readonly step: number;
  /** The step of the last checkpoint that was seen. */
  readonly savedStep?: number;
  /** Absent if the run was never opened. */
  readonly card?: RunCard;
  /** What went wrong, where something did. */
  readonly failure?: Notice;
}

/**
 * Shows a run until it has ended and the user leaves. A signal, or a terminal that goes away, stops the run after the
 * step at hand, saved; a second one ends at once. The terminal is restored and the port closed when this resolves.
 *
 * @throws SandboxError where stdin or stdout is not a terminal.
 */
export async function runTrain(port: TrainPort, streams: Streams = {}): Promise<TrainEnd> {
  const session = createTrainSession(port, initialState(sizeOf(streams.stdout ?? process.stdout)));
  let signal: NodeJS.Signals | undefined;
  const program: Program<State, Action> = {
    name: "train",
    store: session,
    Screen: TrainScreen,
    started: session.start,
    pressed: (key, terminal) => {
      const action = actionFor(session.getState().page, key);
      if (action?.type === "repainted") terminal.repaint();
      if (action !== undefined) session.dispatch(action);
    },
    resized: (size) => session.dispatch({ type: "resized", size }),
    ending: (ending) => {
      if (ending.reason === "signal") signal = ending.signal;
      session.dispatch({ type: isLeavingCostly(session.getState()) ? "stop-asked" : "ended" });
    },
    drawn: session.drawn,
  };
  try {
    await runProgram(program, streams);
  } finally {
    await closeInTime(() => port.close(), closingTime);
  }
  return endOf(session.getState(), signal);
}

function endOf({ phase, step, savedStep, card, notice }: State, signal: NodeJS.Signals | undefined): TrainEnd {
  return {
    phase,
    step,
    ...(savedStep !== undefined && { savedStep }),
    ...(card && { card }),
    ...(signal && { signal }),
    ...(phase === "failed" && notice && { failure: notice }),
  };
}
