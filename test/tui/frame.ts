/** @file A component's frame as plain text, whether or not colours are on. */
import { stripVTControlCharacters } from "node:util";
import { render } from "ink-testing-library";
import type { ReactElement } from "react";

/** The last frame that the element draws, without colours. */
export function frameOf(element: ReactElement): string {
  const { lastFrame, unmount } = render(element);
  const frame = stripVTControlCharacters(lastFrame() ?? "");
  unmount();
  return frame;
}
