// softbox report: one page of four runs, opened in a real browser; each chart as a file; bad words of users and bad input.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useEngine } from "../../src/engine/engine.ts";
import type { RunConfig } from "../../src/experiments/config.ts";
import { writeNotes } from "../../src/experiments/runNotes.ts";
import { findBrowser, openFile, startBrowser } from "../support/browser.ts";
import { type Ended, softbox } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { tinyRecurrentRun, tinyRun, trainFresh } from "../support/runs.ts";

const folder = temporaryFolder();
const evil = `</svg></code><script>document.title="taken"</script><img src=x onerror="alert(1)">&amp;`;
const page = join(folder, "report.html");
const run = (...args: string[]): Promise<Ended> => softbox(folder, ["report", ...args, "--engine", "cpu"]);
let made: Ended;

beforeAll(async () => {
  await useEngine("cpu");
  const text = writeSmallText(folder);
  appendFileSync(text, `${evil}\n`.repeat(20));
  const probed = (config: RunConfig): RunConfig => ({
    ...config,
    probes: ["the ", evil],
    sample: { ...config.sample, prompt: evil },
  });
  const runs = join(folder, "runs");
  mkdirSync(runs);
  await trainFresh(probed(tinyRun(text, "softmax")), join(runs, "a <b> & c"));
  await trainFresh(probed(tinyRun(text, "mos:2")), join(runs, "mixture"));
  await trainFresh(probed({ ...tinyRun(text, "mos:2"), seed: 5 }), join(runs, "mixture-5"));
  await trainFresh(probed(tinyRecurrentRun(text, "lstm", {})), join(runs, "recurrent"));
  await writeNotes(join(runs, "mixture"), { tags: ["<i>"], note: `\u001b[31m${evil}` });
  made = await run("runs", "--svg", "charts");
}, 120_000);

describe("the page", () => {
  test("is made by one command, below 2 MB for four runs, without a script or a link out", () => {
    expect(made).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^wrote report\.html and \d+ charts in charts\n$/),
    });
    expect(statSync(page).size).toBeLessThan(2e6);
    const source = readFileSync(page, "utf8");
    expect(source).not.toMatch(
      /<script|<link(?! rel="icon" href="data:,")|<img|@import|url\((?!#)|https?:\/\/(?!www\.w3\.org)/,
    );
    expect(source).toContain("default-src 'none'");
  });

  test("tells of each figure from a model what data it is from", () => {
    const source = readFileSync(page, "utf8");
    expect(source.match(/step \d+, [\d,]+ tokens of text\.txt, validation split/g)).toHaveLength(4);
    expect(source).toMatch(/\d+ contexts × \d+ commonest tokens of text\.txt, validation split, step \d+/);
    expect(source).toContain("The first 8 tokens of text.txt, validation split");
  });

  test("every chart is a file of its own: three curves, spectrum, films, reliability, gates, attention", () => {
    const kinds = readdirSync(join(folder, "charts")).map((name) => name.split(/[-.]/)[0]);
    const count = (kind: string): number => kinds.filter((each) => each === kind).length;
    expect(["curves", "spectrum", "film", "reliability", "gate", "attention"].map(count)).toEqual([3, 1, 8, 4, 2, 6]);
  });

  test("--quick asks no model; a run without its text is told, not hidden", { timeout: 30_000 }, async () => {
    expect((await run("runs/mixture", "--quick", "--out", "quick.html", "--json")).out).toBe(
      '{"files":["quick.html"]}\n',
    );
    expect(readFileSync(join(folder, "quick.html"), "utf8")).not.toContain('id="calibration"');
    await trainFresh(tinyRun(writeSmallText(folder), "softmax"), join(folder, "orphan"));
    rmSync(join(folder, "text.txt"));
    const { code, err } = await run("orphan", "--out", "orphan.html");
    expect([code, err]).toEqual([0, expect.stringContaining("its model is not shown: corpus")]);
    expect(readFileSync(join(folder, "orphan.html"), "utf8")).toMatch(/not drawn, corpus .*text\.txt/);
  });

  test.each([
    [["nowhere"], "is neither a run"],
    [["runs/mixture", "--out", "missing/report.html"], "missing"],
    [["runs/mixture", "runs/mixture-5", "--engine", "warp"], "engine"],
  ])("report %j is an error with what to do", { timeout: 30_000 }, async (args, words) => {
    const { code, err } = await softbox(folder, ["report", ...args]);
    expect([code, err]).toEqual([1, expect.stringContaining(words)]);
    expect(err).toContain("hint:");
  });
});

