/** @file `softbox play`: the program. Import it after `NODE_ENV=production` is set (program.tsx). */
import { closeInTime, type Program, runProgram } from "../program.tsx";
import { sizeOf } from "../screen.ts";
import { PlayScreen } from "./components/PlayScreen.tsx";
import { actionFor } from "./keys.ts";
import type { PlayEnd, PlayOptions } from "./options.ts";
import type { PlayPort } from "./port.ts";
import { createSession } from "./session.ts";
import { defaultSettings } from "./settings.ts";
import { type Action, initialState, type State } from "./state.ts";

/** Milliseconds that closing the port may take before it is left alone. */
const closingTime = 2000;

/**
 * Runs the play screen until the user, a signal or `options.signal` ends it. The terminal is restored before this
 * resolves or rejects; the port is closed.
 *
 * @returns what to print afterwards.
 * @throws SandboxError where stdin or stdout is not a terminal: use `plainPlay` there.
 */
export async function runPlay(port: PlayPort, options: PlayOptions = {}): Promise<PlayEnd> {
  const { stdout = process.stdout, prompt = "", signal } = options;
  const settings = { ...defaultSettings, ...options.settings };
  const session = createSession(port, initialState(sizeOf(stdout), settings, prompt));
  let ending: Pick<PlayEnd, "reason" | "signal"> = { reason: "quit" };
  const end = (how: typeof ending) => {
    if (!session.getState().ended) ending = how;
    session.dispatch({ type: "ended" });
  };
  const abort = () => end({ reason: "aborted" });
  signal?.addEventListener("abort", abort);
  const program: Program<State, Action> = {
    name: "play",
    store: session,
    Screen: PlayScreen,
    started: () => (signal?.aborted ? abort() : session.start()),
    pressed: (key, terminal) => {
      const action = actionFor(session.getState().page, key);
      if (action?.type === "repainted") terminal.repaint();
      if (action !== undefined) session.dispatch(action);
    },
    resized: (size) => session.dispatch({ type: "resized", size }),
    ending: end,
  };
  try {
    await runProgram(program, options);
  } finally {
    signal?.removeEventListener("abort", abort);
    await closeInTime(() => port.close(), closingTime);
  }
  const { snapshot, settings: last, card, notice } = session.getState();
  const text = snapshot?.tokens.map((token) => token.text).join("") ?? "";
  const loaded = card === undefined ? notice?.kind === "error" && { failure: notice } : { card };
  return { ...ending, text, settings: last, ...loaded };
}
