/** @file The tables of a report: what runs cost and reach, in what their configurations differ, where they were made. */

import {
  commonColumns,
  comparisonNotes,
  costColumns,
  differenceText,
  isUneven,
  qualityColumns,
} from "../comparisonColumns.ts";
import { changeLine, configChanges, shownValue } from "../configDiff.ts";
import { html, type Markup, table } from "./html.ts";
import type { Report } from "./report.ts";
import type { ReportRun } from "./reportRun.ts";

export function comparisonSection({ comparison }: Report): Markup {
  const { variants, cautions } = comparison;
  const first = variants[0]!;
  const against = {
    title: `nats against ${first.label}`,
    text: (variant: (typeof variants)[number]) => differenceText(variant) ?? "–",
  };
  const verdict = {
    title: "which is",
    text: (variant: (typeof variants)[number]) => variant.difference?.verdict ?? "",
  };
  const rows = (columns: readonly (typeof costColumns)[number][]): Markup =>
    table(
      ["", ...columns.map(({ title }) => title)],
      variants.map((variant) => [variant.label, ...columns.map(({ text }) => text(variant))]),
    );
  const others = variants.flatMap(({ label, others: changes }) =>
    changes.length ? [`${label} also: ${changes.map(changeLine).join(", ")}`] : [],
  );
  const [about, ...spread] = comparisonNotes(variants);
  return html`${cautions.map((caution) => html`<p class="caution">${caution}</p>`)}
${rows([...qualityColumns, ...(variants.length > 1 ? [against, verdict] : [])])}${rows(costColumns)}
${isUneven(variants) ? html`<p class="soft">Validation loss on the way, where all had come as far; the learning rate may not have.</p>${rows(commonColumns(comparison))}` : undefined}
<ul class="notes">${[...others, about, spread.join(" ")].filter(Boolean).map((line) => html`<li>${line}</li>`)}</ul>`;
}

export function configSection({ runs }: Report): Markup {
  const first = runs[0]!;
  const differing = new Map<string, readonly string[]>();
  for (const { outcome } of runs.slice(1))
    for (const { path } of configChanges(first.outcome.config, outcome.config))
      differing.set(
        path,
        runs.map((run) => shownValue(path, valueAt(run.outcome.config, path))),
      );
  const diff =
    differing.size > 0
      ? words(
          ["key", ...runs.map(({ label }) => label)],
          [...differing].map(([path, values]) => [path, ...values]),
        )
      : html`<p>${runs.length === 1 ? "" : "All runs have the same configuration."}</p>`;
  return html`${diff}<details><summary>whole configuration of ${first.label}</summary><pre>${JSON.stringify(first.outcome.config, null, 2)}</pre></details>`;
}

const valueAt = (config: object, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config);

const words = (head: readonly string[], rows: readonly (readonly string[])[]): Markup =>
  html`<div class="words">${table(head, rows)}</div>`;

/** What it takes to have a run again. */
const facts: readonly (readonly [string, (run: ReportRun) => string])[] = [
  ["folder", ({ outcome }) => outcome.folder],
  ["tags", ({ notes }) => notes.tags.join(", ")],
  ["note", ({ notes }) => notes.note],
  ["seed", ({ outcome }) => String(outcome.config.seed)],
  [
    "text",
    ({ environment: { corpus } }) =>
      `${corpus?.name ?? "unknown"}, sha256 ${corpus?.sha256?.slice(0, 12) ?? "unknown"}`,
  ],
  ["tokenizer", ({ outcome }) => `${outcome.config.tokenizer}, sha256 ${outcome.tokenizer.slice(0, 12)}`],
  ["engine", ({ environment, outcome }) => `${environment.engine ?? "unknown"}, ${outcome.config.precision}`],
  ["processor", ({ environment }) => environment.processor ?? "unknown"],
  [
    "softbox",
    ({ environment: { softbox, git } }) =>
      `${softbox ?? "unknown"}${git ? `, commit ${git.commit.slice(0, 12)}${git.clean ? "" : " with changes"}` : ""}`,
  ],
  ["like it", ({ outcome }) => `softbox train --like ${outcome.folder}`],
];

export function runsSection({ runs }: Report): Markup {
  const rows = facts.map(([name, of]) => [name, ...runs.map(of)]);
  return words(
    ["", ...runs.map(({ label }) => label)],
    rows.filter(([, ...values]) => values.some((value) => value !== "")),
  );
}
