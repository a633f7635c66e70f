// GPT-2s that transformers made, in and out: what they made of them stands in the fixture (test/fixtures/gpt2.py).
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { namedVariables } from "../../src/engine/params.ts";
import { exportRun } from "../../src/experiments/exportRun.ts";
import { importRun } from "../../src/experiments/importRun.ts";
import { type LoadedRun, loadRun } from "../../src/experiments/loadRun.ts";
import { openSafetensors } from "../../src/lm/checkpoint/safetensors.ts";
import { collectTensor } from "../../src/lm/checkpoint/tensorSource.ts";
import { parseHead } from "../../src/lm/heads/shortForm.ts";
import { createReader } from "../../src/lm/reader.ts";
import { activate } from "../support/engines.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";
import { readGguf } from "../support/gguf.ts";
import { tinyRun, trainFresh } from "../support/runs.ts";

const fixtures = "test/fixtures/gpt2";
const expected = JSON.parse(readFileSync(join(fixtures, "expected.fixture.json"), "utf8"));
const here = temporaryFolder();
const place = (...names: string[]): string => join(here, ...names);
beforeAll(() => activate("native"));

/** A copy of a fixture, with the tokenizer's files where it has none of its own. */
function copyOf(name: string, as = name): string {
  const folder = place("in", as);
  cpSync(join(fixtures, name), folder, { recursive: true });
  if (!existsSync(join(folder, "vocab.json")))
    cpSync(join(fixtures, "float32/tokenizer.json"), join(folder, "tokenizer.json"));
  return folder;
}

const options = (run: string) => ({ run: place("runs", run), corpus: "moby-dick" });
const quiet = (line: string): void => expect.unreachable(line);

async function withRun<T>(run: string, use: (loaded: LoadedRun) => T | Promise<T>): Promise<T> {
  const loaded = await loadRun(place("runs", run), "latest", quiet);
  try {
    return await use(loaded);
  } finally {
    loaded.dispose();
  }
}

/** Logits of all positions, `[T, V]`: the hidden states times the output table. */
function logitsOf({ model }: LoadedRun, ids: readonly number[]): Float32Array {
  const logits = tf.tidy(() => {
    const hidden = model.hidden(tf.tensor2d([...ids], [1, ids.length], "int32"));
    return tf.matMul(hidden, model.params.output.table ?? model.params.trunk.tokenEmbedding, false, true).dataSync();
  });
  return logits as Float32Array;
}

async function greedy({ model }: LoadedRun, prompt: readonly number[], count: number): Promise<number[]> {
  const reader = createReader(model);
  const text = [...prompt];
  for (let i = 0; i < count; i++) {
    const { logProbs } = await reader.next(text);
    text.push(logProbs.indexOf(Math.max(...logProbs)));
  }
  reader.dispose();
  return text.slice(prompt.length);
}

