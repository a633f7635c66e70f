// Sampling, beams and scores as a user types them, on a model that was trained a moment ago.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shell, softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();
const outgrown = "the text outgrew the model's context: its beginning was let go of on the way\n";

beforeAll(async () => {
  writeSmallText(here);
  const { code, err } = await softbox(here, ["train", ...tinyFlags, "--run", "run", "--steps", "20"]);
  expect([code, err]).toEqual([0, ""]);
});

async function good(command: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await softbox(here, [command, "run", ...args]);
  expect([code, err], args.join(" ")).toEqual([0, ""]);
  return out;
}

/** Twelve characters after "the": the context of 16 holds them. */
const short = ["--prompt", "the", "--tokens", "12", "--seed", "3"];

interface Line {
  readonly sample: number;
  readonly position: number;
  readonly id: number;
  readonly text: string;
  readonly logProb: number;
  readonly surprise: number;
  readonly rank: number;
  readonly entropy: number;
  readonly ids: number[];
}
const linesOf = (out: string): Line[] =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("generate", () => {
  test("with -n it writes several texts, the first that of one alone; how many there are changes none", async () => {
    const alone = await good("generate", ...short);
    const [three, two] = [await good("generate", ...short, "-n", "3"), await good("generate", ...short, "-n", "2")];
    expect(three.startsWith(`--- 1\n${alone}--- 2\nthe`)).toBe(true);
    expect(three.startsWith(two)).toBe(true);
    const tokens = linesOf(await good("generate", ...short, "-n", "3", "--json"));
    expect(tokens.map(({ sample }) => sample)).toEqual(Array(12).fill([0, 1, 2]).flat());
    const texts = [0, 1, 2].map((sample) => tokens.filter((token) => token.sample === sample).map(({ id }) => id));
    expect(new Set(texts.map(String)).size).toBe(3);
  });

  test("--stop ends the text before it, the first of several; what does not come changes nothing", async () => {
    const text = (await good("generate", ...short)).trimEnd();
    const piece = text.slice(8, 10);
    const end = text.indexOf(piece, 3);
    expect(await good("generate", ...short, "--stop", "QQ", "--stop", piece)).toBe(`${text.slice(0, end)}\n`);
    const never = `${text.at(-1)}QQ`; // its beginning is held back to the end, and comes then
    expect((await good("generate", ...short, "--stop", never)).trimEnd()).toBe(text);
  });

  test("a text that outgrows the context is told once, after it; a shorter one is not", async () => {
    const { out, err } = await softbox(here, ["generate", "run", "--prompt", "the", "--tokens", "40", "-n", "2"]);
    expect(err).toBe(outgrown);
    expect(out).toContain("--- 2");
    const refused = await softbox(here, ["generate", "run", "--prompt", "the", "--tokens", "40", "--no-window"]);
    expect([refused.code, refused.err]).toEqual([
      1,
      "error: prompt: with --no-window, prompt and text must fit the context of 16 tokens, got 3 + 40\nhint: Shorten the prompt, ask for fewer --max-tokens, or leave --no-window out.\n",
    ]);
  });

  test("Ctrl-C ends the text, with a line end and the note, where it is", async () => {
    const held = ["a", "e", "h", " ", "t", "s", "n", "i", "w", "l", "o", "c", "p", "d", "m", "f", ".", "\n"];
    const stops = held.map((letter) => `--stop '${letter}QQ'`).join(" "); // every character is held for one token
    const line = `node "$PROGRAM" generate run --prompt the --max-tokens 10000000 ${stops} > out.txt 2> err.txt & pid=$!
      until [ "$(wc -c < out.txt)" -gt 60 ]; do sleep 0.05; done; kill -INT $pid; wait $pid`;
    const { code } = await shell(here, line);
    const [out, err] = ["out.txt", "err.txt"].map((name) => readFileSync(join(here, name), "utf8"));
    expect([code, err]).toEqual([0, outgrown]);
    const count = [...out!].length - "the".length - 1;
    const same = linesOf(await good("generate", "--prompt", "the", "--tokens", String(Math.min(count, 400)), "--json"));
    expect(out!.endsWith("\n")).toBe(true);
    expect(
      out!.slice(3, -1).startsWith(
        same
          .map(({ text }) => text)
          .join("")
          .replaceAll("\\n", "\n"),
      ),
    ).toBe(true);
  });

  test("--show marks each token by its probability without colour, and says what the marks mean", async () => {
    const { code, out, err } = await softbox(here, ["generate", "run", ...short, "--show"]);
    expect(code).toBe(0);
    expect(err).toBe("probability by the model: no mark 50 % or more · ¹ 20 % · ² 5 % · ³ 1 % · ⁴ less\n");
    expect(out.replace(/[¹²³⁴]/g, "")).toBe(await good("generate", ...short));
    const marks = linesOf(await good("generate", ...short, "--json")).map(({ logProb }) => {
      const below = [0.5, 0.2, 0.05, 0.01].filter((least) => Math.exp(logProb) < least);
      return ["", "¹", "²", "³", "⁴"][below.length];
    });
    expect(out.replace(/[^¹²³⁴]/g, "")).toBe(marks.join(""));
  });

  test("in bfloat16 it writes, too, and with probabilities that are nearly the same", async () => {
    const [full, half] = [
      linesOf(await good("generate", ...short, "--json", "--temperature", "0")),
      linesOf(await good("generate", ...short, "--json", "--temperature", "0", "--precision", "bfloat16")),
    ];
    expect(half).toHaveLength(12);
    expect(half[0]!.entropy).not.toBe(full[0]!.entropy);
    expect(Math.abs(half[0]!.entropy - full[0]!.entropy)).toBeLessThan(0.02);
  });

  test("--beams gives texts from the likeliest on, with the probabilities that score has; --stop is refused with it", async () => {
    const beams = linesOf(await good("generate", ...short.slice(0, 2), "--tokens", "8", "--beams", "4", "--json"));
    expect(beams).toHaveLength(4);
    expect(beams).toEqual(beams.toSorted((a, b) => b.logProb - a.logProb));
    const scores = linesOf(await good("score", "--text", `the${beams[0]!.text}`, "--json")).slice(2);
    expect(scores.reduce((sum, { logProb }) => sum + logProb, 0)).toBeCloseTo(beams[0]!.logProb, 3);
    const refused = await softbox(here, ["generate", "run", "--beams", "2", "--stop", "a"]);
    expect([refused.code, refused.err]).toEqual([
      1,
      "error: --beams: does not go with --stop\nhint: Leave one of the two out. --stop-token ends a beam.\n",
    ]);
  });
});

