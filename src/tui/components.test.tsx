import { render } from "ink-testing-library";
import { expect, test, vi } from "vitest";
import { frameOf } from "../../test/tui/frame.ts";
import { Line } from "./components.tsx";
import { theme } from "./theme.ts";

const line = (text: string) => (
  <Line
    width={20}
    spans={[
      { text, look: theme.value },
      { text: " end", look: theme.faint },
    ]}
  />
);

test("a line is cut at its width", () => {
  expect(frameOf(line("short"))).toBe("short end");
  expect(frameOf(line("a text of more than twenty cells"))).toBe("a text of more than…");
});

/** Texts that Ink has measured, and keeps with their sizes, while `draw` runs. */
function measuredDuring(draw: () => void): string[] {
  const set = vi.spyOn(Map.prototype, "set");
  try {
    draw();
    return set.mock.calls.filter(([, value]) => value && Object.hasOwn(value, "width")).map(([text]) => String(text));
  } finally {
    set.mockRestore();
  }
}

test("a line that changes leaves nothing in Ink's memory of measured texts", () => {
  const { rerender, lastFrame, unmount } = render(line("step 0"));
  const measured = measuredDuring(() => {
    for (let step = 1; step <= 50; step++) rerender(line(`step ${step}`));
  });
  expect(lastFrame()).toContain("step 50");
  expect(measured).toEqual([]);
  unmount();
});
