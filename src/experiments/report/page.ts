/**
 * @file A report as one HTML file: nothing is loaded, no script runs, and the page forbids both to itself. Every word of a user, a
 * corpus or a model goes through the template of html.ts.
 */

import { basename } from "node:path";
import { formatCount } from "../numbers.ts";
import { measures } from "../outcome.ts";
import { axes, curvesChart } from "./curvesChart.ts";
import { html, type Markup, trusted } from "./html.ts";
import { attentionSection, calibrationSection, spectrumSection } from "./modelSections.ts";
import { type Draw, picture, pictures, runName } from "./pictures.ts";
import { filmName, narrow, type Report, reportCharts, slug } from "./report.ts";
import type { ReportRun } from "./reportRun.ts";
import { reportStyle } from "./style.ts";
import { comparisonSection, configSection, runsSection } from "./tables.ts";

/** A part of the page; without a body it is left out. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Markup | undefined;
}

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** The whole file. */
export function reportPage(report: Report): string {
  const charts = reportCharts(report);
  const draw: Draw = (name) => picture(charts.get(name)!);
  const sections: Section[] = [
    { id: "comparison", title: "Comparison", body: comparisonSection(report) },
    { id: "curves", title: "Loss curves", body: curvesSection(report, draw) },
    { id: "film", title: "Film of the next token", body: filmSection(report, draw) },
    { id: "samples", title: "Samples", body: samplesSection(report) },
    { id: "calibration", title: "How sure, how often right", body: calibrationSection(report, draw) },
    { id: "spectrum", title: "Spectrum", body: spectrumSection(report, draw) },
    { id: "mixture", title: "Mixtures", body: gateSection(report, draw) },
    { id: "attention", title: "Attention", body: attentionSection(report, draw) },
    { id: "configuration", title: "Configuration", body: configSection(report) },
    { id: "runs", title: "Where the runs come from", body: runsSection(report) },
  ].filter(({ body }) => body !== undefined);
  return `${wholePage(report, sections).markup}\n`;
}

function wholePage({ runs, madeAt, version }: Report, sections: readonly Section[]): Markup {
  const title = runs.length === 1 ? runs[0]!.label : `${runs.length} runs`;
  const texts = [
    ...new Set(runs.map(({ environment, outcome }) => environment.corpus?.name ?? basename(outcome.config.corpus))),
  ];
  const made = madeAt.toISOString().slice(0, 16).replace("T", " ");
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><title>${title} – softbox report</title><style>${trusted(reportStyle)}</style></head>
<body><header><h1>${title} on ${texts.join(", ")}</h1>
<p class="soft">softbox ${version}, ${made} UTC. Made from the runs’ folders; this file is whole and loads nothing.</p>
<nav aria-label="Parts">${sections.map(({ id, title: name }) => html`<a href="#${id}">${name}</a> `)}</nav></header>
<main>${sections.map(
    ({ id, title: name, body }) => html`<section id="${id}"><h2>${name}</h2>${body}</section>
`,
  )}</main></body></html>`;
}

function curvesSection({ runs }: Report, draw: Draw): Markup {
  const each = [...new Set(runs.map(({ training }) => training.stepsEach))].map(formatCount).join(" or ");
  const tabs = measures.map(
    (measure, i) =>
      html`<input type="radio" name="measure" id="by-${measure}"${i === 0 ? html` checked` : undefined}><label for="by-${measure}">by ${axes[measure].title}</label>`,
  );
  const panes = measures.map(
    (measure) =>
      html`<div class="pane ${measure}">${pictures(draw(`curves-${measure}`), picture(curvesChart(runs, measure, narrow)))}</div>`,
  );
  return html`<figure class="tabs">${tabs}${panes}
<figcaption>Nats per token. Thick with dots: validation, the figure beside the name is its last. Thin: training, each point the mean of ${each} steps.
The first steps may lie above the picture.</figcaption></figure>`;
}

function filmSection({ runs }: Report, draw: Draw): Markup | undefined {
  const prompts = [...new Set(runs.flatMap(({ film }) => [...film.keys()]))];
  if (prompts.length === 0) return undefined;
  const ofPrompt = (prompt: string): Markup =>
    html`<h3>after <code>${JSON.stringify(prompt)}</code></h3><div class="grid">${runs.flatMap((run, i) =>
      run.film.has(prompt)
        ? [html`<figure><figcaption>${runName(run, i)}</figcaption>${draw(filmName(run, prompt))}</figure>`]
        : [],
    )}</div>`;
  return html`<p>How the distribution of the next token formed: at each evaluation, the probabilities of the seven tokens that ever had the most
after a fixed prompt. Figures are those at the end; what is left above is all other tokens. A token that was not among the twenty likeliest was not
recorded and counts as 0. A dot · is a space.</p>${prompts.map(ofPrompt)}`;
}

/** Earlier samples that are shown, and characters of each. */
const [earlierShown, longestSample] = [6, 600];

function samplesSection({ runs }: Report): Markup | undefined {
  if (runs.every(({ samples }) => samples.length === 0)) return undefined;
  const quote = ({ prompt, text }: { readonly prompt: string; readonly text: string }): Markup =>
    html`<blockquote><b>${prompt}</b>${text.length > longestSample ? `${text.slice(0, longestSample)} …` : text}</blockquote>`;
  const ofRun = (run: ReportRun, i: number): Markup | undefined => {
    const last = run.samples.at(-1);
    if (last === undefined) return undefined;
    const before = spread(run.samples.slice(0, -1), earlierShown);
    const earlier = html`<details><summary>earlier</summary>${before.map((sample) => html`<p class="soft">step ${formatCount(sample.step)}</p>${quote(sample)}`)}</details>`;
    return html`<h3>${runName(run, i)}, step ${formatCount(last.step)}</h3>${quote(last)}${before.length > 0 ? earlier : undefined}`;
  };
  return html`<p>Text as the models write it, the prompt in bold.</p>${runs.flatMap((run, i) => ofRun(run, i) ?? [])}`;
}

function gateSection({ runs }: Report, draw: Draw): Markup | undefined {
  const mixing = runs.flatMap((run, i) =>
    run.gate.length === 0
      ? []
      : [html`<figure><figcaption>${runName(run, i)}</figcaption>${draw(`gate-${slug(run.label)}`)}</figure>`],
  );
  if (mixing.length === 0) return undefined;
  return html`<p>Mean weight of each component over validation text, at each evaluation.</p><div class="grid">${mixing}</div>`;
}

/** Some of many, evenly spread, the first among them. */
export function spread<T>(all: readonly T[], most: number): T[] {
  const count = Math.min(most, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}
