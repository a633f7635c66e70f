/** @file A second run that reads the text at hand, in its own tokens. Loaded when it is first asked. */
import { SandboxError } from "../../engine/errors.ts";
import { type LoadedRun, loadRun } from "../../experiments/loadRun.ts";
import type { NextToken } from "../../lm/model.ts";
import { createReader, type Reader } from "../../lm/reader.ts";

export interface OtherRun {
  /** What it says after a text; the caller names the tokens by its tokenizer. */
  next(text: string): Promise<{ readonly run: LoadedRun; readonly ids: readonly number[]; readonly next: NextToken }>;
  dispose(): void;
}

/** The run in `folder`, at its newest checkpoint. */
export function createOtherRun(folder: string | undefined): OtherRun {
  let loaded: { readonly run: LoadedRun; readonly reader: Reader } | undefined;
  const load = async () => {
    if (folder === undefined)
      throw new SandboxError("play: there is no other run", "Name one: softbox play <run> --beside <other run>.");
    const run = await loadRun(folder, "latest", () => {});
    return { run, reader: createReader(run.model) };
  };
  return {
    next: async (text) => {
      loaded ??= await load();
      const { run, reader } = loaded;
      const ids = Array.from(run.tokenizer.encode(text));
      return { run, ids, next: await reader.next(ids) };
    },
    dispose: () => {
      loaded?.reader.dispose();
      loaded?.run.dispose();
    },
  };
}
