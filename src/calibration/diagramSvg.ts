/** @file A reliability diagram as SVG: before and after side by side, with intervals and bin counts. Black on white, no fonts needed. */
import { short, svgPicture, svgText } from "../drawing/svg.ts";
import type { ReliabilityBin } from "./reliability.ts";

/** One of the diagrams. */
export interface DiagramPanel {
  readonly title: string;
  /** A line below the title, e.g. the errors. */
  readonly note: string;
  readonly bins: readonly ReliabilityBin[];
}

/** Sizes in pixels. */
const [plot, counts, gap, margin] = [280, 60, 60, 50];
const height = margin + plot + 34 + counts + 40;

export function diagramSvg(panels: readonly DiagramPanel[]): string {
  const width = margin + panels.length * (plot + gap);
  const drawn = panels.map(
    (panel, i) => `<g transform="translate(${margin + i * (plot + gap)},${margin})">${drawPanel(panel)}</g>`,
  );
  const title = `Reliability: ${panels.map((panel) => panel.title.toLowerCase()).join(", ")}`;
  return svgPicture({ width, height, title }, drawn);
}

function drawPanel({ title, note, bins }: DiagramPanel): string {
  return [
    svgText(0, -30, title, { anchor: "start", more: 'font-size="14" font-weight="bold"' }),
    svgText(0, -12, note, { anchor: "start", more: 'fill="#555"' }),
    ...bins.filter(({ count }) => count > 0).map(drawBin),
    `<path d="M0,${plot}L${plot},0" stroke="#888" stroke-dasharray="4 3" fill="none"/>`,
    `<rect width="${plot}" height="${plot}" fill="none" stroke="#333"/>`,
    ...[0, 0.5, 1].flatMap((share) => [
      svgText(share * plot, plot + 14, String(share)),
      svgText(-6, plot * (1 - share) + 4, String(share), { anchor: "end" }),
    ]),
    svgText(plot / 2, plot + 26, "confidence"),
    `<text transform="translate(-30,${plot / 2}) rotate(-90)" text-anchor="middle">share that was right</text>`,
    drawCounts(bins),
  ].join("\n");
}

/** The bar is the accuracy, its red part the gap to the confidence, the whisker the interval. */
function drawBin({ from, to, accuracy, confidence, lower, upper }: ReliabilityBin): string {
  const [x, width] = [from * plot, (to - from) * plot];
  const y = (share: number): number => plot * (1 - share);
  const middle = x + width / 2;
  const [low, high] = [Math.min(accuracy, confidence), Math.max(accuracy, confidence)];
  return [
    `<rect x="${short(x)}" y="${short(y(accuracy))}" width="${short(width)}" height="${short(plot * accuracy)}" fill="#4477aa" stroke="white"/>`,
    `<rect x="${short(x)}" y="${short(y(high))}" width="${short(width)}" height="${short(plot * (high - low))}" fill="#cc3311" fill-opacity="0.35"/>`,
    `<path d="M${short(middle)},${short(y(lower))}V${short(y(upper))}" stroke="black"/>`,
  ].join("");
}

/** Bin counts below, the largest as high as there is room; on a root scale, so that small bins can be seen. */
function drawCounts(bins: readonly ReliabilityBin[]): string {
  const top = plot + 34;
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const bars = bins.map(({ from, to, count }) => {
    const tall = counts * Math.sqrt(count / most);
    return `<rect x="${short(from * plot)}" y="${short(top + counts - tall)}" width="${short((to - from) * plot)}" height="${short(tall)}" fill="#999" stroke="white"><title>${count} tokens</title></rect>`;
  });
  const label = `tokens a bin (largest ${most.toLocaleString("en-US")}; heights are roots)`;
  return [...bars, svgText(plot / 2, top + counts + 16, label, { more: 'fill="#555"' })].join("");
}
