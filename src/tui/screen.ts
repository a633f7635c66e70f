/**
 * @file The terminal while a screen of ours is on it: taken over, given back whatever happens.
 *
 * The screen lives on the terminal's alternate buffer, so the user's scrollback is never touched. Ink draws through a
 * stream that claims endless rows: with the true number Ink clears the whole terminal, scrollback too, as soon as the
 * window has become lower than the last frame. Keeping frames below the window's height is the screen's own duty.
 */
import { EventEmitter } from "node:events";
import { StringDecoder } from "node:string_decoder";
import { flushKeys, isInsidePaste, type Key, readKeys } from "./keyboard.ts";

/** A window's size in cells. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Why the terminal asks the screen to end. */
export type Ending = { readonly reason: "signal"; readonly signal: NodeJS.Signals } | { readonly reason: "hangup" };

/** What happens on the terminal; an error thrown by a listener goes to `failed`. */
export interface TerminalListeners {
  readonly pressed: (key: Key) => void;
  readonly resized: (size: Size) => void;
  readonly ending: (ending: Ending) => void;
  readonly failed: (error: unknown) => void;
}

/** A terminal taken over. */
export interface Terminal {
  /** What Ink draws on. */
  readonly stdout: NodeJS.WriteStream;
  /** Draws the last frame again, after something else has written over it. */
  repaint(): void;
  /** Drops what was typed ahead and gives the terminal back as it was. Idempotent. */
  restore(): Promise<void>;
}

const enter = "\x1b[?1049h\x1b[2J\x1b[H\x1b[?2004h";
const leave = "\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1049l\x1b[?25h";
const wipe = "\x1b[2J\x1b[H";
const signals: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGINT"];
/** After this many milliseconds a lone escape byte is the escape key. */
const escapeDelay = 40;
/** Milliseconds to collect what was typed ahead. */
const drainDelay = 15;

/** The window's size; 80×24 where the terminal does not say. */
export function sizeOf(stdout: NodeJS.WriteStream): Size {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}

/** Takes the terminal over: alternate buffer, raw mode, bracketed paste; the caller restores it. */
export function openTerminal(
  stdin: NodeJS.ReadStream,
  stdout: NodeJS.WriteStream,
  listeners: TerminalListeners,
): Terminal {
  const canvas = createCanvas(stdout);
  const stopKeys = listenToKeys(stdin, listeners);
  const onResize = guarded(listeners, () => {
    canvas.wipeNext();
    listeners.resized(sizeOf(stdout));
  });
  const stopEndings = listenToEndings(stdin, stdout, listeners);
  /** After a stop the shell has the terminal its own way: all is taken over anew. */
  const onContinue = guarded(listeners, () => {
    stdin.setRawMode(false); // the stream believes that it is raw still
    stdin.setRawMode(true);
    stdout.write(enter);
    canvas.repaint();
  });
  let open = true;
  const restoreNow = () => {
    if (!open) return;
    open = false;
    process.off("exit", restoreNow);
    process.off("uncaughtExceptionMonitor", restoreNow);
    stdout.off("resize", onResize);
    process.off("SIGCONT", onContinue);
    stopKeys();
    stopEndings();
    canvas.close(leave);
  };
  process.on("exit", restoreNow);
  process.on("uncaughtExceptionMonitor", restoreNow);
  stdout.on("resize", onResize);
  process.on("SIGCONT", onContinue);
  stdout.write(enter);
  return {
    stdout: canvas.stream,
    repaint: canvas.repaint,
    restore: async () => {
      if (open) await new Promise((resolve) => setTimeout(resolve, drainDelay));
      restoreNow();
    },
  };
}

/** Wraps a listener so that what it throws ends the screen in order, not the process in raw mode. */
function guarded<T extends readonly unknown[]>(listeners: TerminalListeners, listener: (...args: T) => void) {
  return (...args: T) => {
    try {
      listener(...args);
    } catch (error) {
      listeners.failed(error);
    }
  };
}

function listenToKeys(stdin: NodeJS.ReadStream, listeners: TerminalListeners): () => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let timer: NodeJS.Timeout | undefined;
  const press = guarded(listeners, (keys: readonly Key[]) => {
    for (const key of keys) listeners.pressed(key);
  });
  const flush = () => {
    const keys = flushKeys(rest);
    rest = "";
    press(keys);
  };
  const onData = (data: Buffer | string) => {
    clearTimeout(timer);
    const read = readKeys(rest + (typeof data === "string" ? data : decoder.write(data)));
    rest = read.rest;
    if (rest !== "" && !isInsidePaste(rest)) timer = setTimeout(flush, escapeDelay);
    press(read.keys);
  };
  stdin.setRawMode(true);
  stdin.on("data", onData);
  stdin.resume();
  return () => {
    clearTimeout(timer);
    stdin.off("data", onData);
    stdin.pause();
    if (!stdin.destroyed) stdin.setRawMode(false);
  };
}

function listenToEndings(
  stdin: NodeJS.ReadStream,
  stdout: NodeJS.WriteStream,
  listeners: TerminalListeners,
): () => void {
  const onSignal = guarded(listeners, (signal: NodeJS.Signals) => listeners.ending({ reason: "signal", signal }));
  const onHangup = guarded(listeners, () => listeners.ending({ reason: "hangup" }));
  for (const signal of signals) process.on(signal, onSignal);
  stdin.on("end", onHangup);
  stdin.on("error", onHangup);
  stdout.on("error", onHangup);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
    stdin.off("end", onHangup);
    stdin.off("error", onHangup);
    stdout.off("error", onHangup);
  };
}

interface Canvas {
  readonly stream: NodeJS.WriteStream;
  wipeNext(): void;
  repaint(): void;
  close(last: string): void;
}

/** The stream for Ink: the terminal's width, endless rows, and a memory of the last frame. */
function createCanvas(stdout: NodeJS.WriteStream): Canvas {
  let open = true;
  let wiping = false;
  let frame = "";
  const write = (data: string, ...rest: unknown[]): boolean => {
    const done = rest.at(-1);
    if (!open) {
      if (typeof done === "function") setImmediate(done as () => void);
      return true;
    }
    if (data.includes("\n")) frame = data;
    const prefix = wiping && data.includes("\n") ? wipe : "";
    if (prefix !== "") wiping = false;
    return stdout.write(prefix + data, ...(rest as []));
  };
  const stream = Object.defineProperties(Object.assign(new EventEmitter(), { isTTY: true, writable: true, write }), {
    columns: { get: () => sizeOf(stdout).columns },
    rows: { get: () => Number.MAX_SAFE_INTEGER },
    destroyed: { get: () => stdout.destroyed },
    writableEnded: { get: () => stdout.writableEnded },
    writableLength: { get: () => stdout.writableLength },
  }) as unknown as NodeJS.WriteStream;
  return {
    stream,
    wipeNext: () => {
      wiping = true;
    },
    repaint: () => {
      if (open && frame !== "") stdout.write(wipe + frame);
    },
    close: (last) => {
      open = false;
      if (stdout.destroyed || stdout.writableEnded) return;
      // A terminal that has gone away answers with an error that nobody needs any more.
      const ignore = () => {};
      stdout.on("error", ignore);
      stdout.write(last, () => setImmediate(() => stdout.off("error", ignore)));
    },
  };
}