describe("score", () => {
  test("gives the generated text the log-probabilities, ranks and entropies that it was drawn with", async () => {
    const tokens = linesOf(await good("generate", ...short, "--json"));
    const scores = linesOf(await good("score", "--text", (await good("generate", ...short)).slice(0, -1), "--json"));
    expect(scores.map(({ position }) => position)).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    for (const [i, { id, rank, logProb, entropy }] of tokens.entries()) {
      const score = scores[i + 2]!;
      expect([score.id, score.rank, score.surprise]).toEqual([id, rank, -score.logProb]);
      expect(score.logProb).toBeCloseTo(logProb, 4);
      expect(score.entropy).toBeCloseTo(entropy, 4);
    }
  });

  test("in words: a line a token and the mean; with --show the text; without two tokens, or any text, an error", async () => {
    const plain = (await good("score", "--text", "the sea")).trimEnd().split("\n");
    expect(plain).toHaveLength(7);
    expect(plain[0]).toMatch(/^ +1 {2}p +[\d.e-]+ {2}rank +\d+ {2}entropy +[\d.]+ {2}h$/);
    expect(plain.at(-1)).toMatch(/^6 tokens, \d\.\d{4} nats a token$/);
    expect((await good("score", "--text", "the sea", "--show")).replace(/[¹²³⁴]/g, "")).toContain("\nthe sea\n");
    const one = await softbox(here, ["score", "run", "--text", "t"]);
    expect([one.code, one.err]).toEqual([
      1,
      "error: score: expected at least 2 tokens, got 1\nhint: Give a longer text.\n",
    ]);
    const none = await softbox(here, ["score", "run"]);
    expect(none.err).toContain("error: score: expected either --text or --file\n");
  });
});
