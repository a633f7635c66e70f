// The commands of README.md, of docs/commands.md and of the guide are ones that exist: all are read as softbox reads them.
// guideRuns.test.ts runs them.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { examples } from "../../src/cli/examples.ts";
import { createProgram } from "../../src/cli/main.ts";
import { commands, pages, textOf, wordsOf } from "../support/pages.ts";

test("every page has commands or leads to those that do, and links that lead somewhere", () => {
  expect(commands.length).toBeGreaterThan(50);
  for (const page of pages)
    for (const [, target] of textOf(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      expect(existsSync(join(dirname(page), target!)), `${page} leads to ${target}`).toBe(true);
});

test.each(commands)("$page: softbox $line", async ({ args }) => {
  let read = false;
  const program = await createProgram(args, async () => {
    read = true;
  });
  if (args.includes("--help")) return expect(program.commands.map((command) => command.name())).toContain(args[0]);
  await program.parseAsync(args, { from: "user" });
  expect(read).toBe(true);
});

const names = (await createProgram([])).commands.map((command) => command.name());

test.each(names)(
  "softbox %s --help fits 80 columns, says what each option does, and ends in examples",
  async (name) => {
    let page = "";
    const command = (await createProgram([name])).commands.find((each) => each.name() === name)!;
    command.configureOutput({ writeOut: (text) => (page += text), getOutHelpWidth: () => 80 }).outputHelp();
    expect(page).toMatch(new RegExp(`^Usage: softbox ${name} `));
    for (const { flags, description } of command.options) expect(description, flags).not.toBe("");
    for (const [line] of examples[name] ?? []) expect(page).toContain(`  ${line}`);
    for (const line of page.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  },
);

test.each(Object.values(examples).flat())("an example of --help is a command that exists: %s", async (line) => {
  let read = false;
  const args = wordsOf(line).slice(1);
  const program = await createProgram(args, async () => {
    read = true;
  });
  await program.parseAsync(args, { from: "user" });
  expect(read).toBe(true);
});

test("examples that pages name are there", () => {
  const named = pages.flatMap((page) =>
    [...textOf(page).matchAll(/npm run example ([a-z]+)/g)].map((match) => match[1]!),
  );
  expect(new Set(named).size).toBeGreaterThan(5);
  for (const name of named) expect(existsSync(`examples/${name}.ts`), name).toBe(true);
});

test("scripts that pages name are in package.json", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  for (const page of pages)
    for (const [, name] of textOf(page).matchAll(/npm run ([a-z]+)/g))
      expect(scripts[name!], `${page}: ${name}`).toBeDefined();
});