describe.each(["float32", "float16", "sharded", "untied"])("%s, as transformers wrote it", (name) => {
  const { ids, logProbs, lastLogits, greedy: likeliest } = expected[name];
  beforeAll(() => importRun(copyOf(name), options(name)));

  test("has their logits and losses, to 1e-4", async () => {
    await withRun(name, (run) => {
      const logits = logitsOf(run, ids);
      const V = run.tokenizer.vocabSize;
      const rows = ids.map((_: number, t: number) => Array.from(logits.subarray(t * V, (t + 1) * V)));
      const differences = rows.at(-1).map((value: number, id: number) => Math.abs(value - lastLogits[id]));
      expect(Math.max(...differences)).toBeLessThan(1e-4); // float32 over two layers, rounded to 1e-6
      for (const [t, row] of rows.slice(0, -1).entries()) {
        const logSum = Math.log(row.reduce((sum: number, z: number) => sum + Math.exp(z), 0));
        expect(row[ids[t + 1]] - logSum).toBeCloseTo(logProbs[t], 4);
      }
    });
  });

  test("writes the tokens that they write at temperature 0, with a cache", async () => {
    await withRun(name, async (run) => {
      expect(await greedy(run, ids.slice(0, 8), likeliest.length)).toEqual(likeliest);
    });
  });

  test("has their tokenizer's ids, and gives texts back", async () => {
    await withRun(name, ({ tokenizer }) => {
      expect([tokenizer.kind, tokenizer.vocabSize]).toEqual(["bpe", 304]); // five ids have no token
      for (const { text, ids: theirs } of expected.texts) {
        expect([...tokenizer.encode(text, { special: true })], text).toEqual(theirs);
        expect(tokenizer.decode(theirs)).toBe(text);
      }
      expect(tokenizer.encode("<|endoftext|>")).not.toContain(0); // plain text never means it
      expect(tokenizer.decode([303])).toBe("<|unused-303|>");
    });
  });

  test("comes back bit by bit from a folder that was exported", async () => {
    const out = place(`${name}-hf`);
    await exportRun(place("runs", name), { format: "hf", out, type: "float32", step: "latest", onWarning: quiet });
    await importRun(out, options(`${name}-again`));
    for (const file of ["step-000000/model.safetensors", "tokenizer.json"])
      expect(readFileSync(place("runs", `${name}-again`, file))).toEqual(readFileSync(place("runs", name, file)));
  });

  test("as GGUF has every tensor under llama.cpp's name, kernels turned, each at a multiple of 32 bytes", async () => {
    const out = place(`${name}.gguf`);
    await exportRun(place("runs", name), { format: "gguf", out, type: "float32", step: "latest", onWarning: quiet });
    const { values, tensors, data } = readGguf(readFileSync(out));
    expect(values).toMatchObject({
      "general.architecture": "gpt2",
      "gpt2.context_length": 48,
      "gpt2.embedding_length": 16,
      "gpt2.feed_forward_length": 64,
      "gpt2.block_count": 2,
      "gpt2.attention.head_count": 2,
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.eos_token_id": 0,
    });
    expect(values["gpt2.attention.layer_norm_epsilon"]).toBeCloseTo(1e-5, 12);
    expect((values["tokenizer.ggml.tokens"] as string[])[259]).toBe("the");
    expect((values["tokenizer.ggml.token_type"] as number[]).slice(0, 2)).toEqual([3, 1]);
    const numbers = (tensor: string): number[] => {
      const { axes, offset, type } = tensors[tensor]!;
      expect([offset % 32, type]).toEqual([0, 0]);
      const count = axes.reduce((a, b) => a * b, 1);
      return Array.from({ length: count }, (_, i) => data.readFloatLE(offset + 4 * i));
    };
    await withRun(name, ({ model }) => {
      const variables = namedVariables(model.params);
      const kernel = variables.get("trunk.blocks.1.feedForward.expand.kernel")!;
      expect(tensors["blk.1.ffn_up.weight"]!.axes).toEqual([16, 64]);
      expect(numbers("blk.1.ffn_up.weight")).toEqual([...tf.tidy(() => tf.transpose(kernel).dataSync())]);
      expect(numbers("token_embd.weight")).toEqual([...variables.get("trunk.tokenEmbedding")!.dataSync()]);
      expect(numbers("output_norm.bias")).toEqual([...variables.get("trunk.finalNorm.bias")!.dataSync()]);
    });
    expect(Object.keys(tensors)).toHaveLength(name === "untied" ? 29 : 28);
    expect("output.weight" in tensors).toBe(name === "untied");
  });
});

