/** @file `softbox runs --ui`: the program. Import it after `NODE_ENV=production` is set (program.tsx). */
import { noticeOf } from "../notice.ts";
import { runProgram, type Streams } from "../program.tsx";
import { sizeOf } from "../screen.ts";
import { createStore } from "../store.ts";
import { actionFor } from "./keys.ts";
import type { RunRecord, RunsPort } from "./port.ts";
import { RunsScreen } from "./RunsScreen.tsx";
import { initialState, reduce } from "./state.ts";

/** Milliseconds between two looks at the folders. */
const lookEvery = 3000;

/** Shows runs until the user leaves. @throws SandboxError where stdin or stdout is not a terminal. */
export async function runRuns(port: RunsPort, streams: Streams = {}): Promise<void> {
  const store = createStore(initialState(sizeOf(streams.stdout ?? process.stdout)), reduce);
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    try {
      const runs: RunRecord[] = [];
      for await (const run of port.read()) runs.push(run);
      store.dispatch({ type: "read", runs });
    } catch (error) {
      store.dispatch({ type: "failed", notice: noticeOf(error) });
    }
    if (!store.getState().ended) timer = setTimeout(again, lookEvery);
  };
  const again = (): void => void look().catch(store.fail);
  try {
    await runProgram(
      {
        name: "runs",
        store,
        Screen: RunsScreen,
        started: again,
        pressed: (key, terminal) => {
          const action = actionFor(store.getState().page, key);
          if (action?.type === "repainted") terminal.repaint();
          if (action !== undefined) store.dispatch(action);
        },
        resized: (size) => store.dispatch({ type: "resized", size }),
        ending: () => store.dispatch({ type: "ended" }),
      },
      streams,
    );
  } finally {
    clearTimeout(timer);
  }
}
