/**
 * @file `npm run bench`: one table, softbox beside its peers on the same jobs, timed in turn in one run (bench/README.md).
 * Progress goes to stderr, the table to stdout.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checksOf, chooseGroups } from "./groups/table.mjs";
import { addShares, judgeChecks, judgeGroup } from "./runner/judge.mjs";
import { cpuFlags, describeMachine } from "./runner/machine.mjs";
import { renderProgress, renderReport } from "./runner/markdown.mjs";
import { findPython } from "./runner/python.mjs";
import { timeGroup } from "./runner/rounds.mjs";

const help = `npm run bench -- [options]
  --only <text>      only rows whose name contains the text; * stands for anything between
  --rounds <n>       rounds of turns (9)
  --seconds <s>      length of a turn (0.5)
  --threads <n>      threads of every competitor (2)
  --python <path>    a Python with torch and numpy, for the peers; or $SOFTBOX_PYTHON
  --llama <folder>   a folder in which node-llama-cpp is installed, for llama.cpp; or $SOFTBOX_LLAMA
  --json <file>      writes the report as JSON too, after every group of rows
  --show <file>      prints the table of such a report and ends
  --list             names the rows and ends
  --tiny             the smallest sizes: shows that everything runs, says nothing about speed`;

/** What the user can put right: told without a stack. */
class UsageError extends Error {}

function readOptions() {
  const text = (value) => ({ type: "string", ...(value === undefined ? {} : { default: value }) });
  const { values } = parseArgs({
    options: {
      only: text(""),
      rounds: text("9"),
      seconds: text("0.5"),
      threads: text("2"),
      python: text(process.env.SOFTBOX_PYTHON),
      llama: text(process.env.SOFTBOX_LLAMA),
      json: text(),
      show: text(),
      list: { type: "boolean" },
      tiny: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds), threads: Number(values.threads) };
  for (const [name, value] of Object.entries(settings))
    if (!(value > 0)) throw new UsageError(`--${name}: expected a number above 0, got ${values[name]}`);
  return { ...values, settings };
}

const say = (line) => process.stderr.write(`${line}\n`);

/** Times one group after the other; after each it gives the rows so far. */
async function* timeAll(groups, settings, peers) {
  const place = { threads: settings.threads, ...peers, instructions: cpuFlags() };
  const rows = [];
  for (const [i, group] of groups.entries()) {
    say(`${i + 1}/${groups.length} ${group.name}`);
    const judged = judgeGroup(group, await timeGroup(group, { ...settings, place }));
    for (const row of judged) say(`    ${renderProgress(row)}`);
    rows.push(...judged);
    yield addShares(rows);
  }
}

async function bench(groups, { tiny, python: pythonPath, llama, json, settings }) {
  const python = findPython(pythonPath);
  const machine = describeMachine(python);
  if (!machine.quiet) say(`warning: load average ${machine.load.toFixed(2)}; other programs will be in the figures`);
  if (!python.usable) say(`without PyTorch: ${python.reason} (--python, or $SOFTBOX_PYTHON)`);
  const date = new Date().toISOString().slice(0, 10);
  let report = { date, machine, settings, rows: [], checks: [] };
  for await (const rows of timeAll(groups, settings, { python, llama })) {
    report = { ...report, rows, checks: judgeChecks(checksOf(tiny ? "tiny" : "full"), rows) };
    if (json) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`); // what there is, should the run be broken off
  }
  console.log(renderReport(report));
  if (report.rows.some(({ ours }) => ours.failed)) process.exitCode = 1;
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(help);
  if (options.show) return console.log(renderReport(JSON.parse(readFileSync(options.show, "utf8"))));
  const groups = chooseGroups(options.tiny ? "tiny" : "full", options.only);
  if (!groups.length)
    throw new UsageError(`--only: no row's name contains ${JSON.stringify(options.only)}; see --list`);
  if (options.list) return console.log(groups.flatMap(({ rows }) => rows.map(({ name }) => name)).join("\n"));
  if (!existsSync(join(import.meta.dirname, "../dist/index.js")))
    throw new UsageError("dist/ is missing, and what is built is what is measured. Run first: npm run prepare");
  await bench(groups, options);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError) && !error.code?.startsWith("ERR_PARSE_ARGS")) throw error;
  say(error.message);
  process.exitCode = 1;
}