describe.each(["float16", "bfloat16"] as const)("exported as %s", (type) => {
  test("a model that was stored so comes back bit by bit", async () => {
    const source = type === "float16" ? "float16" : "sharded";
    await importRun(copyOf(source, `${source}-2`), options(`${source}-2`));
    const out = place(`as-${type}`);
    await exportRun(place("runs", `${source}-2`), { format: "hf", out, type, step: "best", onWarning: quiet });
    const [theirs, ours] = [
      join(out, "model.safetensors"),
      place("runs", `${source}-2`, "step-000000/model.safetensors"),
    ];
    const [exported, stored] = [await openSafetensors(theirs), await openSafetensors(ours)];
    const name = "transformer.h.1.mlp.c_fc.weight";
    expect(exported.tensors.get(name)!.type).toBe(type === "float16" ? "F16" : "BF16");
    expect(await collectTensor(exported.tensors.get(name)!)).toEqual(
      await collectTensor(stored.tensors.get("trunk.blocks.1.feedForward.expand.kernel")!),
    );
    for (const { close } of [exported, stored]) await close();
  });

  test("as GGUF it has narrow matrices; vectors and positions stay float32", async () => {
    const out = place(`narrow-${type}.gguf`);
    await exportRun(place("runs", "float32"), { format: "gguf", out, type, step: "latest", onWarning: quiet });
    const { tensors } = readGguf(readFileSync(out));
    const narrow = type === "float16" ? 1 : 30;
    expect(tensors["token_embd.weight"]!.type).toBe(narrow);
    expect(tensors["blk.0.attn_qkv.weight"]!.type).toBe(narrow);
    expect(tensors["position_embd.weight"]!.type).toBe(0);
    expect(tensors["blk.0.attn_qkv.bias"]!.type).toBe(0);
  });
});

/** Refuses with a message, leaving no run behind. */
async function expectRefused(folder: string, message: string | RegExp, run = "refused"): Promise<void> {
  await expect(importRun(folder, options(run))).rejects.toMatchObject({
    name: "SandboxError",
    message: expect.stringMatching(message) as string,
    hint: expect.any(String) as string,
  });
  expect(existsSync(place("runs", run))).toBe(false);
}

