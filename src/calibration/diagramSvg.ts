/** @file A reliability diagram as SVG: before and after side by side, with intervals and bin counts. Black on white, no fonts needed. */
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
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<title>Reliability: ${escaped(panels.map(({ title }) => title.toLowerCase()).join(", "))}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const n = (x: number): string => x.toFixed(1);
const text = (x: number, y: number, content: string, anchor = "middle", extra = ""): string =>
  `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}"${extra}>${escaped(content)}</text>`;

function drawPanel({ title, note, bins }: DiagramPanel): string {
  return [
    text(0, -30, title, "start", ' font-size="14" font-weight="bold"'),
    text(0, -12, note, "start", ' fill="#555"'),
    ...bins.filter(({ count }) => count > 0).map(drawBin),
    `<path d="M0,${plot}L${plot},0" stroke="#888" stroke-dasharray="4 3" fill="none"/>`,
    `<rect width="${plot}" height="${plot}" fill="none" stroke="#333"/>`,
    ...[0, 0.5, 1].flatMap((share) => [
      text(share * plot, plot + 14, String(share)),
      text(-6, plot * (1 - share) + 4, String(share), "end"),
    ]),
    text(plot / 2, plot + 26, "confidence"),
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
    `<rect x="${n(x)}" y="${n(y(accuracy))}" width="${n(width)}" height="${n(plot * accuracy)}" fill="#4477aa" stroke="white"/>`,
    `<rect x="${n(x)}" y="${n(y(high))}" width="${n(width)}" height="${n(plot * (high - low))}" fill="#cc3311" fill-opacity="0.35"/>`,
    `<path d="M${n(middle)},${n(y(lower))}V${n(y(upper))}" stroke="black"/>`,
  ].join("");
}

/** Bin counts below, the largest as high as there is room; on a root scale, so that small bins can be seen. */
function drawCounts(bins: readonly ReliabilityBin[]): string {
  const top = plot + 34;
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const bars = bins.map(({ from, to, count }) => {
    const tall = counts * Math.sqrt(count / most);
    return `<rect x="${n(from * plot)}" y="${n(top + counts - tall)}" width="${n((to - from) * plot)}" height="${n(tall)}" fill="#999" stroke="white"><title>${count} tokens</title></rect>`;
  });
  const label = `tokens a bin (largest ${most.toLocaleString("en-US")}; heights are roots)`;
  return [...bars, text(plot / 2, top + counts + 16, label, "middle", ' fill="#555"')].join("");
}