/** What a reader meets, told by the page itself; text, as Node's types know no documents. */
const look = `(() => {
  const { documentElement: root, body } = document;
  const letters = [...document.querySelectorAll("svg text")].flatMap((text) => {
    const box = text.closest("svg");
    const shown = box.getBoundingClientRect().width;
    return shown === 0 ? [] : [(shown / box.viewBox.baseVal.width) * parseFloat(getComputedStyle(text).fontSize)];
  });
  return {
    title: document.title,
    wide: root.scrollWidth - root.clientWidth,
    scripts: document.querySelectorAll("script,img,iframe").length,
    text: body.innerText,
    paper: getComputedStyle(body).backgroundColor,
    smallest: Math.min(...letters),
    letters: letters.length,
    parts: [...document.querySelectorAll("section")].map(({ id }) => id),
  };
})()`;

interface Seen {
  readonly title: string;
  /** Pixels by which something is wider than the page. */
  readonly wide: number;
  readonly scripts: number;
  readonly text: string;
  readonly paper: string;
  /** Size of the smallest letter of a chart, pixels, and how many texts there are. */
  readonly smallest: number;
  readonly letters: number;
  readonly parts: readonly string[];
}

const found = findBrowser();
if (found === undefined) process.stderr.write("no Chromium here: the report is not opened in a browser\n");
else
  describe("in a browser", { timeout: 60_000 }, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser(found);
    });
    afterAll(() => browser.close());

    test.each([
      { width: 400, scheme: "light" },
      { width: 400, scheme: "dark" },
      { width: 1200, scheme: "light" },
      { width: 1200, scheme: "dark" },
    ] as const)(
      "$scheme at $width pixels: no complaint, no request, nothing wider than the page, letters to be read",
      async (window) => {
        const { page: tab, complaints, requests } = await openFile(browser, page, window);
        const seen = (await tab.evaluate(look)) as Seen;
        expect({ complaints, requests, wide: seen.wide, scripts: seen.scripts }).toEqual({
          complaints: [],
          requests: [],
          wide: 0,
          scripts: 0,
        });
        expect(seen.title).toBe("4 runs – softbox report");
        expect(seen.text).toContain(evil);
        expect(seen.text).toContain(`␛[31m${evil}`);
        expect(seen.paper).toBe(window.scheme === "light" ? "rgb(253, 253, 251)" : "rgb(21, 23, 28)");
        expect(seen.letters).toBeGreaterThan(200);
        expect(seen.smallest).toBeGreaterThanOrEqual(8.5);
        expect(seen.parts).toEqual(
          "comparison curves film samples calibration spectrum mixture attention configuration runs".split(" "),
        );
        const picture = await tab.screenshot({ fullPage: true, captureBeyondViewport: true });
        expect(picture.length).toBeGreaterThan(100_000); // an empty page has some 10 kB
        await tab.close();
      },
    );

    test("a tab shows the curves by tokens or by time, one at a time, by keyboard too", async () => {
      const { page: tab } = await openFile(browser, page, { width: 1200, scheme: "light" });
      const shown = () =>
        tab.evaluate(
          `[...document.querySelectorAll(".pane")].filter((pane) => pane.clientHeight > 0).map((pane) => pane.className)`,
        );
      expect(await shown()).toEqual(["pane step"]);
      await tab.click('label[for="by-tokens"]');
      expect(await shown()).toEqual(["pane tokens"]);
      await tab.keyboard.press("ArrowRight");
      expect(await shown()).toEqual(["pane seconds"]);
      await tab.close();
    });

    test("each file of a chart is a whole picture by itself", async () => {
      const files = readdirSync(join(folder, "charts")).map((name) =>
        readFileSync(join(folder, "charts", name), "utf8"),
      );
      const tab = await browser.newPage();
      const wrong = await tab.evaluate(`${JSON.stringify(files)}.filter((source) => {
        const parsed = new DOMParser().parseFromString(source, "image/svg+xml");
        return parsed.querySelector("parsererror") !== null || parsed.querySelectorAll("path,rect").length < 3;
      })`);
      expect(wrong).toEqual([]);
      await tab.close();
    });
  });
