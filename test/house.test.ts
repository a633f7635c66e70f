// The law of the house: which folder of src/ may import which (docs/architecture.md).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

/** Folders by floor; a folder imports itself and lower floors only. */
const floors = [
  ["engine", "drawing"],
  ["text", "attention"],
  ["lm"],
  ["training", "sampling", "calibration", "analysis", "interchange"],
  ["experiments"],
  ["tui"],
  ["cli"],
];

const floorOf = (room: string): number => floors.findIndex((floor) => floor.includes(room));
const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
  .map((file) => file.replaceAll("\\", "/"));

/** What a file imports, with or without a name, at once or lazily. */
const importsOf = (source: string): string[] =>
  [...source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]!);

const roomOf = (file: string): string => file.split("/")[0]!;

test("every folder of src/ stands on a floor", () => {
  const rooms = readdirSync("src", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rooms.map(({ name }) => name).filter((name) => floorOf(name) < 0)).toEqual([]);
});

test.each(files.filter((file) => file.includes("/")))("src/%s imports its own folder and lower floors only", (file) => {
  const source = readFileSync(join("src", file), "utf8");
  const targets = importsOf(source)
    .filter((path) => path.startsWith("."))
    .map((path) => relative("src", resolve("src", dirname(file), path)).replaceAll("\\", "/"));
  const wrong = targets.filter((target) => {
    const [here, there] = [roomOf(file), roomOf(target)];
    return here !== there && floorOf(there) >= floorOf(here);
  });
  expect(wrong).toEqual([]);
});

test.each(files)("src/%s keeps to what its folder may do", (file) => {
  const source = readFileSync(join("src", file), "utf8");
  const packages = importsOf(source).filter((path) => !path.startsWith("."));
  const room = roomOf(file);
  if (file.includes("/") && floorOf(room) > 3 && file !== "cli/commands/doctor.ts" && room !== "experiments")
    expect(packages.filter((name) => name.startsWith("@tensorflow/"))).toEqual([]);
  if (room !== "cli") expect(source).not.toMatch(/process\.(exit\(|argv)|console\./);
  expect(source).not.toContain("Math.random");
});

/** What a file loads as soon as it is loaded itself, itself included. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!/\.tsx?$/.test(file)) return seen;
  const source = readFileSync(join("src", file), "utf8");
  for (const [, path] of source.matchAll(/^(?:import|export) (?!type )[^;]*?"([^"]+)";/gm))
    loadedWith(path!.startsWith(".") ? relative("src", resolve("src", dirname(file), path!)) : path!, seen);
  return seen;
}

test.each([
  "cli/main.ts",
  "cli/commands/train.ts",
  "cli/train/screen.ts",
  "cli/commands/play.ts",
  "tui/play/play.tsx",
  "tui/runs/runs.ts",
])("src/%s draws its first frame before the half second that loading tfjs takes", (file) => {
  expect([...loadedWith(file)].filter((name) => name.startsWith("@tensorflow/"))).toEqual([]);
  expect(loadedWith(file).size).toBeGreaterThan(3);
});

test("no barrel files: only src/index.ts gathers exports", () => {
  expect(files.filter((file) => file.endsWith("/index.ts"))).toEqual([]);
});

test("files have at most 300 lines", () => {
  const long = files.filter((file) => readFileSync(join("src", file), "utf8").split("\n").length > 301);
  expect(long).toEqual([]);
});

test("what package.json names is there", () => {
  const { bin, files: shipped } = JSON.parse(readFileSync("package.json", "utf8"));
  expect([...Object.values<string>(bin), ...shipped].filter((path) => !existsSync(path))).toEqual([]);
});
