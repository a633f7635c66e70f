/** @file The page of settings: every filter with its value and what it does. */

import { SamplingSettings } from "../../sampling/settings.ts";
import { column, truncate } from "../cells.ts";
import type { PanelView } from "../panel.ts";
import { theme } from "../theme.ts";
import { dialTable } from "./dials.ts";
import { dials, dialText, placeInChain } from "./settings.ts";
import type { State } from "./state.ts";

/** Cells of a filter's place in the chain: `12. `. */
const placeCells = 4;

/** One line a setting, with its filter's place in the chain, around the one that the arrows turn. */
export function settingsView({ settings, dial }: State, width: number, height: number): PanelView {
  const at = dials.indexOf(dial);
  const first = Math.max(0, Math.min(at - Math.floor(height / 2), dials.length - height));
  return {
    title: `settings · ${at + 1} of ${dials.length}`,
    legend: [{ text: "↑↓ select, ←→ change, < > earlier, later", look: theme.faint }],
    lines: dials.slice(first, first + height).map((one) => {
      const value = dialText(settings, one);
      const place = placeInChain(settings, one);
      return [
        {
          text: `${one === dial ? "▸" : " "} ${column(dialTable[one].name, 20)}`,
          look: one === dial ? theme.title : theme.plain,
        },
        { text: column(value, 11), look: value === "off" ? theme.faint : theme.value },
        { text: column(place === undefined ? "–" : `${place}.`, placeCells), look: theme.faint },
        {
          text: truncate(SamplingSettings.shape[one].description ?? "", Math.max(1, width - 33 - placeCells)),
          look: theme.faint,
        },
      ];
    }),
  };
}
