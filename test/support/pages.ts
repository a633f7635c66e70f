/** @file The pages that a reader follows, and the softbox commands on them. */
import { readdirSync, readFileSync } from "node:fs";

export const pages = [
  "README.md",
  "docs/commands.md",
  ...readdirSync("docs/guide")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/guide/${name}`),
];

export const textOf = (page: string): string => readFileSync(page, "utf8");

/** Words of a line of a shell: quotes keep blanks, a comment ends it. */
export const wordsOf = (line: string): string[] =>
  [...line.replace(/\s#.*$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

/** Arguments of every `npx softbox …` of a page, in blocks (lines may go on) and in running text; a loop of the shell runs twice. */
function commandsOf(page: string): string[][] {
  const text = textOf(page).replace(/\\\n\s*/g, "");
  const blocks = [...text.matchAll(/^ {4,}npx softbox (.+)$/gm)].map((match) => match[1]!);
  const spans = [...text.matchAll(/`npx softbox ([^`]+)`/g)].map((match) => match[1]!);
  return [...blocks, ...spans].flatMap((line) => rounds(line).map(wordsOf));
}

/** `$head` stands in a loop of the shell over two heads. */
function rounds(line: string): string[] {
  if (!line.includes("$")) return [line];
  return ["softmax", "mos:8"].map((head) =>
    line.replaceAll("$" + "{head/:/-}", head.replace(":", "-")).replaceAll("$head", head),
  );
}

export interface PageCommand {
  readonly page: string;
  readonly args: readonly string[];
  readonly line: string;
}

export const commands: readonly PageCommand[] = pages.flatMap((page) =>
  commandsOf(page).map((args) => ({ page, args, line: args.join(" ") })),
);
