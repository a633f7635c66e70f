import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SandboxError } from "../engine/errors.ts";
import { createCorpus, listCorpora, loadCorpus } from "./corpus.ts";
import { createTokenizer } from "./tokenizer.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "softbox-corpus-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

/** What loading says is wrong, with its hint. */
async function complaint(source: string, options?: Parameters<typeof loadCorpus>[1]): Promise<string> {
  const error = await loadCorpus(source, options).then(
    () => "no complaint",
    (reason: unknown) => reason,
  );
  if (!(error instanceof SandboxError)) return `not a SandboxError: ${error}`;
  const where = process.cwd();
  return [error.message, error.hint].join("\n").replaceAll(folder, "<folder>").replaceAll(where, "<here>");
}

test("all manifests are valid and their texts are what they say", async () => {
  const manifests = listCorpora();
  expect(manifests.map(({ name }) => name)).toEqual(["grammar", "moby-dick", "modes", "sotu"]);
  for (const { name, sha256, characters } of manifests) {
    const corpus = await loadCorpus(name);
    expect(corpus.sha256).toBe(sha256);
    expect([...corpus.text].length).toBe(characters);
    expect(corpus.bytes).toBe(Buffer.byteLength(corpus.text));
  }
}, 30_000);

test("Moby Dick comes in the order of the book, documents parted by a blank line", async () => {
  const { text, documents } = await loadCorpus("moby-dick");
  expect(documents).toBe(138);
  const places = ["ETYMOLOGY", "EXTRACTS", "CHAPTER 1.", "CHAPTER 2.", "CHAPTER 10.", "CHAPTER 135.", "Epilogue"].map(
    (title) => (title === "ETYMOLOGY" ? 0 : text.indexOf(`\n\n${title}`)),
  );
  expect(places[0]).toBe(0);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(new Set(places).size).toBe(7);
});

test("a file is one document, kept byte for byte but for a byte-order mark", async () => {
  const content = "Ünïcödé\r\n\ttext \u2028 🐋\n\n";
  const corpus = await loadCorpus(file("plain.txt", `\ufeff${content}`));
  expect(corpus).toMatchObject({ name: "plain.txt", text: content, documents: 1, bytes: Buffer.byteLength(content) });
  expect(corpus.manifest).toBeUndefined();
});

test("a folder gives its .txt and .md files, in natural order, joined by a blank line", async () => {
  file("book/chapter_10.txt", "ten\n");
  file("book/chapter_2.txt", "two");
  file("book/chapter_3.md", "three\n\n");
  file("book/inner/z.TXT", "inner\n");
  file("book/picture.png", Uint8Array.of(0, 1, 2));
  const corpus = await loadCorpus(join(folder, "book"));
  expect(corpus.text).toBe("two\n\nthree\n\nten\n\ninner\n");
  expect(corpus).toMatchObject({ name: "book", documents: 4 });
});

test("a glob gives what it matches", async () => {
  file("globbed/a.text", "a");
  file("globbed/b.text", "b");
  file("globbed/c.other", "c");
  expect((await loadCorpus(join(folder, "globbed/*.text"))).text).toBe("a\n\nb");
});

test("JSON lines give their texts, one document each", async () => {
  const lines = file("docs.jsonl", '{"text":"one","id":1}\r\n\n{"text":"two\\n"}\n{"text":""}\n{"text":"three"}');
  expect(await loadCorpus(lines)).toMatchObject({ text: "one\n\ntwo\n\nthree", documents: 3 });
});

test("what is not there is refused, with the nearest name", async () => {
  expect(await complaint("moby-dik")).toMatchInlineSnapshot(`
    "corpus moby-dik: must be a corpus name (grammar, moby-dick, modes, sotu), a file, a folder or a glob; no such thing here
    Did you mean moby-dick? softbox corpus list shows the corpora at hand."
  `);
  expect(await complaint(join(folder, "nothing"))).toMatchInlineSnapshot(`
    "corpus <folder>/nothing: must be a corpus name (grammar, moby-dick, modes, sotu), a file, a folder or a glob; no such thing here
    softbox corpus list shows the corpora at hand."
  `);
  expect(await complaint(join(folder, "*.nothing"))).toMatchInlineSnapshot(`
    "corpus <folder>/*.nothing: no file matches
    The pattern is read from <here>."
  `);
  expect(await complaint("")).toMatch(/^corpus : must be a corpus name/);
});

test("what holds no text is refused", async () => {
  file("pictures/a.png", Uint8Array.of(1, 2));
  expect(await complaint(join(folder, "pictures"))).toMatchInlineSnapshot(`
    "corpus <folder>/pictures: the folder must hold .txt or .md files, got none
    For other files give a quoted glob, such as "<folder>/pictures/**/*.text"."
  `);
  expect(await complaint(file("empty.txt", ""))).toMatchInlineSnapshot(`
    "corpus <folder>/empty.txt: must hold text, got 0 bytes of nothing or white space
    Give a file with text in it, or a name that \`softbox corpus list\` shows."
  `);
  expect(await complaint(file("blank.txt", " \n\n"))).toMatch(/got 3 bytes of nothing or white space/);
  expect(await complaint(file("mark.txt", "\ufeff"))).toMatch(/got 0 bytes/);
});

