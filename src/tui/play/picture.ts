/** @file The next-token distribution as an SVG picture: raw probabilities in outline, final ones filled. */
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
    const cells = (probability: number): string => ((probability / scale) * barWidth).toFixed(1);
    const look = candidate.kept ? "" : ' opacity="0.5"';
    const numbers = candidate.kept ? candidate.final.toFixed(4) : "cut";
    return [
      `<g${look}>`,
      `<text x="${left - 70}" y="${y + 14}" text-anchor="end">${escapeXml(label(candidate.text))}</text>`,
      `<text x="${left - 10}" y="${y + 14}" text-anchor="end">${numbers}</text>`,
      `<rect x="${left}" y="${y + 3}" width="${cells(candidate.final)}" height="14" fill="#2a7ab8"/>`,
      `<rect x="${left}" y="${y + 3}" width="${cells(candidate.raw)}" height="14" fill="none" stroke="#b8442a"/>`,
      "</g>",
    ].join("");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="13">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="16" y="24" font-weight="bold">${escapeXml(title)}</text>`,
    `<text x="16" y="44">…${escapeXml(text)}</text>`,
    `<text x="16" y="64">${escapeXml(entropies)}; filled: final, outline: raw; full width ${scale}</text>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
