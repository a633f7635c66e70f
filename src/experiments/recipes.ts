/** @file Recipes: complete training configurations with a sentence on what to expect, one JSON file each. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { SandboxError } from "../engine/errors.ts";
import { packageRoot } from "../text/packageRoot.ts";

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
      `Choose one of ${recipeNames().join(", ")}, or name a .json file of your own.`,
    );
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new SandboxError(`recipe ${path}: not JSON: ${(error as Error).message}`, "Correct the file.");
  }
}
