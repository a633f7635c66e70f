// Every command end to end, as a user types it, in a fresh folder.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shell, softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();

/** Output without what differs by machine and moment: times, speeds, sizes, decimals, the model's text. */
const steady = (text: string): string =>
  text
    .replace(/engine: .*/g, "engine: …")
    .replace(/^step (?!1\/|20\/)\d+\/.*\n/gm, "") // a line each five seconds: slow machines have more of them
    .replace(/[\d,]+ tokens\/s {2}ETA [\d:]+ {2}\d+ MB/g, "… tokens/s  ETA …  … MB")
    .replace(/(loss|smoothed|validation|perplexity) [\d.]+/g, "$1 …")
    .replace(/[\d.]+ bits/g, "… bits")
    .replace(/is followed by .*/g, "is followed by …")
    .replace(/(^ {2}[^ "].*\n)+/gm, "  (text)\n")
    .replace(/ in \d+:\d\d,/g, " in …,");

const json = (line: string): Record<string, unknown> => JSON.parse(line);
const linesOf = (text: string): string[] => text.trimEnd().split("\n");

interface Candidate {
  readonly text: string;
  readonly id: number;
  readonly raw: number;
  readonly final: number;
  readonly kept: boolean;
}
interface JsonToken {
  readonly position: number;
  readonly id: number;
  readonly text: string;
  readonly probability: number;
  readonly entropy: number;
  readonly finalEntropy: number;
  readonly mixture?: number[];
  readonly candidates: readonly Candidate[];
}
const tokensOf = (out: string): JsonToken[] => linesOf(out).map((line) => JSON.parse(line) as JsonToken);

/** What is told of a text longer than the context of 16 characters, which most are here. */
const outgrown = "the text outgrew the model's context: its beginning was let go of on the way\n";

/** Runs softbox and expects it to succeed without another word on stderr. */
async function good(...args: string[]): Promise<string> {
  const { code, out, err } = await softbox(here, args);
  expect([code, err.replace(outgrown, "")], args.join(" ")).toEqual([0, ""]);
  return out;
}

const every = ["--set", "training.evaluateEvery=10", "--set", "training.checkpointEvery=10"];
beforeAll(async () => {
  writeSmallText(here);
  await good("train", ...tinyFlags, ...every, "--run", "mixture", "--steps", "20", "--head", "mos:3");
  await good("train", ...tinyFlags, ...every, "--run", "checkpoints/small", "--steps", "20", "--learning-rate", "0.01");
});

describe("train", () => {
  test("in a pipe it prints plain lines: what is trained on what, progress, evaluations, where it is saved", async () => {
    const out = await good("train", ...tinyFlags, ...every, "--run", "told", "--steps", "20");
    expect(steady(out)).toMatchInlineSnapshot(`
      "engine: …
      model: transformer, head softmax, 3,856 parameters · corpus: text.txt, 10,537 tokens to learn from, 1,166 to validate on, vocabulary 18 (char)
      training: 20 steps, 64 tokens a step
      step 1/20  loss …  smoothed …  lr 1.0e-5  … tokens/s  ETA …  … MB
      step 10  validation … nats per token  perplexity …  … bits per byte  best so far
        "the " is followed by …
        (text)
      step 20/20  loss …  smoothed …  lr 2.0e-4  … tokens/s  ETA …  … MB
      step 20  validation … nats per token  perplexity …  … bits per byte  best so far
        "the " is followed by …
        (text)
      trained to step 20 in …, saved in told
      "
    `);
    expect(out).not.toContain("\u001b");
  });

  test("with --json every line is an event", async () => {
    const out = await good("train", ...tinyFlags, ...every, "--run", "events", "--steps", "10", "--json");
    const events = linesOf(out).map(json);
    expect(events.map(({ type }) => type)).toEqual([
      ...Array(10).fill("step"),
      "evaluation",
      "probe",
      "sample",
      "checkpoint",
      "done",
    ]);
    expect(events.at(-1)).toEqual({ type: "done", step: 10, reason: "finished" });
  });

  test("a run's folder holds what was asked for, on what it was made, its record and its checkpoints", () => {
    expect(readdirSync(join(here, "checkpoints/small")).toSorted()).toMatchInlineSnapshot(`
      [
        "best",
        "config.json",
        "environment.json",
        "latest",
        "metrics.jsonl",
        "probes.jsonl",
        "samples.jsonl",
        "step-000010",
        "step-000020",
        "timings.jsonl",
        "tokenizer.json",
      ]
    `);
    expect(readdirSync(join(here, "checkpoints/small/step-000020")).toSorted()).toMatchInlineSnapshot(`
      [
        "manifest.json",
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
      ]
    `);
    expect(readFileSync(join(here, "checkpoints/small/latest"), "utf8")).toBe("step-000020\n");
  });

  test("resumed it goes on to the new number of steps; a finished run says so and stays as it is", async () => {
    cpSync(join(here, "mixture"), join(here, "longer"), { recursive: true });
    const out = await good("train", "--resume", "longer", "--steps", "30");
    expect(out).toContain("training: resuming at step 20 of 30, 64 tokens a step");
    expect(out).toContain("trained to step 30 in ");
    const again = await softbox(here, ["train", "--resume", "longer"]);
    expect([again.code, again.err]).toEqual([0, "the run is at step 30 already; train further with --steps <more>\n"]);
  });

  test("Ctrl-C finishes the step, saves, says how to go on, and exits with 130", async () => {
    const flags = tinyFlags.join(" ");
    // SIGINT as soon as the first step is told; the shell's own exit code is that of softbox.
    const line = `node "$PROGRAM" train ${flags} --run interrupted --steps 1000000 > out.txt 2> err.txt & pid=$!
      until grep -q '^step 1/' out.txt 2> /dev/null; do sleep 0.05; done; kill -INT $pid; wait $pid`;
    const { code } = await shell(here, line);
    expect(code).toBe(130);
    const out = readFileSync(join(here, "out.txt"), "utf8");
    expect(linesOf(out).at(-1)).toMatch(
      /^stopped at step (\d+) after .*, saved\. Go on with: softbox train --resume interrupted$/,
    );
    expect(readFileSync(join(here, "err.txt"), "utf8")).toBe(
      "stopping after this step, saving (again to stop at once)\n",
    );
    const step = Number(/stopped at step (\d+)/.exec(out)![1]);
    const more = await good("train", "--resume", "interrupted", "--steps", String(step + 3));
    expect(more).toContain(`resuming at step ${step} of ${step + 3}`);
  });

  test("a run that is resumed in parts is, byte for byte, the run that was not", async () => {
    await good("train", ...tinyFlags, ...every, "--run", "whole", "--steps", "24", "--dropout", "0.2");
    await good("train", ...tinyFlags, ...every, "--run", "parts", "--steps", "13", "--dropout", "0.2");
    await good("train", "--resume", "parts", "--steps", "24");
    for (const file of [
      ...["model.safetensors", "optimizer.safetensors", "state.json"].map((name) => `step-000024/${name}`),
      ...["metrics.jsonl", "probes.jsonl", "samples.jsonl", "config.json"],
    ])
      expect(readFileSync(join(here, "parts", file)).equals(readFileSync(join(here, "whole", file))), file).toBe(true);
  });

  test("prompts that the text cannot spell are left out before training, aloud", async () => {
    writeFileSync(join(here, "digits.txt"), "0123456789 ".repeat(500));
    const args = [...tinyFlags, "--corpus", "digits.txt", "--run", "digits", "--steps", "2"];
    const { code, out, err } = await softbox(here, ["train", ...args]);
    expect(code).toBe(0);
    expect(out).toContain("trained to step 2");
    expect(err).toMatchInlineSnapshot(`
      "probe "the " is left out: text: every character must be one of the 11 that the char tokenizer knows, got "t" (U+0074) at line 1, column 1
      sample prompt "\\n" is left out: text: every character must be one of the 11 that the char tokenizer knows, got "␤" (U+000A) at line 1, column 1
      "
    `);
  });

  test("a run without a validation split trains, and evaluates nothing", async () => {
    const splits = ["--set", "splits.train=1", "--set", "splits.validation=0"];
    const out = await good("train", ...tinyFlags, ...splits, "--run", "no-validation", "--steps", "3");
    expect(out).toContain("0 to validate on");
    expect(out).not.toContain("NaN");
  });

  test("a recipe may be a file of one's own", async () => {
    const recipe = { corpus: "text.txt", tokenizer: "byte", model: { kind: "transformer", layers: 1, embedSize: 8 } };
    writeFileSync(join(here, "mine.json"), JSON.stringify({ ...recipe, training: { steps: 2, batchSize: 2 } }));
    const out = await good("train", "--recipe", "mine.json");
    expect(out).toContain("vocabulary 256 (byte)");
    expect(out).toContain("saved in checkpoints/mine");
    rmSync(join(here, "checkpoints/mine"), { recursive: true }); // the newest run here stays the small one
  });
});

describe("generate", () => {
  test("writes the prompt and what follows, and nothing else", async () => {
    const out = await good("generate", "checkpoints/small", "--prompt", "the whale", "--tokens", "30");
    expect(out.startsWith("the whale")).toBe(true);
    expect([...out]).toHaveLength("the whale".length + 30 + 1); // a token is a character, and a line end
  });

  test("without a run it takes the newest under checkpoints/, without a prompt the recipe's", async () => {
    expect(await good("generate", "--tokens", "10")).toBe(
      await good("generate", "checkpoints/small", "--tokens", "10", "--prompt", "\n"),
    );
  });

  test("the seed fixes the text, and the text is that of --json", async () => {
    const args = ["generate", "checkpoints/small", "--prompt", "a", "--tokens", "25", "--seed"];
    const [text, other] = [await good(...args, "0"), await good(...args, "3")];
    expect(text).not.toBe(other);
    const tokens = tokensOf(await good(...args, "0", "--json"));
    expect(`a${tokens.map((token) => token.text).join("")}\n`).toBe(text);
  });

  test("with --json each token brings the distribution that it was drawn from", async () => {
    const args = ["generate", "checkpoints/small", "--tokens", "5", "--json", "--top", "4", "--top-k", "3"];
    const tokens = tokensOf(await good(...args));
    expect(tokens.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4]);
    for (const { id, probability, candidates, entropy, finalEntropy } of tokens) {
      expect(candidates).toHaveLength(4);
      expect(candidates.map(({ kept }) => kept)).toEqual([true, true, true, false]);
      expect(candidates.reduce((sum, { final }) => sum + final, 0)).toBeCloseTo(1, 12);
      expect(candidates.find((candidate) => candidate.id === id)!.final).toBe(probability);
      expect(finalEntropy).toBeLessThan(entropy);
    }
  });

  test("at temperature 0 every token is the likeliest", async () => {
    for (const run of ["checkpoints/small", "mixture"]) {
      const tokens = tokensOf(await good("generate", run, "--tokens", "10", "--json", "--temperature", "0"));
      for (const { id, candidates } of tokens) expect(candidates[0]!.id).toBe(id);
    }
  });

  test("a mixture tells its weights", async () => {
    const [token] = tokensOf(await good("generate", "mixture", "--tokens", "1", "--json"));
    expect(token!.mixture).toHaveLength(3);
    expect(token!.mixture!.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  test("earlier checkpoints can be named", async () => {
    const text = (step: string): Promise<string> => good("generate", "checkpoints/small", "--step", step);
    const [latest, best, tenth] = [await text("latest"), await text("best"), await text("10")];
    expect(best).toBe(latest);
    expect(tenth).not.toBe(latest);
  });

  test("a prompt longer than the context is told", async () => {
    const long = ["--prompt", "the whale and the sea and the wind", "--tokens", "1"];
    const { code, err } = await softbox(here, ["generate", "checkpoints/small", ...long]);
    expect([code, err]).toEqual([0, "the prompt is longer than the context of 16 tokens: only its end is seen\n"]);
  });
});

describe("eval", () => {
  test("gives loss, perplexity and bits per byte, the same as training's own at that step", async () => {
    const out = await good("eval", "checkpoints/small");
    const result = json(await good("eval", "checkpoints/small", "--json"));
    expect(out).toBe(
      `checkpoints/small, step 20, on text.txt, validation split: 1,193 tokens
loss           ${(result.nats as number).toFixed(4)} nats per token
perplexity     ${(result.perplexity as number).toFixed(2)}
bits per byte  ${(result.bitsPerByte as number).toFixed(4)}
`.replace("1,193", (result.tokens as number).toLocaleString("en-US")),
    );
    const metrics = linesOf(readFileSync(join(here, "checkpoints/small/metrics.jsonl"), "utf8")).map(json);
    expect(metrics.at(-1)).toMatchObject({ type: "evaluation", step: 20 });
    // Both passes take the same windows in the same batches, so it is the same number.
    expect(result.nats).toBe(metrics.at(-1)!.nats);
  });

  test("predicts any text, whole or a part of its tokens", async () => {
    writeFileSync(join(here, "other.txt"), "the old white whale sails and the sea sails in the wind");
    const whole = json(await good("eval", "checkpoints/small", "--on", "other.txt", "--json"));
    expect(whole).toMatchObject({ text: "other.txt", tokens: 54 });
    const part = json(await good("eval", "checkpoints/small", "--on", "other.txt", "--max-tokens", "20", "--json"));
    expect(part.tokens).toBe(16);
  });
});

describe("corpus", () => {
  test("list names the corpora", async () => {
    expect(await good("corpus", "list")).toMatchInlineSnapshot(`
      "grammar     Plain English sentences written by a small grammar whose exact entropy is known (MIT, generated by softbox)
      moby-dick   Herman Melville, Moby Dick (1851): etymology, extracts, 135 chapters and the epilogue (CC0-1.0)
      modes       A chain of 60 characters whose next-character log-probabilities have rank 33: a test of the softmax bottleneck (MIT, generated by softbox)
      sotu        The State of the Union: 233 addresses by Presidents of the United States, 1790 to 2021 (CC0-1.0)
      "
    `);
    expect((JSON.parse(await good("corpus", "list", "--json")) as { name: string }[]).map(({ name }) => name)).toEqual([
      "grammar",
      "moby-dick",
      "modes",
      "sotu",
    ]);
  });

  test("stats counts a text", async () => {
    writeFileSync(join(here, "few.txt"), "the whale, the sea\n");
    expect(await good("corpus", "stats", "few.txt", "--tokenizer", "char")).toMatchInlineSnapshot(`
      "few.txt
      characters              19
      bytes                   19
      lines                   1
      documents               1
      tokens                  19
      vocab size              10
      vocabulary used         10
      bytes per token         1
      unigram nats per token  2.1597
      unigram bits per byte   3.1158
      most frequent           e 4  · 3  h 3  a 2  t 2  ␤ 1  , 1  l 1  s 1  w 1
      "
    `);
    expect(json(await good("corpus", "stats", "few.txt", "--tokenizer", "byte", "--json"))).toMatchObject({
      characters: 19,
      tokens: 19,
    });
  });

  test("prepare encodes a text, and keeps the ids", async () => {
    const out = await good("corpus", "prepare", "text.txt", "--tokenizer", "byte");
    expect(out).toMatch(/^text.txt: vocabulary 256 \(byte\), tokens: train [\d,]+, validation \d+, calibration \d+\n$/);
    expect(readdirSync(join(here, "cache")).length).toBeGreaterThan(0);
  });
});

test("doctor names every engine, measures those that are usable, and says which is chosen", async () => {
  const report = JSON.parse(await good("doctor", "--json")) as {
    chosen: string;
    engines: { name: string; inspection: { usable: boolean; reason?: string; hint?: string }; gigaflops?: number }[];
  };
  expect(report.engines.map(({ name }) => name)).toEqual(expect.arrayContaining(["native", "cpu"]));
  for (const { inspection, gigaflops } of report.engines)
    if (inspection.usable) expect(gigaflops).toBeGreaterThan(0);
    else expect([inspection.reason, inspection.hint]).toEqual([expect.any(String), expect.any(String)]);
  expect(report.engines.map(({ name }) => name)).toContain(report.chosen);
  const text = await good("doctor", "--engine", "cpu");
  expect(text).toContain("chosen by cpu: cpu (plain JavaScript)\n");
  expect(text).not.toContain("undefined");
});

describe("start", () => {
  /** A folder in which `checkpoints/moby` is a small run of 20 steps. */
  function folderWithRun(name: string): string {
    const folder = join(here, name);
    cpSync(join(here, "checkpoints/small"), join(folder, "checkpoints/moby"), { recursive: true });
    return folder;
  }

  test("where the run is finished it writes text, and says what to do next", async () => {
    const { code, out, err } = await softbox(folderWithRun("finished"), ["start"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("checkpoints/moby is trained already.\n");
    expect(out).toMatch(/\nWritten by the model, from "\\n" on:\n\n[\s\S]{120,}\n\nNext: {2}npx softbox play/);
    expect(out).toContain("npx softbox train --resume checkpoints/moby --steps 40\n");
    expect(out).not.toContain("\u001b");
  });

  test("where it was interrupted it goes on, and then writes", async () => {
    const folder = folderWithRun("begun");
    rmSync(join(folder, "checkpoints/moby/step-000020"), { recursive: true });
    const { code, out, err } = await softbox(folder, ["start"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("training: resuming at step 10 of 20");
    expect(out).toContain("trained to step 20 in ");
    expect(out).toContain("Written by the model");
  });

  test("--fresh removes what was there, and trains on Moby Dick", async () => {
    const folder = folderWithRun("fresh");
    const line = `node "$PROGRAM" start --fresh > out.txt 2>&1 & pid=$!
      until grep -q '^step 1/' out.txt 2> /dev/null; do sleep 0.05; done; kill -INT $pid; wait $pid`;
    const { code } = await shell(folder, line);
    const out = readFileSync(join(folder, "out.txt"), "utf8");
    expect(code).toBe(130);
    expect(out).toContain("corpus: moby-dick");
    expect(linesOf(out).at(-1)).toBe("npm start goes on with it as well.");
    expect(existsSync(join(folder, "checkpoints/moby/step-000020"))).toBe(false);
  });
});

describe("play in a pipe", () => {
  test.each(["checkpoints/small", "mixture"])(
    "prints plain lines whose numbers are those of generate --json: %s",
    async (run) => {
      const flags = ["--prompt", "the wh", "--temperature", "0.7", "--top-k", "5", "--seed", "4"];
      const out = await good("play", run, ...flags);
      const tokens = tokensOf(await good("generate", run, ...flags, "--json", "--tokens", "64"));
      expect(out).not.toContain("\u001b");
      expect(out).toContain('prompt: "the wh" (6 tokens)\n');
      const rows = linesOf(out).flatMap((line) => {
        const [, rank, final, raw] = /^ +(\d+) {2}(\S+) +(\d\.\d{4}) {2}\S/.exec(line) ?? [];
        return rank ? [{ rank: Number(rank), final, raw }] : [];
      });
      const [first] = tokens;
      expect(rows).toEqual(
        first!.candidates.slice(0, rows.length).map(({ raw, final, kept }, i) => ({
          rank: i + 1,
          final: kept ? final.toFixed(4) : "cut",
          raw: raw.toFixed(4),
        })),
      );
      expect(rows.length).toBeGreaterThan(10);
      expect(out).toContain(`entropy: ${first!.finalEntropy.toFixed(2)} nats, raw ${first!.entropy.toFixed(2)}\n`);
      if (first!.mixture) expect(out).toContain(`mixture π: ${first!.mixture.map((x) => x.toFixed(4)).join(" ")}\n`);
      // And the text that follows is the same, token by token.
      expect(out).toContain(`\ntext:\nthe wh${tokens.map(({ text }) => text).join("")}\n`);
    },
  );
});

describe("help", () => {
  test("softbox alone, --help and help are the same page, and exit with 0", async () => {
    const page = await good("--help");
    expect(await good()).toBe(page);
    expect(await good("help")).toBe(page);
    for (const command of ["start", "train", "generate", "play", "eval", "corpus", "doctor"])
      expect(page).toContain(`\n  ${command} `);
  });

  test("softbox train --help names every option, and does nothing", async () => {
    expect(await good("train", "--help")).toMatch(
      /^Usage: softbox train [\s\S]*--resume <folder>[\s\S]*training\.steps/,
    );
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await good("--version")).toBe(`${version}\n`);
  });
});
