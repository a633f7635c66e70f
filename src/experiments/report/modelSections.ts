/** @file The parts of a report that show models themselves, each with what data it was computed from. */

import { formatCount } from "../numbers.ts";
import { html, type Markup, visibleToken } from "./html.ts";
import { spectrumChart } from "./modelCharts.ts";
import { type Draw, picture, pictures, runName } from "./pictures.ts";
import { attentionName, figuresOf, namedFigures, narrow, type Report, slug } from "./report.ts";

/** Runs whose models could not be asked, and why. */
function missing({ runs, figures }: Report): Markup[] {
  return (figures ?? []).flatMap((found, i) =>
    "reason" in found ? [html`<p class="caution">${runName(runs[i]!, i)}: not drawn, ${found.reason}</p>`] : [],
  );
}

export function calibrationSection(report: Report, draw: Draw): Markup | undefined {
  if (report.figures === undefined) return undefined;
  const figures = report.runs.flatMap((run, i) => {
    const found = figuresOf(report, i);
    if (found === undefined) return [];
    const { ece, accuracy, count } = found.reliability;
    return [
      html`<figure><figcaption>${runName(run, i)}: ECE ${ece.toFixed(4)}, right ${(100 * accuracy).toFixed(1)} %<br>
step ${formatCount(found.step)}, ${formatCount(count)} tokens of ${found.text}</figcaption>${draw(`reliability-${slug(run.label)}`)}</figure>`,
    ];
  });
  return html`<p>Predictions of the best checkpoint, sorted by the probability of their likeliest token. A calibrated model’s bars end on the
dashed line; below it the model is too sure of itself. Whiskers are 95 % intervals, pale bars hold few tokens.</p>${missing(report)}<div class="grid">${figures}</div>`;
}

export function spectrumSection(report: Report, draw: Draw): Markup | undefined {
  const named = namedFigures(report);
  if (named.length === 0) return undefined;
  const sizes = [
    ...new Set(
      named.map(
        ({ figures: { spectrum: it, step, text } }) =>
          `${formatCount(it.contexts)} contexts × ${formatCount(it.tokens)} commonest tokens of ${text}, step ${formatCount(step)}`,
      ),
    ),
  ];
  return html`<p>Singular values of the log-probabilities. A softmax’s matrix has at most the rank that its bound allows, whatever the text; dashed is what
rounding alone can make.</p><figure>${pictures(draw("spectrum"), picture(spectrumChart(named, narrow)))}
<figcaption>${sizes.join("; ")}.</figcaption></figure>`;
}

export function attentionSection(report: Report, draw: Draw): Markup | undefined {
  const runs = report.runs.flatMap((run, i) => {
    const found = figuresOf(report, i);
    if (found?.attention === undefined) return [];
    const { maps, layers, heads, tokens } = found.attention;
    const some = maps.length < layers * heads ? `, ${maps.length} of its ${layers * heads} heads` : "";
    return [
      html`<details${i === 0 ? html` open` : undefined}><summary>${runName(run, i)}, step ${formatCount(found.step)}${some}</summary>
<p class="soft">The first ${tokens.length} tokens of ${found.text}: ${tokens.map((text) => visibleToken(text)).join(" ")}</p>
<div class="heads">${maps.map((map) => draw(attentionName(run, map)))}</div></details>`,
    ];
  });
  if (runs.length === 0) return undefined;
  return html`<p>Where each head looks: a row is a token that looks, columns are the tokens up to it in the same order; the stronger, the more weight (shades are its roots).</p>${runs}`;
}
