/** @file HTML from parts: whatever is put into a template is escaped, unless it is markup that another template made. */
import { escapeXml } from "../../drawing/svg.ts";
import { printableText, printableToken } from "../../text/printable.ts";

/** Text that is known to be well-formed HTML. */
export interface Markup {
  readonly markup: string;
}

type Part = string | number | Markup | readonly Markup[] | undefined;

/** Vouches for text, e.g. of a picture. */
export const trusted = (markup: string): Markup => ({ markup });

/** A tagged template: users' words come out as they are, never as markup; control characters come out visible. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  trusted(strings.reduce((text, string, i) => text + rendered(parts[i - 1]) + string));

function rendered(part: Part): string {
  if (part === undefined) return "";
  if (typeof part === "string" || typeof part === "number") return escapeXml(printableText(String(part)));
  return "markup" in part ? part.markup : part.map(({ markup }) => markup).join("");
}

/** A table that scrolls sideways by itself where it is wider than the page; the first column names the row. */
export const table = (head: readonly string[], rows: readonly (readonly (string | Markup)[])[]): Markup => html`
<div class="scroll" tabindex="0" role="region" aria-label="${head.filter(Boolean).join(", ")}"><table>
<thead><tr>${head.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
  ([name, ...cells]) =>
    html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody></table></div>`;

/** A token as one visible word, with signs that browsers' fonts have. */
export const visibleToken = (text: string): string => printableToken(text).replaceAll("␤", "↵");
