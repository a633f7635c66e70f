/**
 * @file A real browser without a screen: Chromium, driven by puppeteer-core. `SOFTBOX_TEST_BROWSER` names it, else it is looked for on the
 * path; CI names it, so that there its absence is a failure.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, launch, type Page } from "puppeteer-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** The browser's path; undefined where there is none and nobody insists. */
export function findBrowser(): string | undefined {
  const named = process.env.SOFTBOX_TEST_BROWSER;
  const wanted = named === undefined ? names : [named];
  const places = (process.env.PATH ?? "").split(delimiter);
  const found = wanted.flatMap((name) => [name, ...places.map((place) => join(place, name))]).find(existsSync);
  if (found === undefined && named !== undefined)
    throw new Error(
      `SOFTBOX_TEST_BROWSER names ${named}, which is not there; apt-get install chromium puts it in place`,
    );
  return found;
}

export const startBrowser = (executablePath: string): Promise<Browser> =>
  launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });

/** A page, and what it did that a page without ties does not. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, refused loads. */
  readonly complaints: readonly string[];
  /** Addresses asked for, the file itself left out. */
  readonly requests: readonly string[];
}

/** Opens a file in a window of that size. */
export async function openFile(
  browser: Browser,
  file: string,
  { width, scheme }: { readonly width: number; readonly scheme: "light" | "dark" },
): Promise<OpenedPage> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const address = pathToFileURL(file).href;
  await page.goto(address, { waitUntil: "load" });
  return { page, complaints, requests: requests.filter((url) => url !== address && !url.startsWith("data:")) };
}
