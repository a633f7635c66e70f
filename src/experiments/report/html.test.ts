import { expect, test } from "vitest";
import { html, table, trusted, visibleToken } from "./html.ts";

test("what users wrote comes out as they wrote it, in text and in attributes, and hides nothing", () => {
  const words = `<script>alert("1")</script> & \u001b[31m\u202e`;
  const { markup } = html`<p title="${words}">${words}</p>`;
  const shown = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; ␛[31m\\u202e";
  expect(markup).toBe(`<p title="${shown}">${shown}</p>`);
});

test("markup of other templates stays markup, lists are joined, nothing is nothing", () => {
  const items = ["<a>", "b"].map((item) => html`<li>${item}</li>`);
  expect(html`<ul>${items}</ul>${undefined}${3}${trusted("<hr>")}`.markup).toBe(
    "<ul><li>&lt;a&gt;</li><li>b</li></ul>3<hr>",
  );
});

test("a table names its columns and rows for those who hear it", () => {
  const { markup } = table(["", "<x>"], [["row", "1"]]);
  expect(markup).toContain('<th scope="col">&lt;x&gt;</th>');
  expect(markup).toContain('<th scope="row">row</th><td>1</td>');
});

test("a token's spaces and line ends can be seen", () => {
  expect(visibleToken(" a\n")).toBe("·a↵");
});
