/** @file The two errors this program raises on purpose. Anything else is a bug and keeps its stack. */

/** Something the user can put right; the command line prints message and hint, without a stack. */
export class SandboxError extends Error {
  override readonly name: string = "SandboxError";
  /**
   * @param message - `where: what must hold, got facts`.
   * @param hint - what to do about it.
   */
  constructor(
    message: string,
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A tensor has the wrong shape: always a bug in the caller. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
  constructor(where: string, expected: readonly (number | null)[], got: readonly number[]) {
    super(`${where}: expected shape [${expected.map((n) => n ?? "?").join(", ")}], got [${got.join(", ")}]`);
  }
}
