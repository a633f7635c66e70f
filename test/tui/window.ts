/** @file A program in a real pseudo-terminal, and what its window shows. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type IPty, spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";

/** A running program and its window. */
export interface Window {
  /** Types, or sends any bytes. */
  type(input: string): void;
  /** The visible lines, without spaces at the end. */
  lines(): string[];
  /** The visible lines as one text. */
  text(): string;
  /** Waits until the window shows what `wanted` says; fails after `limit` milliseconds with the window's text. */
  until(wanted: RegExp | ((text: string) => boolean), limit?: number): Promise<string>;
  resize(columns: number, rows: number): void;
  /** Sends a signal to the program. */
  kill(signal: string): void;
  /** Takes the terminal away, as a closed connection does. */
  hangUp(): void;
  /** Kills whatever still runs in the window. */
  end(): void;
  /** Everything the terminal keeps of the main screen, scrollback included. */
  history(): string[];
  /** Every byte that the program has written. */
  written(): string;
  /** Waits for the end of the program. */
  exit(): Promise<{ exitCode: number; signal?: number | undefined }>;
}

export interface WindowOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The built program; the tests of this folder run after `npx tsc -p tsconfig.build.json`. */
export function builtProgram(): string {
  const dist = process.env.SOFTBOX_TEST_DIST ?? fileURLToPath(new URL("../../dist", import.meta.url));
  if (existsSync(`${dist}/tui/play/play.js`)) return dist;
  throw new Error(`${dist}/tui/play/play.js is missing: build first (npm run prepare)`);
}

/**
 * Starts `node fixtures/<name>` behind a few lines of shell history. The environment's BEFORE and REDIRECT stand before and
 * after the command; with STATUS the shell says how it ended.
 */
export function openWindow(name: string, { columns, rows, env = {} }: WindowOptions): Window {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  const file = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
  // The shell outlives signals to the whole foreground group, as an interactive one does, and looks at the terminal.
  const script = [
    "trap : TERM HUP INT",
    'for i in 1 2 3 4 5 6 7 8 9; do echo "earlier line $i"; done',
    `${env.BEFORE ?? ""} "$NODE" "$FILE" ${env.REDIRECT ?? ""}`,
    ...(env.STATUS ? ['echo "exit code $?"'] : []),
    `echo line discipline: $(stty -a | tr ' ;' '\\n\\n' | grep -xE -e '-?(icanon|echo)')`,
  ].join("\n");
  const pty: IPty = spawn("/bin/sh", ["-c", script], {
    cols: columns,
    rows,
    name: "xterm-256color",
    env: { ...plainEnvironment(), NODE: process.execPath, FILE: file, DIST: builtProgram(), ...env },
  });
  let written = "";
  pty.onData((data) => {
    written += data;
    terminal.write(data);
  });
  let running = true;
  const ended = new Promise<{ exitCode: number; signal?: number | undefined }>((resolve) => {
    pty.onExit((status) => {
      running = false;
      resolve(status);
    });
  });
  const flushed = () => new Promise<void>((resolve) => terminal.write("", resolve));
  const window: Window = {
    type: (input) => pty.write(input),
    lines: () => linesOf(terminal.buffer.active, terminal.buffer.active.viewportY, terminal.rows),
    text: () => window.lines().join("\n"),
    until: async (wanted, limit = 8000) => {
      const fits = typeof wanted === "function" ? wanted : (text: string) => wanted.test(text);
      for (const start = Date.now(); Date.now() - start < limit; await pause(10)) {
        await flushed();
        if (fits(window.text())) return window.text();
      }
      throw new Error(`the window did not show ${wanted} in ${limit} ms, but:\n${window.text()}`);
    },
    resize: (newColumns, newRows) => {
      pty.resize(newColumns, newRows);
      terminal.resize(newColumns, newRows);
    },
    kill: (signal) => process.kill(-pty.pid, signal),
    hangUp: () => (pty as IPty & { destroy(): void }).destroy(),
    end: () => {
      if (running) process.kill(-pty.pid, "SIGKILL");
    },
    history: () => linesOf(terminal.buffer.normal, 0, terminal.buffer.normal.length),
    written: () => written,
    exit: async () => {
      const status = await ended;
      await flushed();
      return status;
    },
  };
  return window;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function linesOf(buffer: xterm.IBuffer, first: number, count: number): string[] {
  return Array.from({ length: count }, (_, row) => buffer.getLine(first + row)?.translateToString(true) ?? "");
}

/** The environment without what would change colours, builds or Ink's mind: a person's terminal, not a robot's. */
function plainEnvironment(): Record<string, string> {
  const unwanted =
    /^(NODE_ENV|NO_COLOR|FORCE_COLOR|TERM|COLORTERM|NODE_OPTIONS|VITEST.*|CI|CI_.*|CONTINUOUS_INTEGRATION)$/;
  const kept = Object.entries(process.env).filter(([name, value]) => value !== undefined && !unwanted.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}
