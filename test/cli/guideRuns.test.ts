// The commands of README.md, docs/commands.md and the guide, run in their order in one folder: long ones by fewer steps of a smaller
// model (flags are added behind the page's own). Each is either run here or named with the reason why not.
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { softbox } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { commands } from "../support/pages.ts";

const here = temporaryFolder();
for (const twin of ["checkpoints/twin-softmax", "checkpoints/twin-mos"])
  cpSync(twin, join(here, twin), { recursive: true });
cpSync("test/fixtures/gpt2/sharded", join(here, "gpt2-folder"), { recursive: true });
writeFileSync(join(here, "other.txt"), "The whale is a fish of the sea, and the captain knows it. ".repeat(20));
writeSmallText(here);
writeFileSync(
  join(here, "small.json"),
  JSON.stringify({
    corpus: "text.txt",
    tokenizer: "char",
    splits: { train: 0.4, validation: 0.3, calibration: 0.3 },
    model: { kind: "transformer", contextLength: 16, embedSize: 16, layers: 1, heads: 2, dropout: 0 },
    training: { steps: 3, batchSize: 4, evaluateEvery: 0 },
  }),
);

const sized = "--layers 1 --embed 16 --heads 2 --context 32 --batch-size 2 --engine native";
const small = `${sized} --steps 2 --decay-steps 2 --set training.evaluationTokens=64 --set sample.tokens=8`;
const tiny = `${small} --tokenizer char`;
const few = "--max-tokens 200";

/** A page's command, what is added to it, and what it must print. */
type Run = readonly [page: string, line: string, more: string, ...prints: (string | RegExp)[]];

const nats = /\d\.\d{4}/;
const trained = /trained to step 2 in .*, saved in checkpoints\//;
const loss = (line: string): RegExp => new RegExp(`^${line} .*\\d\\.\\d{4}`, "m");

/** In an order in which each finds the runs it names. */
const runs: readonly Run[] = [
  ["commands", "play", "", /twin-(softmax|mos)/, "entropy"],
  ["loss", "score checkpoints/twin-softmax", "", /15 tokens|\d+ tokens, \d\.\d+ nats a token/],
  ["attention", "play checkpoints/twin-softmax", "", "entropy"],
  ["sampling", "generate checkpoints/twin-softmax --prompt The whale --temperature 0 ", "", /^The whale/],
  ["sampling", "generate checkpoints/twin-softmax --prompt The whale --temperature 0.7", "", /^The whale/],
  ["sampling", "generate checkpoints/twin-softmax --prompt The whale --temperature 2", "", /^The whale/],
  ["sampling", "generate checkpoints/twin-softmax --prompt The whale --temperature 1.5", "", /^The|whale/],
  ["sampling", "play checkpoints/twin-softmax --beside", "", "twin-softmax"],
  ["sampling", "generate --help", "", "--min-p"],
  ["commands", "doctor", "", /^native +yes/m, "chosen by auto: native"],
  ["commands", "corpus list", "", "moby-dick", "modes"],
  ["vocabulary", "corpus stats moby-dick --tokenizer char", "", "89"],
  ["vocabulary", "corpus stats moby-dick --tokenizer gpt2-compact", "", "15,932"],
  ["commands", "import gpt2-folder", "--corpus text.txt", /12,224 parameters/, "run: checkpoints/gpt2-folder"],
  ["commands", "export --format gguf", "", "checkpoints/gpt2-folder, step 0, as gguf in float32"],

  ["loss", "train", tiny, /step 1\/2 {2}loss 4\.\d+/, trained],
  ["sigmoid", "train", tiny, trained],
  ["sigmoid", "generate checkpoints/sigmoid", "--max-tokens 8", /^.{5}/s],
  ["attention", "train", tiny, trained],
  ["attention", "play checkpoints/sparse", "", "entropy"],
  ["attention", "sweep --recipe nano-char --sweep attention", `${tiny} --seeds 1 --random 1`, nats],
  ["attention", "sweep --recipe nano-char --sweep positions", `${tiny} --seeds 1 --random 1`, nats],
  ["attention", "compare checkpoints/attention", "", /nats against/],
  ["vocabulary", "train", `${small} --tokenizer gpt2-compact`, trained],
  ["commands", "train --tensorboard", `${tiny} --run checkpoints/board`, trained],

  ["commands", "train", tiny, trained],
  ["commands", "train --resume", "--steps 4", "resuming at step 2 of 4", "trained to step 4"],
  ["commands", "train --ui", tiny, "checkpoints/moby: transformer softmax"],
  ["commands", "train --like", "", "trained to step 4", "saved in checkpoints/moby-2", "gate: entropy"],
  ["commands", "generate", "--max-tokens 8", /^The whale/],
  ["commands", "score", "", /15 tokens, \d\.\d+ nats a token/],
  ["commands", "bottleneck", "--contexts 40 --tokens 40", /rank \d+ of 40 · bound none set by the head/],
  ["commands", "eval --on other.txt", few, /nats per token/],
  ["commands", "calibrate --save", `${few} --repairs temperature --draws 5`, loss("temperature")],
  ["commands", "eval --ensemble checkpoints/moby", few, "averaged probabilities", "mutual information"],
  ["commands", "runs", "", /^moby-2 .*finished.*mos:8/m, /^moby .*finished.*softmax/m],
  ["comparing", "compare checkpoints/moby checkpoints/moby-2", "", loss("mos:8")],
  ["comparing", "runs diff", "", "model.head: softmax → mos:8"],
  ["README", "compare", `${small} --seeds 1`, loss("adaptive:2000,10000"), /^mos:4 {2,}[+−]\d\.\d{4}/m],
  ["README", "report", "--quick", "wrote report.html"],
  ["comparing", "report", "--quick", "wrote report.html", "charts"],
  ["comparing", "sweep", `${tiny} --steps 9 --decay-steps 9 --random 3`, loss("learningRate \\S+ mos:4")],

  ["bottleneck", "train --recipe nano-char", `--steps 20 --threads 1`, /trained to step 20 .*modes-softmax/],
  [
    "bottleneck",
    "bottleneck checkpoints",
    "",
    /rank \d of 60 · bound 9/,
    /rank \d\d of 60 · bound none set by the head/,
  ],
  ["bottleneck", "bottleneck --experiment", "--steps 5 --seeds 1", /^mos:8 +2552 /m, "of rank 33"],

  ["how-sure-is-it", "train --recipe nano-char --steps 400", tiny, trained],
  ["how-sure-is-it", "calibrate checkpoints/chars", "--max-tokens 300 --draws 5", loss("vector"), loss("bbq")],
  ["how-sure-is-it", "eval checkpoints/chars", few, nats],
  ["how-sure-is-it", "generate checkpoints/chars", "--max-tokens 8", /^.{5}/s],
  ["how-sure-is-it", "play checkpoints/chars", "", /entropy: .* raw/],
  ["how-sure-is-it", "train --recipe nano-char --steps 300 --dropout 0.2 --seed 1", tiny, trained],
  ["how-sure-is-it", "train --recipe nano-char --steps 300 --dropout 0.2 --seed 2", tiny, trained],
  ["how-sure-is-it", "eval checkpoints/d1", few, loss("without dropout")],
  ["how-sure-is-it", "eval --ensemble", few, loss("averaged probabilities")],
];

