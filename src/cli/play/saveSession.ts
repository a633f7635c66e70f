/** @file Writes a sitting with a model to the working folder: JSON for machines, SVG for people. */
import { existsSync } from "node:fs";
import { replaceFile } from "../../engine/files.ts";
import type { LoadedRun } from "../../experiments/loadRun.ts";
import { distributionSvg } from "../../tui/play/picture.ts";
import type { Settings, Snapshot, TextToken } from "../../tui/play/port.ts";

export interface Sitting {
  readonly run: LoadedRun;
  readonly settings: Settings;
  readonly tokens: readonly TextToken[];
  readonly branches: readonly { readonly branch: number; readonly tokens: readonly TextToken[] }[];
  readonly view: Snapshot;
}

/** Writes `play-<n>.json` and `play-<n>.svg`, the first `n` that is free; returns their names. */
export async function saveSession({ run, settings, tokens, branches, view }: Sitting): Promise<readonly string[]> {
  let number = 1;
  while (existsSync(`play-${number}.json`) || existsSync(`play-${number}.svg`)) number++;
  const written = (text: readonly TextToken[]) => ({ text: text.map((token) => token.text).join(""), tokens: text });
  const session = {
    run: run.folder,
    step: run.step,
    settings,
    ...written(tokens),
    next: view.next,
    branches: branches.map(({ branch, tokens: kept }) => ({ branch, ...written(kept) })),
  };
  const title = `${run.folder}, step ${run.step}, temperature ${settings.temperature}`;
  await replaceFile(`play-${number}.json`, `${JSON.stringify(session, null, 1)}\n`);
  await replaceFile(`play-${number}.svg`, distributionSvg(title, tokens, view.next));
  return [`play-${number}.json`, `play-${number}.svg`];
}
