import { expect, test } from "vitest";
import { escapeXml, short, svgPicture, svgText } from "./svg.ts";

test("what could be markup is text", () => {
  expect(escapeXml('<a href="x">&')).toBe("&lt;a href=&quot;x&quot;&gt;&amp;");
  expect(svgText(1, 2, "a < b")).toBe('<text x="1" y="2" text-anchor="middle">a &lt; b</text>');
  expect(svgPicture({ width: 2, height: 1, title: "<t>" }, [])).toContain("<title>&lt;t&gt;</title>");
});

test("coordinates have at most one decimal", () => {
  expect([3, 0.25, 0.04, -1.06].map(short)).toEqual(["3", "0.3", "0", "-1.1"]);
});

test("a picture is one element with its parts in order on a white sheet", () => {
  const picture = svgPicture({ width: 20, height: 10, title: "t", font: "monospace", fontSize: 13 }, [
    "<g/>",
    "<path/>",
  ]);
  expect(picture).toMatch(
    /^<svg [^>]*viewBox="0 0 20 10"[^>]*font-family="monospace"[^>]*>\n<title>t<\/title>\n<rect [^>]*fill="white"\/>\n<g\/>\n<path\/>\n<\/svg>\n$/,
  );
});

test("text may stand by either end and have a look", () => {
  expect(svgText(1.26, 2, "x", { anchor: "end", more: 'fill="red"' })).toBe(
    '<text x="1.3" y="2" text-anchor="end" fill="red">x</text>',
  );
});
