/**
 * @file A screen from its first frame to its last: takes the terminal, draws every state of a store until it has ended,
 * gives the terminal back.
 *
 * React decides between its development and its production build when it is imported: import this file after
 * `NODE_ENV=production` is set, or every frame leaves `performance.measure` entries behind.
 */
import { render } from "ink";
import { Component, type ComponentType, type ReactNode, useCallback, useSyncExternalStore } from "react";
import { SandboxError } from "../engine/errors.ts";
import type { Key } from "./keyboard.ts";
import { type Ending, openTerminal, type Size, type Terminal } from "./screen.ts";
import type { ScreenState, Store } from "./store.ts";

/**
 * Milliseconds between two drawings: a fast model makes more states than anybody can see. More than Ink's own 34, so
 * that each drawing becomes a frame at once.
 */
const frameTime = 40;

/** Where a screen is drawn. */
export interface Streams {
  /** A terminal; `process.stdin` if absent. */
  readonly stdin?: NodeJS.ReadStream;
  /** A terminal; `process.stdout` if absent. */
  readonly stdout?: NodeJS.WriteStream;
}

/** What makes a screen. */
export interface Program<S extends ScreenState, A> {
  /** For messages: `play`. */
  readonly name: string;
  readonly store: Store<S, A>;
  readonly Screen: ComponentType<{ readonly state: S }>;
  /** Called when the first frame is under way. */
  started(): void;
  pressed(key: Key, terminal: Pick<Terminal, "repaint">): void;
  resized(size: Size): void;
  /** A signal, or the terminal has gone. The program goes on until its store has ended. */
  ending(ending: Ending): void;
  /** Told after each frame how many milliseconds it took. */
  drawn?(milliseconds: number): void;
}

/**
 * Draws until the store has ended. The terminal is restored before this resolves or rejects.
 *
 * @throws SandboxError where stdin or stdout is not a terminal.
 */
export async function runProgram<S extends ScreenState, A>(program: Program<S, A>, streams: Streams): Promise<void> {
  const { stdin = process.stdin, stdout = process.stdout } = streams;
  requireTerminal(program.name, stdin, stdout);
  const terminal = openTerminal(stdin, stdout, {
    pressed: (key) => program.pressed(key, terminal),
    resized: program.resized,
    ending: program.ending,
    failed: program.store.fail,
  });
  try {
    await draw(program, terminal);
  } finally {
    await terminal.restore();
  }
}

async function draw<S extends ScreenState, A>(program: Program<S, A>, terminal: Terminal): Promise<void> {
  const { store, Screen, drawn } = program;
  const ink = render(
    <Boundary failed={store.fail}>
      <Drawing store={store} Screen={Screen} />
    </Boundary>,
    {
      stdout: terminal.stdout,
      exitOnCtrlC: false,
      ...(drawn && { onRender: ({ renderTime }) => drawn(renderTime) }),
    },
  );
  try {
    program.started();
    await store.ended;
  } finally {
    ink.unmount();
  }
}

interface DrawingProps<S extends ScreenState, A> {
  readonly store: Store<S, A>;
  readonly Screen: ComponentType<{ readonly state: S }>;
}

function Drawing<S extends ScreenState, A>({ store, Screen }: DrawingProps<S, A>) {
  const subscribe = useCallback((listener: () => void) => store.subscribe(atMostEvery(frameTime, listener)), [store]);
  const state = useSyncExternalStore(subscribe, store.getState);
  return <Screen state={state} />;
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

interface BoundaryProps {
  readonly failed: (error: unknown) => void;
  readonly children: ReactNode;
}

/** Hands an error of drawing to the store; Ink's own boundary would draw it over the screen. */
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

function requireTerminal(name: string, stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): void {
  for (const [stream, is] of [
    ["stdin", stdin.isTTY],
    ["stdout", stdout.isTTY],
  ] as const) {
    if (is) continue;
    throw new SandboxError(
      `${name}: ${stream} must be a terminal, got a pipe or a file`,
      "run it in a terminal, or plainly",
    );
  }
}

/** Closes what is behind a screen; a worker that hangs or has died must not keep the user waiting. */
export async function closeInTime(close: () => Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  const closing = (async () => close())().catch(() => {});
  await Promise.race([closing, late]);
  clearTimeout(timer);
}
