/** @file A component's frame as plain text, whether or not colours are on. */
import { stripVTControlCharacters } from "node:util";
import { render } from "ink-testing-library";
import type { ReactElement } from "react";

/** The last frame that the element draws, without colours and without spaces at the ends of lines. */
export function frameOf(element: ReactElement): string {
  const { lastFrame, unmount } = render(element);
  const lines = stripVTControlCharacters(lastFrame() ?? "").split("\n");
  unmount();
  return lines.map((line) => line.trimEnd()).join("\n");
}