describe("an import is refused", () => {
  const change = (file: string, edit: (content: Record<string, never>) => object): string => {
    const folder = copyOf("sharded", `changed-${readdirSync(place("in")).length}`);
    if (file.startsWith("tokenizer")) cpSync(join(fixtures, "float32/tokenizer.json"), join(folder, "tokenizer.json"));
    const path = join(folder, file);
    writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, "utf8")))));
    return folder;
  };

  test.each<[string, object, string]>([
    ["another architecture", { model_type: "llama" }, "expected a model of type gpt2, got llama"],
    [
      "another activation",
      { activation_function: "relu" },
      "activation_function: must be gelu_new.*relu is not supported",
    ],
    ["exact GELU", { activation_function: "gelu" }, "activation_function: must be gelu_new"],
    ["another epsilon", { layer_norm_epsilon: 1e-6 }, "layer_norm_epsilon: must be 0.00001"],
    ["another inner width", { n_inner: 60 }, "n_inner: must be 4 × n_embd"],
    ["attention that is not scaled", { scale_attn_weights: false }, "scale_attn_weights: must be true"],
    [
      "attention scaled by layer",
      { scale_attn_by_inverse_layer_idx: true },
      "scale_attn_by_inverse_layer_idx: must be false",
    ],
    ["cross-attention", { add_cross_attention: true }, "add_cross_attention: must be false"],
    ["quantised weights", { quantization_config: { bits: 4 } }, "quantization_config: must be null"],
    ["heads that do not divide", { n_head: 3 }, "n_head: must divide n_embd"],
    ["a size below 1", { n_layer: 0 }, "n_layer"],
    ["more layers than there are", { n_layer: 3 }, "lacks tensor h.2.ln_1.weight"],
    ["fewer layers than there are", { n_layer: 1 }, "tensors that no GPT-2 has: h.1.attn.c_attn.bias"],
    [
      "another context",
      { n_positions: 47 },
      "tensor wpe.weight has shape \\[48,16\\], config.json asks for \\[47,16\\]",
    ],
    ["an output table that is not there", { tie_word_embeddings: false }, "lacks tensor lm_head.weight"],
  ])("for %s", async (_, changes, message) => {
    await expectRefused(
      change("config.json", (config) => ({ ...config, ...changes })),
      message,
    );
  });

  test("for shards that are not as the index says", async () => {
    const index = "model.safetensors.index.json";
    const wrong = (weight_map: object) => change(index, (content) => ({ ...content, weight_map }));
    const shard = "model-00001-of-00003.safetensors";
    await expectRefused(wrong({ "transformer.wte.weight": "../config.json" }), "must be a plain file name");
    await expectRefused(
      wrong({ "transformer.wte.weight": "gone.safetensors" }),
      "gone.safetensors: there is no such file",
    );
    await expectRefused(wrong({ nowhere: shard }), `${shard}: lacks tensor nowhere`);
    await expectRefused(wrong({}), "lacks tensor wte.weight");
    const twice = copyOf("sharded", "twice");
    cpSync(join(twice, shard), join(twice, "copy.safetensors"));
    const path = join(twice, index);
    const content = JSON.parse(readFileSync(path, "utf8"));
    const name = Object.keys(content.weight_map).find((key) => content.weight_map[key] === shard)!;
    writeFileSync(path, JSON.stringify({ weight_map: { ...content.weight_map, more: "copy.safetensors" } }));
    await expectRefused(twice, "lacks tensor more");
    writeFileSync(path, JSON.stringify({ weight_map: { ...content.weight_map, [name]: "copy.safetensors" } }));
    await expectRefused(twice, "it holds tensor .* twice");
  });

  test("for files that are missing, damaged or a pickle", async () => {
    const folder = copyOf("float32", "broken");
    const weights = join(folder, "model.safetensors");
    writeFileSync(weights, readFileSync(weights).subarray(0, 9000));
    await expectRefused(folder, "ends behind the end of the file");
    rmSync(weights);
    await expectRefused(folder, "it has neither model.safetensors nor");
    writeFileSync(join(folder, "pytorch_model.bin"), "");
    await expect(importRun(folder, options("refused"))).rejects.toMatchObject({
      hint: expect.stringContaining("pickle"),
    });
    writeFileSync(join(folder, "config.json"), "{");
    await expectRefused(folder, "config.json: expected JSON");
    await expectRefused(place("nowhere"), "config.json: there is no such file");
  });

  test.each<[string, object, string]>([
    [
      "of another kind",
      { model: { type: "Unigram", vocab: {}, merges: [] } },
      'model.type: expected BPE, got "Unigram"',
    ],
    ["that changes text first", { normalizer: { type: "NFC" } }, "normalizer: is not supported"],
    [
      "that cuts otherwise",
      { pre_tokenizer: { type: "Whitespace" } },
      'pre_tokenizer.type: expected ByteLevel, got "Whitespace"',
    ],
    [
      "that puts a space first",
      { pre_tokenizer: { type: "ByteLevel", add_prefix_space: true } },
      "add_prefix_space: is not",
    ],
    ["without a token", { model: { type: "BPE", vocab: { a: 1 }, merges: [] } }, "it has no token"],
    ["with huge ids", { model: { type: "BPE", vocab: { a: 1e9 }, merges: [] } }, "at most 65536 tokens are supported"],
    ["with two tokens for an id", { added_tokens: [{ id: 5, content: "five" }] }, "both have the id 5"],
    [
      "larger than the model",
      { added_tokens: Array.from({ length: 6 }, (_, i) => ({ id: 299 + i, content: `<${i}>` })) },
      "has 305 tokens, its model 304",
    ],
  ])("for a tokenizer %s", async (_, changes, message) => {
    await expectRefused(
      change("tokenizer.json", (content) => ({ ...content, ...changes })),
      message,
    );
  });

  test("for a folder without a tokenizer, unless one that fits is named", async () => {
    const folder = copyOf("sharded", "bare");
    rmSync(join(folder, "vocab.json"));
    await expectRefused(folder, "it has neither tokenizer.json nor vocab.json with merges.txt");
    await expect(importRun(folder, { ...options("refused"), tokenizer: "gpt2" })).rejects.toThrow(
      "gpt2 has 50257 tokens, the model has 304",
    );
  });

  test("where there is a run already", async () => {
    await importRun(copyOf("float32", "first"), options("first"));
    await expect(importRun(copyOf("float32", "first"), options("first"))).rejects.toThrow("there is one already");
  });
});

