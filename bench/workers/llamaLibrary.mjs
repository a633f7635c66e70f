/** @file node-llama-cpp from the folder that it was installed in; never a dependency. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Unavailable } from "./protocol.mjs";

/** @throws {Unavailable} if it is not there. */
export async function loadLibrary(folder) {
  try {
    const path = createRequire(pathToFileURL(join(folder, "package.json"))).resolve("node-llama-cpp");
    return await import(pathToFileURL(path));
  } catch (error) {
    throw new Unavailable(`node-llama-cpp is not in the folder named: ${error.code ?? error.message}`);
  }
}
