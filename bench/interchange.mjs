/**
 * @file A GPT-2 with random weights, in and out again, beside PyTorch: whether everybody agrees, and what it costs.
 * `transformers` make it; softbox imports, evaluates, fine-tunes and exports it; `transformers` and llama.cpp read the exports.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadCorpus } from "../dist/text/corpus.js";
import { createTokenizer } from "../dist/text/tokenizer.js";

const help = `node bench/interchange.mjs --python <path> [options]
  --python <path>    a Python with torch and transformers
  --llama <folder>   a folder in which node-llama-cpp is installed; without it llama.cpp is left out
  --size <name>      tiny, distil, small (default), medium, large or xl
  --type <name>      how the model is stored at first: float32 (default), float16, bfloat16
  --steps <n>        steps of fine-tuning (20); 0 leaves it out
  --threads <n>      threads of everybody (2)`;

const gpt2 = (n_layer, n_head, n_embd) => ({ n_layer, n_head, n_embd, n_positions: 1024, vocab_size: 50_257 });
const sizes = {
  tiny: gpt2(2, 2, 16),
  distil: gpt2(6, 12, 768),
  small: gpt2(12, 12, 768),
  medium: gpt2(24, 16, 1024),
  large: gpt2(36, 20, 1280),
  xl: gpt2(48, 25, 1600),
};

const root = join(import.meta.dirname, "..");
const { values: options } = parseArgs({
  options: {
    python: { type: "string", default: process.env.SOFTBOX_PYTHON },
    llama: { type: "string", default: process.env.SOFTBOX_LLAMA },
    size: { type: "string", default: "small" },
    type: { type: "string", default: "float32" },
    steps: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    help: { type: "boolean" },
  },
});
if (options.help || !options.python || !sizes[options.size]) {
  console.error(help);
  process.exit(options.help ? 0 : 1);
}

const here = mkdtempSync(join(tmpdir(), "softbox-interchange-"));
const place = (name) => join(here, name);
const threads = Number(options.threads);
const table = [];

/** Runs a process to its end: its last line of output, seconds, and peak memory. */
async function run(file, args) {
  const began = performance.now();
  const child = spawn(file, args, { cwd: here, stdio: ["ignore", "pipe", "inherit"], env: process.env });
  let [out, peakMiB] = ["", 0];
  child.stdout.on("data", (data) => {
    out += data;
  });
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOf(child.pid));
  }, 20);
  const code = await new Promise((done) => child.on("close", done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${file} ${args.join(" ")}: ended with ${code}`);
  return { last: out.trim().split("\n").at(-1), seconds: (performance.now() - began) / 1000, peakMiB };
}

function peakOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmHWM:\s+(\d+) kB/m)[1]) / 1024;
  } catch {
    return 0;
  }
}

/** A job file's path. */
function job(name, content) {
  const path = place(`${name}.json`);
  writeFileSync(path, JSON.stringify({ threads, ...content }));
  return path;
}

const pythonTask = (task, content) =>
  run(options.python, ["-B", join(root, "bench/python/interchange.py"), job(task, { task, ...content })]);
const softbox = (...args) => run(process.execPath, [join(root, "bin/softbox.js"), ...args]);
const node = (script, name, content) =>
  run(process.execPath, [join(root, "bench/interchange", script), job(name, content)]);

/** Does something and adds its line to the table. @param tell - what else the line says, from the last line of output. */
async function measure(what, who, work, tell = () => "") {
  const { last, seconds, peakMiB } = await work();
  const says = tell(last);
  table.push([what, who, seconds.toFixed(1), Math.round(peakMiB).toLocaleString("en-US"), says]);
  console.error(`${what}, ${who}: ${seconds.toFixed(1)} s, ${Math.round(peakMiB)} MiB ${says}`);
  return last;
}

const floats = (path) => {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
};
const largestDifference = (a, b) => floats(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

const tokens = 64;
const read = (name, ids) => ({ ids: ids.slice(0, 512), prompt: ids.slice(0, 32), tokens, out: place(`${name}.bin`) });
const sameTokens = (a, b) =>
  JSON.stringify(a) === JSON.stringify(b) ? `the same ${a.length} greedy tokens` : `DIFFERENT greedy tokens`;

async function roundTrip(ids) {
  const folder = place("gpt2");
  const shape = sizes[options.size];
  await pythonTask("make", { folder, shape, type: options.type, shard: options.size === "xl" ? "2GB" : "50GB" });
  await measure("import", "softbox", () => softbox("import", folder, "--tokenizer", "gpt2"));
  const run = place("checkpoints/gpt2");

  const theirs = JSON.parse(
    await measure("512 logits, 64 tokens", "transformers", () =>
      pythonTask("logits", { folder, ...read("theirs", ids) }),
    ),
  );
  const reference = floats(place("theirs.bin"));
  const agreement = (name, line) =>
    `logits differ by at most ${largestDifference(place(`${name}.bin`), reference).toExponential(1)}; ${sameTokens(JSON.parse(line).greedy, theirs.greedy)}`;
  await measure(
    "512 logits, 64 tokens",
    "softbox",
    () => node("softbox.mjs", "ours", { run, ...read("ours", ids) }),
    (line) => agreement("ours", line),
  );

  await measure("export hf", "softbox", () => softbox("export", run, "--format", "hf", "--out", place("back")));
  await measure(
    "exported: 512 logits, 64 tokens",
    "transformers",
    () => pythonTask("logits", { folder: place("back"), ...read("back", ids) }),
    (line) => agreement("back", line),
  );
  await measure("export gguf", "softbox", () =>
    softbox("export", run, "--format", "gguf", "--out", place("model.gguf")),
  );
  if (!options.llama) return;
  const llama = { llama: resolve(options.llama), file: place("model.gguf"), prompt: ids.slice(0, 32), tokens };
  await measure(
    "exported: 64 tokens",
    "llama.cpp",
    () => node("llama.mjs", "llama", llama),
    (line) => sameTokens(JSON.parse(line).greedy, theirs.greedy),
  );
}

async function costs(ids) {
  const run = place("checkpoints/gpt2");
  const text = place("text.txt");
  writeFileSync(text, createTokenizer("gpt2", "").decode(ids.slice(0, 8193)));
  const evaluated = createTokenizer("gpt2", "").encode(readFileSync(text, "utf8"));
  await measure(
    "evaluate 8,192 tokens",
    "softbox",
    () => softbox("eval", run, "--on", text, "--json", "--threads", options.threads),
    (line) => `${JSON.parse(line).nats?.toFixed(4)} nats`,
  );
  await measure(
    "evaluate 8,192 tokens",
    "PyTorch",
    () => pythonTask("evaluate", { folder: place("gpt2"), ids: [...evaluated] }),
    (line) => `${JSON.parse(line).nats.toFixed(4)} nats`,
  );
  const steps = Number(options.steps);
  if (steps === 0) return;
  const [batch, context] = [4, 256];
  const flags = ["--context", context, "--batch-size", batch, "--steps", steps, "--threads", threads].map(String);
  const quiet = ["--set", "training.evaluateEvery=0", "--set", "sample.tokens=0", "--set", "model.dropout=0"];
  await measure(`fine-tune ${steps} steps, ${batch} × ${context}`, "softbox", () =>
    softbox("train", "--from", run, "--run", place("tuned"), ...flags, ...quiet),
  );
  await measure(
    `fine-tune ${steps} steps, ${batch} × ${context}`,
    "PyTorch",
    () => pythonTask("tune", { folder: place("gpt2"), ids, batch, context, steps, out: place("tuned-pytorch") }),
    (line) => `${JSON.parse(line).secondsPerStep.toFixed(2)} s a step`,
  );
}

try {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/ is missing. Run first: npm run prepare");
  const { text } = await loadCorpus("moby-dick");
  const ids = [...createTokenizer("gpt2", "").encode(text.slice(0, 600_000))];
  await roundTrip(ids);
  await costs(ids);
  console.log(`GPT-2 ${options.size}, ${options.type}, ${threads} threads\n`);
  console.log("| what | who | s | peak MiB | |\n|---|---|---|---|---|");
  for (const row of table) console.log(`| ${row.join(" | ")} |`);
} finally {
  rmSync(here, { recursive: true, force: true });
}
