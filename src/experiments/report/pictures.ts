/** @file How a report's parts show charts and name runs. */
import { type Chart, chartSvg, seriesColour } from "../../drawing/chart.ts";
import { html, type Markup, trusted } from "./html.ts";
import type { ReportRun } from "./reportRun.ts";

/** Draws one of the report's charts by its name. */
export type Draw = (name: string) => Markup;

export const picture = (chart: Chart): Markup => trusted(chartSvg(chart));

/** One chart for wide pages, one for narrow ones, where letters of the first would be too small. */
export const pictures = (forWide: Markup, forNarrow: Markup): Markup =>
  html`<div class="wide">${forWide}</div><div class="narrow">${forNarrow}</div>`;

/** A run's name with the colour that it has in every chart. */
export const runName = ({ label }: ReportRun, i: number): Markup =>
  html`<span class="dot" style="background:${seriesColour(i)}"></span>${label}`;
