/**
 * @file `softbox play`: the program. Takes the terminal, draws until somebody ends it, gives the terminal back.
 *
 * React decides between its development and its production build when it is imported: import this file after
 * `NODE_ENV=production` is set, or every frame leaves `performance.measure` entries behind.
 */
import { render } from "ink";
import { Component, type ReactNode, useCallback, useSyncExternalStore } from "react";
import { SandboxError } from "../../engine/errors.ts";
import { openTerminal, sizeOf, type Terminal } from "../screen.ts";
import { PlayScreen } from "./components/PlayScreen.tsx";
import { actionFor } from "./keys.ts";
import type { PlayEnd, PlayOptions } from "./options.ts";
import type { PlayPort } from "./port.ts";
import { createSession, type Session } from "./session.ts";
import { defaultSettings } from "./settings.ts";
import { initialState } from "./state.ts";

/** Milliseconds that closing the port may take before it is left alone. */
const closingTime = 2000;
/**
 * Milliseconds between two drawings: a fast model makes more states than anybody can see. More than Ink's own 34, so
 * that each drawing becomes a frame at once.
 */
const frameTime = 40;

/**
 * Runs the play screen until the user, a signal or `options.signal` ends it. The terminal is restored before this
 * resolves or rejects; the port is closed.
 *
 * @returns what to print afterwards.
 * @throws SandboxError where stdin or stdout is not a terminal: use `plainPlay` there.
 */
export async function runPlay(port: PlayPort, options: PlayOptions = {}): Promise<PlayEnd> {
  const { stdin = process.stdin, stdout = process.stdout, prompt = "", signal } = options;
  requireTerminal(stdin, stdout);
  const settings = { ...defaultSettings, ...options.settings };
  const session = createSession(port, initialState(sizeOf(stdout), settings, prompt));
  let ending: Pick<PlayEnd, "reason" | "signal"> = { reason: "quit" };
  const end = (how: typeof ending) => {
    if (!session.getState().ended) ending = how;
    session.dispatch({ type: "ended" });
  };
  const terminal: Terminal = openTerminal(stdin, stdout, {
    pressed: (key) => {
      const action = actionFor(session.getState().page, key);
      if (action?.type === "repainted") terminal.repaint();
      if (action !== undefined) session.dispatch(action);
    },
    resized: (size) => session.dispatch({ type: "resized", size }),
    ending: end,
    failed: session.fail,
  });
  const abort = () => end({ reason: "aborted" });
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted) abort();
    await draw(session, terminal);
  } finally {
    signal?.removeEventListener("abort", abort);
    await terminal.restore();
    await closePort(port);
  }
  const { snapshot, settings: last, card } = session.getState();
  const text = snapshot?.tokens.map((token) => token.text).join("") ?? "";
  return { ...ending, text, settings: last, ...(card !== undefined && { card }) };
}

/** Draws every state of the session until it has ended. */
async function draw(session: Session, terminal: Terminal): Promise<void> {
  const ink = render(
    <Boundary failed={session.fail}>
      <Play session={session} />
    </Boundary>,
    { stdout: terminal.stdout, exitOnCtrlC: false },
  );
  try {
    session.start();
    await session.ended;
  } finally {
    ink.unmount();
  }
}

/** Calls `listener` at once, and again after `milliseconds` for all calls that came meanwhile. */
function atMostEvery(milliseconds: number, listener: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let again = false;
  const rest = () => {
    timer = undefined;
    if (!again) return;
    again = false;
    timer = setTimeout(rest, milliseconds);
    listener();
  };
  return () => {
    again = timer !== undefined;
    if (again) return;
    timer = setTimeout(rest, milliseconds);
    listener();
  };
}

function Play({ session }: { readonly session: Session }) {
  const subscribe = useCallback(
    (listener: () => void) => session.subscribe(atMostEvery(frameTime, listener)),
    [session],
  );
  const state = useSyncExternalStore(subscribe, session.getState);
  return <PlayScreen state={state} />;
}

interface BoundaryProps {
  readonly failed: (error: unknown) => void;
  readonly children: ReactNode;
}

/** Hands an error of drawing to the session; Ink's own boundary would draw it over the screen. */
class Boundary extends Component<BoundaryProps, { readonly broken: boolean }> {
  override readonly state = { broken: false };
  static getDerivedStateFromError() {
    return { broken: true };
  }
  override componentDidCatch(error: unknown) {
    this.props.failed(error);
  }
  override render() {
    return this.state.broken ? null : this.props.children;
  }
}

function requireTerminal(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): void {
  for (const [name, stream] of [
    ["stdin", stdin],
    ["stdout", stdout],
  ] as const) {
    if (stream.isTTY) continue;
    throw new SandboxError(
      `play: ${name} must be a terminal, got a pipe or a file`,
      "run it in a terminal, or plainly",
    );
  }
}

/** Closes the port; a worker that hangs or has died must not keep the user waiting. */
async function closePort(port: PlayPort): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closingTime);
  });
  const closing = (async () => port.close())().catch(() => {});
  await Promise.race([closing, late]);
  clearTimeout(timer);
}
