import { expect, test } from "vitest";
import { sampleSnapshot } from "../../../test/tui/sampleState.ts";
import { distributionSvg } from "./picture.ts";

test("a picture has a bar for each candidate, as long as its probability, and no raw control byte or tag of a token", () => {
  const next = {
    ...sampleSnapshot.next,
    candidates: [{ id: 1, text: "<b>&", raw: 0.25, final: 0.5, kept: true }, ...sampleSnapshot.next.candidates],
  };
  const svg = distributionSvg("run & step", sampleSnapshot.tokens, next);
  expect(svg.match(/<rect x/g)?.length).toBe(2 * next.candidates.length);
  // The scale is 1: half of 420 is the final bar, a quarter the raw one.
  expect(svg).toContain('width="210" height="14" fill="#2a7ab8"');
  expect(svg).toContain('width="105" height="14" fill="none"');
  expect(svg).toContain("&lt;b&gt;&amp;");
  expect(svg).not.toContain("\x1b");
});
