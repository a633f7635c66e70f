/** @file The next-token distribution as an SVG picture: raw probabilities in outline, final ones filled. */
import { short, svgPicture, svgText } from "../../drawing/svg.ts";
import { scaleFor } from "../bars.ts";
import { label } from "../cells.ts";
import { effectiveVocabulary, nats } from "../numbers.ts";
import type { NextView, TextToken } from "./port.ts";

const [width, rowHeight, top, left, barWidth] = [760, 22, 76, 240, 420];
/** Bars drawn at most. */
const mostBars = 24;

/** A self-contained picture with the end of the text as its second line. */
export function distributionSvg(title: string, tokens: readonly TextToken[], next: NextView): string {
  const shown = next.candidates.slice(0, mostBars);
  const scale = scaleFor(shown);
  const text = label(
    tokens
      .map((token) => token.text)
      .join("")
      .slice(-80),
  );
  const height = top + shown.length * rowHeight + 24;
  const entropies = `entropy ${nats(next.finalEntropy)} nats (≈ ${effectiveVocabulary(next.finalEntropy)} tokens), raw ${nats(next.entropy)}`;
  const rows = shown.map((candidate, row) => {
    const y = top + row * rowHeight;
    const cells = (probability: number): string => short((probability / scale) * barWidth);
    const look = candidate.kept ? "" : ' opacity="0.5"';
    const numbers = candidate.kept ? candidate.final.toFixed(4) : "cut";
    return [
      `<g${look}>`,
      svgText(left - 70, y + 14, label(candidate.text), { anchor: "end" }),
      svgText(left - 10, y + 14, numbers, { anchor: "end" }),
      `<rect x="${left}" y="${y + 3}" width="${cells(candidate.final)}" height="14" fill="#2a7ab8"/>`,
      `<rect x="${left}" y="${y + 3}" width="${cells(candidate.raw)}" height="14" fill="none" stroke="#b8442a"/>`,
      "</g>",
    ].join("");
  });
  const start = { anchor: "start" } as const;
  return svgPicture({ width, height, title, font: "monospace", fontSize: 13 }, [
    svgText(16, 24, title, { ...start, more: 'font-weight="bold"' }),
    svgText(16, 44, `…${text}`, start),
    svgText(16, 64, `${entropies}; filled: final, outline: raw; full width ${scale}`, start),
    ...rows,
  ]);
}
