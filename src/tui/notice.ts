/** @file A line for the user; an error says what to do in `hint`. */
export interface Notice {
  readonly kind: "info" | "error";
  readonly text: string;
  readonly hint?: string;
}

/** An error as a line for the user; what has a `hint` brings it, also when it came from another thread. */
export function noticeOf(error: unknown): Notice {
  const { message, hint } = (error ?? {}) as { message?: unknown; hint?: unknown };
  const text = typeof message === "string" && message !== "" ? message : String(error);
  return { kind: "error", text, ...(typeof hint === "string" && { hint }) };
}
