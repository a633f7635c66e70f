/** @file The page of settings: every filter with its value and what it does. */

import { SamplingSettings } from "../../sampling/settings.ts";
import { column, truncate } from "../cells.ts";
import type { PanelView } from "../panel.ts";
import { theme } from "../theme.ts";
import { dialTable } from "./dials.ts";
import { dials, dialText } from "./settings.ts";
import type { State } from "./state.ts";

/** One line a setting, around the one that the arrows turn. */
export function settingsView({ settings, dial }: State, width: number, height: number): PanelView {
  const at = dials.indexOf(dial);
  const first = Math.max(0, Math.min(at - Math.floor(height / 2), dials.length - height));
  return {
    title: `settings · ${at + 1} of ${dials.length}`,
    legend: [{ text: "↑↓ select, ←→ change", look: theme.faint }],
    lines: dials.slice(first, first + height).map((one) => {
      const value = dialText(settings, one);
      return [
        {
          text: `${one === dial ? "▸" : " "} ${column(dialTable[one].name, 20)}`,
          look: one === dial ? theme.title : theme.plain,
        },
        { text: column(value, 11), look: value === "off" ? theme.faint : theme.value },
        { text: truncate(SamplingSettings.shape[one].description ?? "", Math.max(1, width - 33)), look: theme.faint },
      ];
    }),
  };
}