test("what is not UTF-8 is refused by file and offset, or replaced where asked", async () => {
  const latin = file("latin1.txt", Buffer.from("caf\u00e9 ol\u00e9", "latin1"));
  expect(await complaint(latin)).toMatchInlineSnapshot(`
    "<folder>/latin1.txt: must be UTF-8, got byte 0xe9 at offset 3
    Convert it, for example with \`iconv -f latin1 -t utf-8\`, or pass --lossy to replace such bytes by U+FFFD."
  `);
  expect((await loadCorpus(latin, { lossy: true })).text).toBe("caf\ufffd ol\ufffd");
  expect(await complaint(file("cut.txt", Buffer.from("whale 🐋").subarray(0, 9)))).toMatch(/byte 0xf0 at offset 6/);
  expect(await complaint(file("utf16.txt", Buffer.from("\ufeffwhale", "utf16le")))).toMatchInlineSnapshot(`
    "<folder>/utf16.txt: must be UTF-8, got UTF-16
    Convert it, for example with \`iconv -f utf-16 -t utf-8\`."
  `);
  expect(await complaint(file("binary.txt", Buffer.from("ab\0cd")))).toMatchInlineSnapshot(`
    "<folder>/binary.txt: must be text, got a binary file (a zero byte at offset 2)
    Give plain text (.txt, .md) or JSON lines (.jsonl)."
  `);
  expect(await complaint(join(folder, "binary.txt"), { lossy: true })).toMatch(/binary/);
});

test("JSON lines without text are refused by line", async () => {
  expect(await complaint(file("a.jsonl", '{"text":"one"}\n\n{"txt":"two"}\n'))).toMatchInlineSnapshot(`
    "<folder>/a.jsonl:3: must be an object with a string "text", got {"txt":"two"}
    Each line of a .jsonl file holds one document: {"text": "…"}"
  `);
  expect(await complaint(file("b.jsonl", '{"text":"one"\n'))).toMatchInlineSnapshot(`
    "<folder>/b.jsonl:1: must be JSON, got {"text":"one"
    Each line of a .jsonl file holds one document: {"text": "…"}"
  `);
  expect(await complaint(file("c.jsonl", '{"text":"half \\ud83d"}\n'))).toMatchInlineSnapshot(`
    "<folder>/c.jsonl:1: text must be Unicode, got half a surrogate pair
    Repair the line, or pass --lossy to replace it by U+FFFD."
  `);
  expect((await loadCorpus(join(folder, "c.jsonl"), { lossy: true })).text).toBe("half \ufffd");
  for (const line of ["null", "[]", '"text"', "7", '{"text":null}']) {
    expect(await complaint(file("d.jsonl", line))).toMatch(/d\.jsonl:1: must be an object with a string "text"/);
  }
});

test("a manifest that is wrong is refused by name and field", async () => {
  const manifest = { ...listCorpora()[1]!, name: "wrong" };
  const manifests = join(folder, "manifests");
  file("manifests/wrong.json", JSON.stringify({ ...manifest, sha256: "0".repeat(64) }));
  expect(await complaint("wrong", { manifests })).toMatchInlineSnapshot(`
    "corpus wrong: the text's sha256 must be 0000000000000000000000000000000000000000000000000000000000000000, got 3a19c43c7ade3e2bf8f6647b3db6381aa2de820f1b6bbe49e55bd2e65146393f
    Its package has another version or was altered: run \`npm ci\` in softbox's folder."
  `);
  file("manifests/wrong.json", JSON.stringify({ ...manifest, name: "other" }));
  expect(await complaint("wrong", { manifests })).toMatch(/name must be the file's name, got "other"/);
  file("manifests/wrong.json", JSON.stringify({ ...manifest, licence: 1, size: 2 }));
  expect(await complaint("wrong", { manifests })).toMatchInlineSnapshot(`
    "wrong.json: must be a corpus manifest:
    ✖ Unrecognized key: "size"
    ✖ Invalid input: expected string, received number
      → at licence
    corpora/README.md says what a manifest holds."
  `);
  file("manifests/wrong.json", JSON.stringify({ ...manifest, source: { ...manifest.source, package: "no-such" } }));
  expect(await complaint("wrong", { manifests })).toMatchInlineSnapshot(`
    "corpus: the npm package no-such must be installed
    Run \`npm ci\` in softbox's folder."
  `);
  file("manifests/wrong.json", "{");
  expect(await complaint("wrong", { manifests })).toMatch(/^wrong.json: must be a corpus manifest/);
});

test("documents are joined by one blank line, whatever they end with", () => {
  expect(createCorpus("c", ["a", "b\n", "c\n\n", "d\n"]).text).toBe("a\n\nb\n\nc\n\nd\n");
});

test("the char tokenizer of a text has exactly its characters", async () => {
  const corpus = await loadCorpus(file("play.txt", "First Citizen:\nBefore we proceed, hear me speak.\n"));
  expect(createTokenizer("char", corpus.text).vocabSize).toBe(new Set(corpus.text).size);
});