test("a scale of the features goes into the last norm: the same distribution comes back", async () => {
  mkdirSync(here, { recursive: true });
  const config = tinyRun(writeSmallText(here), "softmax", { steps: 3, evaluateEvery: 0 });
  await trainFresh(
    { ...config, tokenizer: "byte", model: { ...config.model, output: { scale: 4 } } as never },
    place("runs", "scaled"),
  );
  const out = place("scaled-hf");
  await exportRun(place("runs", "scaled"), { format: "hf", out, type: "float32", step: "latest", onWarning: quiet });
  await importRun(out, options("scaled-again"));
  const last = (name: string): Promise<number[]> =>
    withRun(name, async ({ model }) => [...(await model.next([104, 101, 108])).logProbs]);
  const [before, after] = [await last("scaled"), await last("scaled-again")];
  for (const [id, value] of before.entries()) expect(after[id]).toBeCloseTo(value, 5);
  expect(Math.max(...before) - Math.min(...before)).toBeGreaterThan(0.1); // a distribution that a wrong scale would change
});

describe("an export is refused", () => {
  const exporting = (run: string, out: string) =>
    exportRun(run, { format: "hf", out, type: "float32", step: "latest", onWarning: quiet });

  test.each<[string, object, RegExp]>([
    ["RMS norm", { norm: "rms" }, /model.norm must be "layer", got "rms"/],
    ["a mixture", { head: parseHead("mos:2") }, /model.head.kind must be "softmax", got "mos"/],
    [
      "rotary positions and SwiGLU",
      { positions: "rotary", feedForward: "swiglu" },
      /positions must be.*\n.*feedForward must be/,
    ],
    [
      "an output bias and a cap",
      { output: { bias: true, softcap: 30 } },
      /output.bias must be false.*\n.*output.softcap must be 0/,
    ],
  ])("for %s", async (_, changes, message) => {
    mkdirSync(here, { recursive: true });
    const config = tinyRun(writeSmallText(here), "softmax", { steps: 1, evaluateEvery: 0 });
    const run = place("runs", `no-gpt2-${readdirSync(place("runs")).length}`);
    await trainFresh({ ...config, tokenizer: "byte", model: { ...config.model, ...changes } as never }, run);
    await expect(exporting(run, place("never"))).rejects.toMatchObject({
      name: "SandboxError",
      message: expect.stringMatching(message) as string,
    });
    expect(existsSync(place("never"))).toBe(false);
  });

  test("for a tokenizer that nobody else has; bytes alone are fine", async () => {
    const config = tinyRun(writeSmallText(here), "softmax", { steps: 1, evaluateEvery: 0 });
    await trainFresh(config, place("runs/chars"));
    await expect(exporting(place("runs/chars"), place("never"))).rejects.toThrow("its tokenizer, char, has no form");
    await trainFresh({ ...config, tokenizer: "byte" }, place("runs/bytes"));
    await exporting(place("runs/bytes"), place("bytes-hf"));
    expect((await importRun(place("bytes-hf"), options("bytes-again"))).tokenizer).toBe("byte");
  });

  test("for a place that is taken", async () => {
    await expect(exporting(place("runs/float32"), here)).rejects.toThrow("there is something of this name already");
  });
});
