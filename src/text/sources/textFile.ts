/** @file Reads one UTF-8 file, or says which byte is wrong. */
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { SandboxError } from "../../engine/errors.ts";

export interface ReadOptions {
  /** Replace what is not UTF-8 by U+FFFD instead of refusing it; default false. */
  readonly lossy?: boolean | undefined;
}

/** The text of a file, less a byte-order mark. @throws {SandboxError} if it cannot be read or is no UTF-8 text. */
export async function readTextFile(file: string, { lossy = false }: ReadOptions): Promise<string> {
  const bytes = await readBytes(file);
  expectText(file, bytes);
  if (!lossy && !isUtf8(bytes)) {
    const offset = firstInvalidByte(bytes);
    const value = bytes[offset]!.toString(16).padStart(2, "0");
    throw new SandboxError(
      `${file}: must be UTF-8, got byte 0x${value} at offset ${offset}`,
      "Convert it, for example with `iconv -f latin1 -t utf-8`, or pass --lossy to replace such bytes by U+FFFD.",
    );
  }
  return new TextDecoder("utf-8").decode(bytes);
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new SandboxError(
      `${file}: must be readable, got ${(cause as NodeJS.ErrnoException).code ?? cause}`,
      "Check that the file is there and that you may read it.",
      { cause },
    );
  }
}

/** Text holds no NUL; UTF-16 does, and says so in its first two bytes. */
function expectText(file: string, bytes: Buffer): void {
  const mark = bytes.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") {
    throw new SandboxError(
      `${file}: must be UTF-8, got UTF-16`,
      "Convert it, for example with `iconv -f utf-16 -t utf-8`.",
    );
  }
  const offset = bytes.indexOf(0);
  if (offset < 0) return;
  throw new SandboxError(
    `${file}: must be text, got a binary file (a zero byte at offset ${offset})`,
    "Give plain text (.txt, .md) or JSON lines (.jsonl).",
  );
}

/** Offset of the first byte that begins no whole UTF-8 character. The longest good beginning is found by bisection. */
export function firstInvalidByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (beginningOf(bytes.subarray(0, middle)) === undefined) bad = middle;
    else good = middle;
  }
  return Buffer.byteLength(beginningOf(bytes.subarray(0, good))!);
}

/** The whole characters of a beginning of UTF-8 text; undefined if it is none. */
function beginningOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
