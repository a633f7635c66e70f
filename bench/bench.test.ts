// The benchmark runner at its smallest sizes: rows, units and verdicts; no figure is judged.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "softbox-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Side {
  readonly name: string;
  readonly unavailable?: string;
  readonly milliseconds?: number;
  readonly times?: readonly number[];
  readonly peakMemoryMiB?: number;
}
interface Row {
  readonly name: string;
  readonly ours: Side;
  readonly peers: readonly Side[];
  readonly comparison?: { readonly ratio: number; readonly least: number; readonly largest: number };
  readonly gflopsPerSecond?: number;
  readonly shareOfBestMatmul?: number;
}

function bench(...args: string[]) {
  const env = { ...process.env, SOFTBOX_PYTHON: undefined };
  return spawnSync(process.execPath, ["bench/run.mjs", ...args], { encoding: "utf8", env });
}

function benchTiny(only: string, ...args: string[]): { readonly text: string; readonly rows: readonly Row[] } {
  const json = join(folder, "report.json");
  const sizes = ["--tiny", "--rounds", "2", "--seconds", "0.001", "--json", json];
  const { stdout, stderr, status } = bench("--only", only, ...sizes, ...args);
  expect(status, stderr).toBe(0);
  return { text: stdout, rows: JSON.parse(readFileSync(json, "utf8")).rows };
}

test("every kind of job has its row, with units, and missing peers fail nothing", () => {
  const { text, rows } = benchTiny("float32", "--python", join(folder, "no-python"));
  const kinds = [
    "matmul",
    "training step",
    "recurrent training step",
    "head alone",
    "attention",
    "decoding",
    "decoding", // the same, beside llama.cpp
    "memory's share",
  ];
  expect(rows.map(({ name }) => kinds.find((kind) => name.startsWith(kind)))).toEqual(kinds);
  for (const { ours, peers, gflopsPerSecond, shareOfBestMatmul } of rows) {
    expect(ours.times).toHaveLength(2);
    expect(ours.peakMemoryMiB).toBeGreaterThan(1);
    expect(gflopsPerSecond).toBeGreaterThan(0);
    expect(shareOfBestMatmul).toBeGreaterThan(0);
    for (const { name, unavailable } of peers) {
      if (name === "reading the weights alone") expect(unavailable).toBeUndefined();
      else if (name === "llama.cpp") expect(unavailable).toBe("no folder with node-llama-cpp was named");
      else expect(unavailable).toBe("the Python named does not start: ENOENT");
    }
  }
  const { ours, peers, comparison } = rows.at(-1)!;
  expect(peers[0]!.times).toHaveLength(2);
  expect(comparison!.ratio).toBeCloseTo(peers[0]!.milliseconds! / ours.milliseconds!, 10);
  expect(text).toMatch(/\d cores, .*GiB/);
  expect(text).toContain("| job | softbox, ms | peers, ms |");
  expect(text.match(/not here \|/g)).toHaveLength(rows.length - 1);
});

test("an engine stands beside a naive program on tfjs's own wasm backend", () => {
  const { rows } = benchTiny("engine cpu");
  const [matmul, engine] = rows;
  expect(matmul!.peers[0]!.unavailable).toBe("no Python was named");
  const { ours, peers, comparison } = engine!;
  const [naive] = peers;
  expect([ours.times?.length, naive!.times?.length]).toEqual([2, 2]);
  expect(comparison!.ratio).toBeCloseTo(naive!.milliseconds! / ours.milliseconds!, 10);
  expect(comparison!.least).toBeLessThanOrEqual(comparison!.largest);
});

test("the full table names every job of the targets", () => {
  const names = bench("--list").stdout.trim().split("\n");
  expect(new Set(names).size).toBe(names.length);
  for (const part of [
    "nano-char: 4 × 128",
    "6 × 384",
    "V = 50,257",
    "mixture of 15",
    "T = 2048",
    "decoding",
    "lstm 2 × 256",
    "gru 2 × 256",
    "engine wasm",
    "tensorflow, 6 × 384",
    "webgpu, 6 × 384",
  ])
    expect(names.filter((name) => name.includes(part)).length, part).toBeGreaterThan(0);
});

test("a folder without node-llama-cpp leaves llama.cpp's cell empty, and says why", () => {
  const { rows } = benchTiny("beside llama.cpp", "--llama", folder);
  const [, beside] = rows.filter(({ name }) => name.startsWith("decoding"));
  expect(beside!.ours.times).toHaveLength(2);
  expect(beside!.peers[0]!.unavailable).toBe("node-llama-cpp is not in the folder named: MODULE_NOT_FOUND");
});

test("options that make no sense are refused", () => {
  expect(bench("--rounds", "0").stderr).toContain("--rounds: expected a number above 0, got 0");
  expect(bench("--only", "no such row").stderr).toContain("--only: no row's name contains");
});

test("sampling has a table of its own, with two times in each cell", () => {
  const { stdout, status, stderr } = spawnSync(process.execPath, ["bench/sampling.mjs", "2"], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const rows = stdout.split("\n").filter((line) => line.startsWith("| topK 40, temperature 0.8 |"));
  expect(rows.length).toBe(8); // four kinds of scores, the native engine's passes and JavaScript's
  for (const row of rows) expect(row).toMatch(/^(\|[^|]+){2}(\| \d+\.\d\d \/ \d+\.\d\d ){3}\|$/);
  expect(stdout.match(/^At most .* % of float32's \d.*, .* % of bfloat16's \d.* ms a token\.$/gm)?.length).toBe(2);
});

test("encoding is set beside gpt-tokenizer: the same ids, the same text again", () => {
  const args = ["bench/encoding.mjs", "1", "30000"];
  const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(
    /^30000 characters, \d+ tokens, ids the same\ndecoded again the same text\nsoftbox: [\d.]+ s .*\ngpt-tokenizer: /,
  );
});
