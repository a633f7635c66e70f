/** @file A JSON file of somebody else's folder. */
import { readFile } from "node:fs/promises";
import { SandboxError } from "../engine/errors.ts";
import { explainReading } from "../engine/files.ts";

/** @throws {SandboxError} if it cannot be read or is not JSON. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new SandboxError(`${path}: expected JSON (${reason})`, "Fetch the file again.", { cause: error });
  }
}

/** @throws {SandboxError} if it cannot be read or is not UTF-8. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof TypeError)
      throw new SandboxError(`${path}: expected UTF-8`, "Fetch the file again.", { cause: error });
    throw explainReading(path, error);
  }
}
