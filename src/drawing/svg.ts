/** @file What every SVG picture is made of: a white sheet with a title, text in its place, numbers short. Strings, no library. */

export interface Sheet {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Read aloud, and shown by browsers over the picture. */
  readonly title: string;
  readonly font?: "sans-serif" | "monospace";
  readonly fontSize?: number;
}

/** A self-contained picture: `parts`, each an element, on a white sheet. */
export const svgPicture = (
  { width, height, title, font = "sans-serif", fontSize = 11 }: Sheet,
  parts: readonly string[],
): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${font}" font-size="${fontSize}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");

export interface TextLook {
  /** Which end of the text stands at x; default: its middle. */
  readonly anchor?: "start" | "middle" | "end";
  /** Further attributes, such as `fill="#555"`. */
  readonly more?: string;
}

/** Text with its baseline at y; whatever it holds is shown as it is. */
export const svgText = (
  x: number,
  y: number,
  content: string,
  { anchor = "middle", more = "" }: TextLook = {},
): string =>
  `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"${more && ` ${more}`}>${escapeXml(content)}</text>`;

/** A coordinate with one decimal, or none where it is whole. */
export const short = (x: number): string => String(Number(x.toFixed(1)));

export const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
