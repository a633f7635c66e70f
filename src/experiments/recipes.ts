/** @file Recipes: complete training configurations with a sentence on what to expect, one JSON file each. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { didYouMean } from "../engine/nearest.ts";
import { packageRoot } from "../engine/packageRoot.ts";

const folder = (): string => join(packageRoot(), "recipes");

export const recipeNames = (): string[] =>
  readdirSync(folder())
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"))
    .sort();

/**
 * The raw content of a recipe, to be completed by flags and then checked.
 *
 * @param nameOrFile - `moby`, or the path of a file of one's own.
 * @throws {SandboxError} if there is none, or it is not JSON.
 */
export function readRecipe(nameOrFile: string): Record<string, unknown> {
  const path = nameOrFile.endsWith(".json") ? nameOrFile : join(folder(), `${nameOrFile}.json`);
  if (!existsSync(path))
    throw new SandboxError(
      `recipe: there is no ${JSON.stringify(nameOrFile)}`,
      `${didYouMean(nameOrFile, recipeNames())}Choose one of ${recipeNames().join(", ")}, or name a .json file of your own.`,
    );
  try {
    const raw: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof raw === "object" && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, " ");
    throw new SandboxError(`recipe ${path}: cannot be read as JSON (${reason})`, "Correct the file.");
  }
  throw new SandboxError(`recipe ${path}: expected a JSON object`, "recipes/moby.json is an example.");
}
