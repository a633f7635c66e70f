// A run that starts from another's model: its parameters, its tokenizer, its form; and the commands end to end.
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { RunConfig } from "../../src/experiments/config.ts";
import { exportRun } from "../../src/experiments/exportRun.ts";
import { importRun } from "../../src/experiments/importRun.ts";
import { readRunConfig } from "../../src/experiments/runFolder.ts";
import { runTraining } from "../../src/experiments/runTraining.ts";
import { resumeRun, type Session, startRun } from "../../src/experiments/session.ts";
import { openSafetensors } from "../../src/lm/checkpoint/safetensors.ts";
import { collectTensor } from "../../src/lm/checkpoint/tensorSource.ts";
import { softbox } from "../support/cli.ts";
import { activate } from "../support/engines.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();
const gpt2 = join(here, "checkpoints/gpt2");
const text = writeSmallText(here);
const engine = { engine: "test", onWarning: (line: string) => expect.unreachable(line) };

beforeAll(async () => {
  process.env.SOFTBOX_CACHE = join(here, "cache");
  await activate("native");
  await importRun("test/fixtures/gpt2/float32", { run: gpt2, corpus: text });
});

/** The imported run's configuration with a shorter context, for a few steps. */
function tuning(steps: number): RunConfig {
  const { model, training, ...rest } = readRunConfig(gpt2);
  const quick = { steps, batchSize: 2, checkpointEvery: 2, evaluateEvery: 0, keepCheckpoints: 9 };
  return { ...rest, model: { ...model, contextLength: 16 }, training: { ...training, ...quick } };
}

async function finish(session: Session, stopAfter = Number.POSITIVE_INFINITY): Promise<void> {
  const stop = new AbortController();
  for await (const event of runTraining(session, stop.signal)) if (event.step >= stopAfter) stop.abort();
  session.close();
}

async function tensor(file: string, name: string): Promise<Float32Array> {
  const { tensors, close } = await openSafetensors(file);
  return collectTensor(tensors.get(name)!).finally(close);
}

describe("a run from an imported model", () => {
  test("has its parameters as step 0, of the positions as many as its context, and its tokenizer", async () => {
    const folder = join(here, "first");
    const session = await startRun(tuning(1), { folder, from: gpt2, ...engine });
    session.close();
    const [old, fresh] = [gpt2, folder].map((run) => join(run, "step-000000/model.safetensors")) as [string, string];
    const kernel = "trunk.blocks.0.attention.qkv.kernel";
    expect(await tensor(fresh, kernel)).toEqual(await tensor(old, kernel));
    const positions = "trunk.positionEmbedding";
    expect(await tensor(fresh, positions)).toEqual((await tensor(old, positions)).subarray(0, 16 * 16));
    expect(readFileSync(join(folder, "tokenizer.json"))).toEqual(readFileSync(join(gpt2, "tokenizer.json")));
    const { from } = JSON.parse(readFileSync(join(folder, "environment.json"), "utf8"));
    expect(from).toEqual({ run: gpt2, step: 0 });
  });

  test("learns, and stopped at any step goes on exactly as if it had not", async () => {
    const [whole, parts] = [join(here, "whole"), join(here, "parts")];
    await finish(await startRun(tuning(4), { folder: whole, from: gpt2, ...engine }));
    await finish(await startRun(tuning(4), { folder: parts, from: gpt2, ...engine }), 1);
    rmSync(join(parts, "step-000001"), { recursive: true }); // nothing is left but its beginning
    await finish(await resumeRun({ folder: parts, ...engine }));
    for (const file of ["step-000004/model.safetensors", "step-000004/optimizer.safetensors", "metrics.jsonl"])
      expect(readFileSync(join(parts, file)).equals(readFileSync(join(whole, file))), file).toBe(true);
    const bias = "trunk.finalNorm.bias";
    const after = await tensor(join(whole, "step-000004/model.safetensors"), bias);
    expect(after).not.toEqual(await tensor(join(whole, "step-000000/model.safetensors"), bias));
  });

  test("is exported with its shorter context", async () => {
    const out = join(here, "whole-hf");
    await exportRun(join(here, "whole"), {
      format: "hf",
      out,
      type: "float32",
      step: "latest",
      onWarning: engine.onWarning,
    });
    expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8"))).toMatchObject({ n_positions: 16, n_layer: 2 });
  });
});

