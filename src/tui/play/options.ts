/** @file What the play program is given, and what it gives back. */
import type { Notice } from "../notice.ts";
import type { ModelCard, Settings } from "./port.ts";

export interface PlayOptions {
  /** The text to begin with; "" if absent. */
  readonly prompt?: string;
  /** What differs from the default settings. */
  readonly settings?: Partial<Settings>;
  /** A terminal; `process.stdin` if absent. */
  readonly stdin?: NodeJS.ReadStream;
  /** A terminal; `process.stdout` if absent. */
  readonly stdout?: NodeJS.WriteStream;
  /** Ends the program like the key `q`. */
  readonly signal?: AbortSignal;
}

/** How it ended, and with what. */
export interface PlayEnd {
  /** `signal`: SIGTERM, SIGHUP or SIGINT came from outside; `hangup`: the terminal has gone. */
  readonly reason: "quit" | "aborted" | "signal" | "hangup";
  /** For the reason `signal`: which one; the caller decides on the exit code. */
  readonly signal?: NodeJS.Signals;
  /** The text, prompt included, as far as the port sent it; it may hold control characters: print it through `printable`. */
  readonly text: string;
  readonly settings: Settings;
  /** Absent if the model was never loaded. */
  readonly card?: ModelCard;
  /** Why it was not loaded, where that went wrong. */
  readonly failure?: Notice;
}
