/** @file The tensors of a Hugging Face folder: in one safetensors file, or in shards that an index names. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../engine/errors.ts";
import { describeIssues } from "../engine/issues.ts";
import { openSafetensors, type SafetensorsFile, type StoredTensor } from "../lm/checkpoint/safetensors.ts";
import type { TensorSources } from "../lm/checkpoint/tensorSource.ts";
import type { TransformerConfig } from "../lm/config.ts";
import { gpt2Tensors } from "./gpt2Tensors.ts";
import { readJsonFile } from "./jsonFile.ts";

const single = "model.safetensors";
const indexName = "model.safetensors.index.json";

const plainName = z.string().refine((name) => name === basename(name), "must be a plain file name");
const Index = z.looseObject({ weight_map: z.record(z.string(), plainName) });

/** Causal masks that some versions of transformers stored beside the weights. */
const mask = /^h\.\d+\.attn\.(bias|masked_bias)$/;

/** A folder's tensors, not read yet; whoever opened them closes them. */
export interface OpenTensors {
  readonly tensors: TensorSources;
  close(): Promise<void>;
}

/**
 * Opens the tensors of a GPT-2, by our names. Data are read when they are asked for.
 *
 * @throws {SandboxError} if a file is missing or damaged, an index and its shards disagree, or names or shapes are not
 * those of the configuration.
 */
export async function openGpt2Tensors(folder: string, config: TransformerConfig): Promise<OpenTensors> {
  const files = await openFiles(folder);
  try {
    return { tensors: chooseTensors(folder, gather(folder, files), config), close: () => closeAll(files) };
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

type Files = ReadonlyMap<string, SafetensorsFile>;

async function openFiles(folder: string): Promise<Files> {
  if (existsSync(join(folder, single))) return openEach(folder, [single]);
  const indexPath = join(folder, indexName);
  if (!existsSync(indexPath))
    throw new SandboxError(
      `${folder}: it has neither ${single} nor ${indexName}`,
      existsSync(join(folder, "pytorch_model.bin"))
        ? "pytorch_model.bin is a Python pickle, which may run programs: save the model again with safe_serialization=True."
        : "Name a folder that transformers' save_pretrained wrote.",
    );
  const raw = await readJsonFile(indexPath);
  const index = Index.safeParse(raw);
  if (!index.success)
    throw new SandboxError(`${indexPath}:\n${describeIssues(index.error, raw)}`, "Fetch the file again.");
  const places = Object.entries(index.data.weight_map);
  const files = await openEach(folder, [...new Set(places.map(([, file]) => file))]);
  const wrong = places.find(([name, file]) => !files.get(file)!.tensors.has(name));
  if (!wrong) return files;
  await closeAll(files);
  throw new SandboxError(
    `${join(folder, wrong[1])}: lacks tensor ${wrong[0]}, which the index puts there`,
    "Fetch the files again.",
  );
}

async function closeAll(files: Files): Promise<void> {
  for (const { close } of files.values()) await close();
}

async function openEach(folder: string, names: readonly string[]): Promise<Files> {
  const files = new Map<string, SafetensorsFile>();
  try {
    for (const name of names) files.set(name, await openSafetensors(join(folder, name)));
    return files;
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

/** All tensors by their names without the prefix that only some folders have. */
function gather(folder: string, files: Files): Map<string, StoredTensor> {
  const all = new Map<string, StoredTensor>();
  for (const { tensors } of files.values())
    for (const [name, tensor] of tensors) {
      const short = name.replace(/^transformer\./, "");
      if (all.has(short)) throw new SandboxError(`${folder}: it holds tensor ${short} twice`, "Fetch the files again.");
      all.set(short, tensor);
    }
  return all;
}

function chooseTensors(folder: string, all: Map<string, StoredTensor>, config: TransformerConfig): TensorSources {
  const hint = "config.json and the tensors must belong to one model.";
  const chosen = new Map<string, StoredTensor>();
  for (const { ours, huggingFace, shape } of gpt2Tensors(config)) {
    const name = huggingFace.replace(/^transformer\./, "");
    const tensor = all.get(name);
    if (!tensor) throw new SandboxError(`${folder}: lacks tensor ${name}`, hint);
    if (String(tensor.shape) !== String(shape))
      throw new SandboxError(
        `${folder}: tensor ${name} has shape [${tensor.shape}], config.json asks for [${shape}]`,
        hint,
      );
    chosen.set(ours, tensor);
    all.delete(name);
  }
  const ignored = (name: string): boolean => mask.test(name) || (config.output.tied && name === "lm_head.weight");
  const unknown = [...all.keys()].filter((name) => !ignored(name));
  if (unknown.length > 0)
    throw new SandboxError(`${folder}: tensors that no GPT-2 has: ${unknown.slice(0, 5).join(", ")}`, hint);
  return chosen;
}
