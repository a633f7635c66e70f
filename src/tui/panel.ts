/** @file A part of a screen as plain data: a title, a legend, lines of styled text. */
import type { Span } from "./wrap.ts";

export interface PanelView {
  readonly title: string;
  /** Shown at the right end of the title's line where there is room. */
  readonly legend: readonly Span[];
  readonly lines: readonly (readonly Span[])[];
}
