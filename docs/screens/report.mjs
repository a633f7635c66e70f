// Makes README's picture of a report in a real Chromium.
//
//     node docs/screens/report.mjs checkpoints/compare-moby [path of chromium]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { launch } from "puppeteer-core";

const program = fileURLToPath(new URL("../../bin/softbox.js", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
const [runs = "checkpoints", executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "softbox-report-"));
const page = join(folder, "report.html");
execFileSync(process.execPath, [program, "report", runs, "--out", page], { stdio: "inherit" });

const browser = await launch({ executablePath, args: ["--no-sandbox", "--hide-scrollbars"] });
const tab = await browser.newPage();
await tab.setViewport({ width: 1040, height: 1300 });
await tab.goto(`${pathToFileURL(page).href}#curves`);
await tab.screenshot({ path: join(here, "report.webp"), type: "webp", quality: 80 });
await browser.close();
rmSync(folder, { recursive: true });
