// The commands of README.md and of the guide are ones that exist: all are read as softbox reads them, those of the pages that show a
// model at work are run, long ones in a short form.
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/main.ts";
import { softbox } from "../support/cli.ts";
import { temporaryFolder } from "../support/folders.ts";

const pages = [
  "README.md",
  ...readdirSync("docs/guide")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/guide/${name}`),
];
const textOf = (page: string): string => readFileSync(page, "utf8");

/** Words of a line of a shell: quotes keep blanks, a comment ends it. */
const wordsOf = (line: string): string[] =>
  [...line.replace(/\s#.*$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

/** Arguments of every `npx softbox …` of a page, in blocks (lines may go on) and in running text. */
function commandsOf(page: string): string[][] {
  const text = textOf(page).replace(/\\\n\s*/g, "");
  const blocks = [...text.matchAll(/^ {4,}npx softbox (.+)$/gm)].map((match) => match[1]!);
  const spans = [...text.matchAll(/`npx softbox ([^`]+)`/g)].map((match) => match[1]!);
  // `${head}` stands in a loop of the shell.
  return [...blocks, ...spans].map((line) => wordsOf(line.replace(/\$\{?head(\/:\/-\})?/g, "mos:8")));
}

const commands = pages.flatMap((page) => commandsOf(page).map((args) => ({ page, args, line: args.join(" ") })));

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

describe("run", () => {
  const here = temporaryFolder();
  for (const twin of ["checkpoints/twin-softmax", "checkpoints/twin-mos"])
    cpSync(twin, join(here, twin), { recursive: true });

  /** A model that is trained in a second, whatever was asked for before. */
  const short =
    "--layers 1 --embed 16 --heads 2 --context 32 --batch-size 2 --steps 2 --decay-steps 2 --threads 1 --tokenizer char --set training.evaluationTokens=64 --set sample.tokens=8".split(
      " ",
    );
  const run = async (page: string, start: string, ...more: string[]): Promise<string> => {
    const found = commands.filter((command) => command.page === `docs/guide/${page}` && command.line.startsWith(start));
    expect(found.length, `${page}: ${start}`).toBeGreaterThan(0);
    let text = "";
    for (const { args, line } of found) {
      const { code, out, err } = await softbox(here, [...args, ...more]);
      expect(code, `${line}\n${err}`).toBe(0);
      text += out;
    }
    return text;
  };

  test("loss.md: a fresh model's loss is that of no knowledge, and score tells what each token cost", async () => {
    const told = await run("loss.md", "train", ...short.filter((word) => !/tokenizer|char/.test(word)));
    expect(Number(/step 1\/2 {2}loss (\S+)/.exec(told)![1])).toBeCloseTo(Math.log(89), 0);
    expect(await run("loss.md", "score checkpoints")).toContain("nats a token");
  });

  test("sigmoid.md: a model of yes-or-no questions trains and writes", async () => {
    await run("sigmoid.md", "train", ...short);
    expect((await run("sigmoid.md", "generate", "--max-tokens", "8")).length).toBeGreaterThan(5);
  });

  test("attention.md: sparse weights, ALiBi, a window and shared keys train together, and play shows the model", async () => {
    await run("attention.md", "train", ...short);
    expect(await run("attention.md", "play checkpoints/sparse")).toContain("entropy");
  });

  test("vocabulary.md: what tokenizers make of a text", async () => {
    const told = await run("vocabulary.md", "corpus stats moby-dick --tokenizer char");
    expect(told).toContain("89");
  });

  test("sampling.md: greedy, tempered and filtered text from the twin", async () => {
    const told = await run("sampling.md", "generate");
    expect(told.match(/The whale/g)!.length).toBeGreaterThanOrEqual(3);
  });
});