test("an imported run itself has no training to go on with", async () => {
  await expect(resumeRun({ folder: gpt2, ...engine })).rejects.toMatchObject({
    message: expect.stringContaining("its model was imported") as string,
    hint: `Start a run from it: softbox train --from ${gpt2}.`,
  });
});

test("a model whose weights are damaged gives no run", async () => {
  const broken = join(here, "broken");
  cpSync(gpt2, broken, { recursive: true });
  rmSync(join(broken, "step-000000/model.safetensors"));
  const folder = join(here, "never");
  await expect(startRun(tuning(1), { folder, from: broken, ...engine })).rejects.toThrow(
    "model.safetensors is missing",
  );
  expect(existsSync(join(folder, "config.json"))).toBe(false);
});

describe("by the command line", () => {
  const run = (...args: string[]) => softbox(here, args);
  const good = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await run(...args);
    expect(code, `${args.join(" ")}\n${err}`).toBe(0); // stderr also tells of progress
    return out;
  };
  const fixture = join(process.cwd(), "test/fixtures/gpt2/sharded");

  test("import tells what came, and the run is one for every command", async () => {
    expect(await good("import", fixture, "--corpus", "text.txt")).toBe(
      "12,224 parameters: 2 layers, 2 heads, 16 wide, context 48, 304 tokens (bpe)\nrun: checkpoints/sharded\n",
    );
    const name = "checkpoints/sharded";
    expect(await good("generate", name, "--prompt", "the whale", "--max-tokens", "5")).toContain("the whale");
    expect(JSON.parse(await good("eval", name, "--json")).nats).toBeGreaterThan(1);
    expect(await good("score", name, "--text", "the whale, the whale")).toContain("nats a token");
    expect(await good("calibrate", name, "--max-tokens", "400", "--draws", "20", "--repairs", "temperature")).toContain(
      "ECE",
    );
    expect(await good("bottleneck", name, "--contexts", "40", "--tokens", "20")).toContain("rank");
    const tuned = await good(
      "train",
      "--from",
      name,
      "--steps",
      "2",
      "--context",
      "8",
      "--batch-size",
      "2",
      "--threads",
      "1",
    );
    expect(tuned).toContain("checkpoints/sharded-tuned");
  });

  test("export names the place, and refuses what makes no sense", async () => {
    const where = "checkpoints/gpt2, step 0, as gguf in bfloat16: gpt2.gguf\n";
    expect(await good("export", "checkpoints/gpt2", "--format", "gguf", "--type", "bfloat16")).toBe(where);
    const wrong = async (...args: string[]): Promise<string> => {
      const { code, out, err } = await run(...args);
      expect([code, out]).toEqual([1, ""]);
      return err;
    };
    expect(await wrong("export", "checkpoints/gpt2", "--format", "onnx")).toContain(
      '--format: expected hf, gguf or run, got "onnx"',
    );
    expect(await wrong("export", "checkpoints/gpt2", "--type", "int8")).toContain(
      "--type: expected float32, float16 or bfloat16",
    );
    expect(await wrong("export", "checkpoints/gpt2", "--format", "gguf")).toContain(
      "gpt2.gguf: there is something of this name",
    );
    expect(await wrong("import")).toContain("missing required argument 'folder'");
    expect(await wrong("import", fixture, "--tokenizer", "char")).toContain("--tokenizer: expected gpt2 or byte");
    const from = (...args: string[]) => wrong("train", "--from", "checkpoints/gpt2", "--run", "never", ...args);
    expect(
      await from("--layers", "3", "--tokenizer", "char", "--context", "64"),
    ).toBe(`error: --from: the model of checkpoints/gpt2 has its form already:
  model.layers must stay 2, got 3
  tokenizer must stay bpe, got char
  model.contextLength must be at most 48, got 64
hint: Leave these out; dropout and a shorter context may be chosen.
`);
    expect(await wrong("train", "--resume", "checkpoints/gpt2", "--from", "x")).toContain(
      "--from and --resume do not go together",
    );
  });
});
