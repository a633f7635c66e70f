/** @file What stands below a command's options: paragraphs and lists, wrapped to the terminal's width as the options are. */
import type { Command } from "commander";

/** A paragraph, or a title above terms and what each means. */
export type HelpBlock =
  | string
  | { readonly title: string; readonly items: readonly (readonly [term: string, meaning: string])[] };

/** Adds blocks at the end of a command's help. @param blocks - asked for when the help is shown. */
export function addHelp(command: Command, blocks: () => readonly HelpBlock[]): void {
  command.addHelpText("after", () =>
    blocks()
      .map((block) => `\n${wrapped(command, block)}`)
      .join("\n"),
  );
}

function wrapped(command: Command, block: HelpBlock): string {
  const helper = command.createHelp();
  const width = command.configureOutput().getOutHelpWidth?.() || 80;
  helper.prepareContext({ helpWidth: width });
  if (typeof block === "string") return helper.boxWrap(block, width);
  const termWidth = Math.max(...block.items.map(([term]) => term.length));
  return [
    helper.boxWrap(block.title, width),
    ...block.items.map(([term, meaning]) => helper.formatItem(term, termWidth, meaning, helper)),
  ].join("\n");
}
