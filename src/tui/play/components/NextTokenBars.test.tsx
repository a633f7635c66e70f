import { expect, test } from "vitest";
import { frameOf } from "../../../../test/tui/frame.ts";
import { sampleCandidates } from "../../../../test/tui/sampleState.ts";
import { barCells, scaleFor } from "../../bars.ts";
import { NextTokenBars } from "./NextTokenBars.tsx";

const next = { candidates: sampleCandidates, entropy: 3.2, finalEntropy: 2.1 };

test("draws final beside raw, and cut tokens too", () => {
  const frame = frameOf(<NextTokenBars next={next} selected={1} lines={7} heads width={80} />);
  expect(frame).toMatchInlineSnapshot(`
    "    final  raw    0╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌1 token  ▓gained ░lost
      1 0.5500 0.4000 ███████████████▓▓▓▓▓                  ␣the
    ▸ 2 0.2500 0.2000 ███████▓▓                             ␣whale
      3 0.1000 0.1000 ███▊                                  ⏎
      4 0.0600 0.0800 ██░                                   ␣鯨🐋
      5 0.0400 0.0500 █░                                    ␛[2J
      6 cut    0.0200 ░                                     ␣leviathanically-overgr…
      7 cut    0.0100                                       ⇥"
  `);
});

test("at 40 columns", () => {
  const frame = frameOf(<NextTokenBars next={next} selected={0} lines={4} heads={false} width={40} />);
  expect(frame).toMatchInlineSnapshot(`
    "▸ 1 0.5500 0.4000 █████▓▓       ␣the
      2 0.2500 0.2000 ███▎          ␣whale
      3 0.1000 0.1000 █▎            ⏎
      4 0.0600 0.0800 ▊             ␣鯨🐋"
  `);
});

test("the selected candidate is always in sight", () => {
  for (let selected = 0; selected < sampleCandidates.length; selected++) {
    for (const lines of [1, 2, 3]) {
      const frame = frameOf(<NextTokenBars next={next} selected={selected} lines={lines} heads={false} width={60} />);
      expect(frame).toContain(`▸ ${selected + 1} `);
    }
  }
});

test("a bar's parts are where raw and final end", () => {
  expect(barCells({ raw: 0.5, final: 0.5 }, 1, 10)).toEqual({ same: "█████", gained: "", lost: "" });
  expect(barCells({ raw: 0.2, final: 0.5 }, 1, 10)).toEqual({ same: "██", gained: "▓▓▓", lost: "" });
  expect(barCells({ raw: 0.5, final: 0 }, 1, 10)).toEqual({ same: "", gained: "", lost: "░░░░░" });
  expect(barCells({ raw: 1e-9, final: 1e-9 }, 1, 10).same).toBe("▏");
  expect(barCells({ raw: 0, final: 0 }, 1, 10).same).toBe("");
  expect(barCells({ raw: 1, final: 1 }, 1, 10).same).toBe("█".repeat(10));
});

test("the scale is the smallest round probability that holds every bar", () => {
  expect(scaleFor([{ raw: 0.3, final: 0.45 }])).toBe(0.5);
  expect(scaleFor([{ raw: 0.51, final: 0 }])).toBe(1);
  expect(scaleFor([{ raw: 0.001, final: 0.004 }])).toBe(0.01);
  expect(scaleFor([])).toBe(0.01);
});