/** What is read only, whole lines: other tests run it, or nothing here can. */
const readOnly: readonly (readonly [line: string, why: string])[] = [
  [
    "worker --queue redis://host:6379",
    "needs a Redis server and goes on until stopped: queue.test.ts runs one where there is Redis",
  ],
  ["sweep … --queue redis://host:6379", "a pattern, not a command"],
  [
    "sweep --sweep lr=1e-4..1e-2:log --sweep head=softmax,mos:4 --seeds 3 --queue redis://host:6379",
    "needs Redis: queue.test.ts",
  ],
  [
    "sweep --sweep lr=1e-4..1e-2:log --sweep head=softmax,mos:4",
    "ten trainings; its longer form on comparing.md is run",
  ],
  ["calibrate --study", "five trainings: study.test.ts runs it"],
  ["train --recipe moby --tensorboard", "moby is the recipe of train --tensorboard, which is run"],
  ["compare --head softmax,mos:4 --steps 400 --seeds 3", "README's longer comparison is run"],
  [
    "compare --head softmax,adaptive:2000,8000 --steps 300 --decay-steps 300 --seeds 2",
    "README's longer comparison is run",
  ],
  [
    "compare --head softmax,mos:4,moc:4,sigsoftmax,adaptive:2000,10000 --steps 400 --decay-steps 400 --rank",
    "README's comparison of the same heads is run, with --rank: compare.test.ts",
  ],
  [
    "compare --recipe nano-char --head softmax,sigmoid --steps 400 --decay-steps 400",
    "README's longer comparison is run",
  ],
  ["score", "the command's name in running text; it is run with a text"],
];

const ranAlready = new Set<string>();

/** The commands of a page that begin so: exactly one, or the rounds of a loop. */
function found(page: string, start: string): readonly { readonly args: readonly string[]; readonly line: string }[] {
  const path = { README: "README.md", commands: "docs/commands.md" }[page] ?? `docs/guide/${page}.md`;
  const all = commands.filter((command) => command.page === path);
  const exact = all.filter(({ line }) => line === start);
  return exact.length > 0 ? exact : all.filter(({ line }) => line.startsWith(start));
}

const cases = runs.map(([page, start, more, ...prints]) => ({ page, start, more, prints }));

test.each(cases)("$page: softbox $start", { timeout: 60_000 }, async ({ page, start, more, prints }) => {
  const all = found(page, start);
  expect(all.length, `${page}: ${start}`).toBeGreaterThan(0);
  let text = "";
  for (const { args, line } of all) {
    const { code, out, err } = await softbox(here, [...args, ...more.split(" ").filter((word) => word !== "")]);
    expect(code, `${line}\n${err}`).toBe(0);
    text += out;
    ranAlready.add(line);
  }
  for (const print of prints) expect(text).toMatch(print);
});

test("files that commands name are written", () => {
  for (const file of ["gpt2-folder.gguf", "report.html", "reliability.svg", "spectra.svg", "charts"])
    expect(existsSync(join(here, file)), file).toBe(true);
  expect(readFileSync(join(here, "report.html"), "utf8")).toContain("</html>");
});

test("every command of every page is run above, or is named with the reason why not", () => {
  const excused = new Set(readOnly.map(([line]) => line));
  expect([...excused].filter((line) => !commands.some((command) => command.line === line))).toEqual([]);
  expect(commands.filter(({ line }) => !ranAlready.has(line) && !excused.has(line))).toEqual([]);
});
