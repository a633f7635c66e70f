// Whatever the user gets wrong: what, where, what was expected, what to do; exit code 1; no stack; nothing half-written.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { inspectEngines } from "../../src/engine/engine.ts";
import { shell, softbox, tinyFlags } from "../support/cli.ts";
import { temporaryFolder, writeSmallText } from "../support/folders.ts";

const here = temporaryFolder();

beforeAll(async () => {
  writeSmallText(here);
  const { code, err } = await softbox(here, ["train", ...tinyFlags, "--run", "checkpoints/small", "--steps", "4"]);
  expect([code, err]).toEqual([0, ""]);
});

/** What softbox says as it refuses; nothing goes to stdout but the engine's name, and no stack anywhere. */
async function refused(...args: string[]): Promise<string> {
  const { code, out, err } = await softbox(here, args);
  expect(code, `${args.join(" ")}\n${out}${err}`).toBe(1);
  expect(out.replace(/^engine: .*\n/, "")).toBe("");
  expect(err).not.toMatch(/\n {4}at /);
  return `\n${err.replaceAll(here, "HERE")}`;
}

const train = (...args: string[]): Promise<string> => refused("train", ...tinyFlags, "--run", "new", ...args);
const generate = (...args: string[]): Promise<string> => refused("generate", "checkpoints/small", ...args);

describe("the command line itself", () => {
  test("an unknown command", async () => {
    expect(await refused("tarin")).toMatchInlineSnapshot(`
      "
      error: unknown command 'tarin' (did you mean train?)
      hint: softbox --help lists the commands, softbox <command> --help its options.
      "
    `);
    expect(await refused("xyzzy")).toMatchInlineSnapshot(`
      "
      error: unknown command 'xyzzy'
      hint: softbox --help lists the commands, softbox <command> --help its options.
      "
    `);
  });

  test("an unknown option", async () => {
    expect(await refused("train", "--step", "5")).toMatchInlineSnapshot(`
      "
      error: unknown option '--step' (did you mean --steps?)
      hint: softbox train --help tells what it takes.
      "
    `);
  });

  test("an option without its value, and an argument too many", async () => {
    expect(await refused("generate", "--tokens")).toMatchInlineSnapshot(`
      "
      error: option '--tokens <n>' argument missing
      hint: softbox generate --help tells what it takes.
      "
    `);
    expect(await refused("doctor", "well")).toMatchInlineSnapshot(`
      "
      error: too many arguments for 'doctor'. Expected 0 arguments but got 1.
      hint: softbox doctor --help tells what it takes.
      "
    `);
  });

  test("a number that is none", async () => {
    expect(await generate("--tokens", "many")).toMatchInlineSnapshot(`
      "
      error: --tokens: expected a whole number of at least 1, got "many"
      hint: softbox generate --help lists defaults and units.
      "
    `);
    expect(await generate("--threads", "0")).toMatchInlineSnapshot(`
      "
      error: --threads: expected a whole number from 1 to 256, got "0"
      hint: softbox generate --help lists defaults and units.
      "
    `);
  });
});

describe("a configuration", () => {
  test("with unknown keys and impossible values names all of them at once, by path", async () => {
    const wrong = ["model.layers=0", "training.optimiser.learningRate=1", "seed=-1", "training.steps=1.5"];
    const sets = wrong.flatMap((value) => ["--set", value]);
    expect(await train(...sets, "--dropout", "1", "--tokenizer", "syllable", "--heads", "x")).toMatchInlineSnapshot(`
      "
      error: configuration from recipe nano-char and flags:
        tokenizer: expected one of gpt2, gpt2-compact, char, byte, word, word:N, got "syllable"
        seed: expected a number >= 0, got -1
        model.layers: expected a number > 0, got 0
        model.heads: expected a number, got "x"
        model.dropout: expected a number < 1, got 1
        training.steps: expected a whole number, got 1.5
        training.optimiser: there is no such key (did you mean training.optimizer?)
      hint: softbox train --help lists keys, defaults and units.
      "
    `);
    expect(existsSync(join(here, "new"))).toBe(false);
  });

  test("whose parts do not fit together", async () => {
    expect(await train("--heads", "3")).toMatchInlineSnapshot(`
      "
      error: configuration from recipe nano-char and flags:
        model.heads: must divide embedSize, got 3
      hint: softbox train --help lists keys, defaults and units.
      "
    `);
    expect(await train("--set", "splits.train=0.5")).toMatchInlineSnapshot(`
      "
      error: configuration from recipe nano-char and flags:
        splits: train + validation + calibration must be 1, got {"train":0.5,"validation":0.1,"calibration":0}
      hint: softbox train --help lists keys, defaults and units.
      "
    `);
  });

  test("with a --set that sets nothing, or reaches for what is not there", async () => {
    expect(await train("--set", "seed")).toMatchInlineSnapshot(`
      "
      error: --set: expected path=value, got "seed"
      hint: For example --set training.batchSize=24.
      "
    `);
    expect(await train("--set", "__proto__.polluted=1", "--set", "constructor=1")).toMatchInlineSnapshot(`
      "
      error: configuration from recipe nano-char and flags:
        __proto__: there is no such key
        constructor: there is no such key
      hint: softbox train --help lists keys, defaults and units.
      "
    `);
  });

  test("with an unknown head", async () => {
    expect(await train("--head", "adaptive")).toMatchInlineSnapshot(`
      "
      error: model.head.cutoffs: each must lie below the vocabulary's size 18, got 2000, 10000
      hint: For two clusters type for example --head adaptive:2,9.
      "
    `);
    expect(await train("--head", "mos:0")).toMatchInlineSnapshot(`
      "
      error: head: expected softmax, mos:K, moc:K, sigsoftmax, adaptive:cutoff,cutoff,… or sigmoid, got "mos:0"
      hint: For a mixture of four softmaxes type --head mos:4; K goes from 1 to 256, cutoffs rise and lie below the vocabulary's size.
      "
    `);
    expect(await train("--head", "mos:4:4")).toMatchInlineSnapshot(`
      "
      error: head: expected softmax, mos:K, moc:K, sigsoftmax, adaptive:cutoff,cutoff,… or sigmoid, got "mos:4:4"
      hint: For a mixture of four softmaxes type --head mos:4; K goes from 1 to 256, cutoffs rise and lie below the vocabulary's size.
      "
    `);
  });

  test("from a recipe that is not there, no JSON, or no configuration", async () => {
    expect(await refused("train", "--recipe", "mobby")).toMatchInlineSnapshot(`
      "
      error: recipe: there is no "mobby"
      hint: Did you mean moby? Choose one of awd-lstm, lstm-small, moby, mos-lstm, mos-lstm-small, nano-char, overconfident, transformer-small, twin, or name a .json file of your own.
      "
    `);
    writeFileSync(join(here, "torn.json"), '{ "corpus": ');
    expect(await refused("train", "--recipe", "torn.json")).toMatchInlineSnapshot(`
      "
      error: recipe torn.json: cannot be read as JSON (Unexpected end of JSON input)
      hint: Correct the file.
      "
    `);
    writeFileSync(join(here, "list.json"), "[]");
    expect(await refused("train", "--recipe", "list.json")).toMatchInlineSnapshot(`
      "
      error: recipe list.json: expected a JSON object
      hint: recipes/moby.json is an example.
      "
    `);
    writeFileSync(join(here, "empty.json"), "{}");
    expect(await refused("train", "--recipe", "empty.json")).toMatchInlineSnapshot(`
      "
      error: configuration from recipe empty.json and flags:
        corpus: expected a string, got nothing
        tokenizer: expected a string, got nothing
        model: expected an object, got nothing
      hint: softbox train --help lists keys, defaults and units.
      "
    `);
  });
});

describe("a corpus", () => {
  const corpus = (name: string, content: string | Buffer): Promise<string> => {
    writeFileSync(join(here, name), content);
    return train("--corpus", name);
  };

  test("that is not there", async () => {
    expect(await train("--corpus", "moby-dik")).toMatchInlineSnapshot(`
      "
      error: corpus moby-dik: must be a corpus name (grammar, moby-dick, modes, sotu), a file, a folder or a glob; no such thing here
      hint: Did you mean moby-dick? softbox corpus list shows the corpora at hand.
      "
    `);
    expect(await train("--corpus", "*.text")).toMatchInlineSnapshot(`
      "
      error: corpus HERE/*.text: no file matches
      hint: The pattern is read from HERE.
      "
    `);
  });

  test("that is empty, or shorter than a context", async () => {
    expect(await corpus("empty.txt", "")).toMatchInlineSnapshot(`
      "
      error: corpus HERE/empty.txt: must hold text, got 0 bytes of nothing or white space
      hint: Give a file with text in it, or a name that \`softbox corpus list\` shows.
      "
    `);
    expect(await corpus("short.txt", "the whale\n")).toMatchInlineSnapshot(`
      "
      error: train split: must hold at least 17 tokens (a context of 16 and one to predict), got 9
      hint: Use more text, a shorter context, or another share for it (it has 0.9; 0 leaves it out).
      "
    `);
  });

  test("that is not UTF-8 names the byte", async () => {
    expect(await corpus("latin.txt", Buffer.from("caf\xe9 ".repeat(100), "latin1"))).toMatchInlineSnapshot(`
      "
      error: HERE/latin.txt: must be UTF-8, got byte 0xe9 at offset 3
      hint: Convert it, for example with \`iconv -f latin1 -t utf-8\`, or pass --lossy to replace such bytes by U+FFFD.
      "
    `);
  });

  test("leaves no run behind", () => {
    expect(existsSync(join(here, "new"))).toBe(false);
  });

  test("that changed since the run was started", async () => {
    cpSync(join(here, "checkpoints/small"), join(here, "changed"), { recursive: true });
    writeFileSync(join(here, "other.txt"), "another text ".repeat(200));
    const config = join(here, "changed/config.json");
    writeFileSync(config, readFileSync(config, "utf8").replace("text.txt", "other.txt"));
    expect(await refused("train", "--resume", "changed", "--steps", "9")).toMatchInlineSnapshot(`
      "
      error: run changed: corpus other.txt has changed since the run was started
      hint: Put the old text back, or start a new run on the new one.
      "
    `);
  });

  test("a split that there is not, and no name at all", async () => {
    expect(await refused("eval", "--split", "test")).toMatchInlineSnapshot(`
      "
      error: --split: expected train, validation, calibration or all, got "test"
      hint: The default is validation.
      "
    `);
    expect(await refused("corpus", "stats")).toMatchInlineSnapshot(`
      "
      error: corpus: expected a corpus's name or a file
      hint: softbox corpus list shows the names.
      "
    `);
    expect(await refused("corpus", "delete", "sotu")).toMatchInlineSnapshot(`
      "
      error: corpus: expected list, stats or prepare, got "delete"
      hint: softbox corpus --help tells what each is.
      "
    `);
    expect(await refused("corpus", "stats", "text.txt", "--tokenizer", "syllable")).toMatchInlineSnapshot(`
      "
      error: --tokenizer: expected gpt2, gpt2-compact, char, byte, word, word:N, got "syllable"
      hint: The default is gpt2-compact.
      "
    `);
  });

  test("text that the run's tokenizer cannot read", async () => {
    writeFileSync(join(here, "upper.txt"), "the whale\nThe sea\n");
    expect(await refused("eval", "--on", "upper.txt")).toMatchInlineSnapshot(`
      "
      error: text: every character must be one of the 18 that the char tokenizer knows, got "T" (U+0054) at line 2, column 1
      hint: Leave the character out, or train with the byte or gpt2 tokenizer, which know every text.
      "
    `);
  });
});

describe("a run", () => {
  test("that is not there, or is no run", async () => {
    expect(await refused("generate", "checkpoints/smal")).toMatchInlineSnapshot(`
      "
      error: run checkpoints/smal: there is no such folder
      hint: Did you mean checkpoints/small? softbox train makes one; softbox runs lists what is in checkpoints.
      "
    `);
    expect(await refused("generate", "checkpoints")).toMatchInlineSnapshot(`
      "
      error: run checkpoints: it has no config.json
      hint: Name the folder of a run, e.g. checkpoints/moby.
      "
    `);
    expect(await refused("play", "checkpoints")).toMatchInlineSnapshot(`
      "
      error: run checkpoints: it has no config.json
      hint: Name the folder of a run, e.g. checkpoints/moby.
      "
    `);
    expect(await refused("eval", "text.txt")).toMatchInlineSnapshot(`
      "
      error: run text.txt: it has no config.json
      hint: Name the folder of a run, e.g. checkpoints/moby.
      "
    `);
    expect(await refused("train", "--resume", "nowhere")).toMatchInlineSnapshot(`
      "
      error: run nowhere: there is no such folder
      hint: softbox train makes one; softbox runs lists what is in checkpoints.
      "
    `);
  });

  test("where there is none at all", async () => {
    const empty = join(here, "empty");
    mkdirSync(empty);
    const { code, err } = await softbox(empty, ["generate"]);
    expect([code, `\n${err}`]).toMatchInlineSnapshot(`
      [
        1,
        "
      error: run: there is none under checkpoints/ here
      hint: Train one: softbox train. Or name a run's folder.
      ",
      ]
    `);
  });

  test("that is there already, when a new one is to be made", async () => {
    const before = readdirSync(join(here, "checkpoints/small"));
    expect(await train("--run", "checkpoints/small")).toMatchInlineSnapshot(`
      "
      error: run checkpoints/small: there is one already
      hint: Go on with it: softbox train --resume checkpoints/small. Or choose another folder with --run, or remove this one.
      "
    `);
    expect(readdirSync(join(here, "checkpoints/small"))).toEqual(before);
  });

  test("that is to be resumed as another than it is", async () => {
    expect(
      await refused("train", "--resume", "checkpoints/small", "--set", "seed=2", "--learning-rate", "0.5"),
    ).toMatchInlineSnapshot(`
      "
      error: run checkpoints/small: it was configured otherwise:
        seed: 3 → 2
        training.optimizer.learningRate: 0.001 → 0.5
      hint: Leave these flags out; or add --override, and the run goes on so, which it then remembers.
      "
    `);
    expect(
      await refused("train", "--resume", "checkpoints/small", "--layers", "2", "--override"),
    ).toMatchInlineSnapshot(`
      "
      error: run checkpoints/small: its parameters or text would not fit:
        model.layers: 1 → 2
      hint: Start a new run with these: softbox train --like checkpoints/small --run <folder> and the same flags.
      "
    `);
    expect(await refused("train", "--resume", "checkpoints/small", "--recipe", "moby")).toMatchInlineSnapshot(`
      "
      error: train: --recipe and --resume do not go together
      hint: --resume goes on with a run; --like begins another from its configuration, --from from its model, --recipe from a recipe.
      "
    `);
    expect(await refused("train", "--override")).toMatchInlineSnapshot(`
      "
      error: --override: is for a run that goes on, and no --resume is named
      hint: Leave it out.
      "
    `);
    expect(await refused("train", "--resume", "checkpoints/small", "--steps", "more")).toMatchInlineSnapshot(`
      "
      error: --steps: expected a whole number of at least 1, got "more"
      hint: softbox train --help lists defaults and units.
      "
    `);
  });

  test("whose step is not there", async () => {
    expect(await generate("--step", "7")).toMatchInlineSnapshot(`
      "
      error: run checkpoints/small: there is no checkpoint "7"
      hint: Saved steps: 4.
      "
    `);
    expect(await generate("--step", "newest")).toMatchInlineSnapshot(`
      "
      error: run checkpoints/small: there is no checkpoint "newest"
      hint: Saved steps: 4.
      "
    `);
  });

  test("in a place that cannot be written", async () => {
    expect(await train("--run", "text.txt")).toMatchInlineSnapshot(`
      "
      error: text.txt: cannot be written (EEXIST)
      hint: There is a file of this name: choose another folder.
      "
    `);
    expect(await train("--run", "text.txt/run")).toMatchInlineSnapshot(`
      "
      error: text.txt/run: cannot be written (ENOTDIR)
      hint: A part of this path is a file: choose another folder.
      "
    `);
    expect(await train("--run", `x${"x".repeat(300)}`)).toMatchInlineSnapshot(`
      "
      error: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: cannot be written (ENAMETOOLONG)
      hint: Choose a shorter name.
      "
    `);
  });
});

describe("a checkpoint", () => {
  let copies = 0;
  /** A copy of the run, changed. */
  function damaged(change: (run: string) => void): string {
    const name = `damaged-${++copies}`;
    cpSync(join(here, "checkpoints/small"), join(here, name), { recursive: true });
    change(join(here, name));
    return name;
  }
  const edit = (file: string, from: RegExp, to: string): void => {
    const text = readFileSync(file, "utf8");
    expect(text).toMatch(from);
    writeFileSync(file, text.replace(from, to));
  };

  test("that is truncated", async () => {
    const run = damaged((path) => writeFileSync(join(path, "step-000004/model.safetensors"), "short"));
    expect((await refused("generate", run)).replace(/expected \d+/, "expected …")).toMatchInlineSnapshot(`
      "
      error: checkpoint damaged-1/step-000004: model.safetensors has 5 bytes, expected …
      hint: Choose another step of this run, or train it again.
      "
    `);
  });

  test("that was altered", async () => {
    const run = damaged((path) => edit(join(path, "step-000004/state.json"), /"step": 4/, '"step": 5'));
    expect(await refused("eval", run)).toMatchInlineSnapshot(`
      "
      error: checkpoint damaged-2/step-000004: state.json was altered (its SHA-256 differs)
      hint: Choose another step of this run, or train it again.
      "
    `);
    expect(await refused("play", run)).toMatchInlineSnapshot(`
      "
      error: checkpoint damaged-2/step-000004: state.json was altered (its SHA-256 differs)
      hint: Choose another step of this run, or train it again.
      "
    `);
  });

  test("of a newer form", async () => {
    const run = damaged((path) => edit(join(path, "step-000004/manifest.json"), /"version": 1/, '"version": 2'));
    expect(await refused("train", "--resume", run, "--steps", "9")).toMatchInlineSnapshot(`
      "
      error: checkpoint damaged-3/step-000004: written in form 2, this softbox reads up to 1
      hint: Use the newer softbox that wrote it.
      "
    `);
  });

  test("of another tokenizer of the same size", async () => {
    const run = damaged((path) => edit(join(path, "tokenizer.json"), /w"/, 'z"'));
    expect(await refused("generate", run)).toMatchInlineSnapshot(`
      "
      error: checkpoint damaged-4/step-000004: it was trained with another tokenizer than the run's tokenizer.json
      hint: Put the tokenizer.json back that belongs to it.
      "
    `);
  });

  test("of another size than the configuration says", async () => {
    const run = damaged((path) => edit(join(path, "config.json"), /"layers": 1/, '"layers": 2'));
    expect(await refused("generate", run)).toMatchInlineSnapshot(`
      "
      error: checkpoint damaged-5/step-000004: the run's config.json describes another model than was trained:
        model.layers: 1 → 2
      hint: Put the config.json back that belongs to it.
      "
    `);
  });

  test("whose run's files are damaged", async () => {
    const torn = damaged((path) => writeFileSync(join(path, "config.json"), '{ "corpus"'));
    const told = await refused("generate", torn); // Node 22 and later tell the line and column, too
    expect(told.replace(" (line 1 column 11)", "")).toMatchInlineSnapshot(`
      "
      error: run damaged-6: config.json is damaged (Expected ':' after property name in JSON at position 10)
      hint: Train the run again.
      "
    `);
    const other = damaged((path) => edit(join(path, "config.json"), /"contextLength"/, '"contextlength"'));
    expect(await refused("generate", other)).toMatchInlineSnapshot(`
      "
      error: damaged-7/config.json:
        model.contextlength: there is no such key (did you mean model.contextLength?)
      hint: softbox train --help lists keys, defaults and units.
      "
    `);
    const kind = damaged((path) => edit(join(path, "tokenizer.json"), /"char"/, '"words"'));
    expect(await refused("generate", kind)).toMatchInlineSnapshot(`
      "
      error: tokenizer: must be JSON with a kind (gpt2, gpt2-compact, char, byte, word, bpe) and a version
      hint: Use the tokenizer.json that was saved with the checkpoint.
      "
    `);
    const none = damaged((path) => rmSync(join(path, "tokenizer.json")));
    expect(await refused("generate", none)).toMatchInlineSnapshot(`
      "
      error: run damaged-9: it has no tokenizer.json
      hint: Name the folder of a run, e.g. checkpoints/moby.
      "
    `);
  });
});

describe("sampling", () => {
  test("with settings out of range names each", async () => {
    expect(await generate("--temperature", "-1")).toMatchInlineSnapshot(`
      "
      error: sampling:
        temperature: expected a number >= 0, got -1
      hint: temperature >= 0 · top-k a whole number >= 0 · top-p in (0, 1] · min-p in [0, 1] · seed a whole number >= 0
      "
    `);
    expect(await generate("--top-p", "0")).toMatchInlineSnapshot(`
      "
      error: sampling:
        top-p: expected a number > 0, got 0
      hint: temperature >= 0 · top-k a whole number >= 0 · top-p in (0, 1] · min-p in [0, 1] · seed a whole number >= 0
      "
    `);
    expect(await generate("--temperature", "2000", "--top-k", "1.5", "--min-p", "2")).toMatchInlineSnapshot(`
      "
      error: sampling:
        temperature: expected a number <= 1000, got 2000
        top-k: expected a whole number, got 1.5
        min-p: expected a number <= 1, got 2
      hint: temperature >= 0 · top-k a whole number >= 0 · top-p in (0, 1] · min-p in [0, 1] · seed a whole number >= 0
      "
    `);
  });

  test("with NaN, and what is no number", async () => {
    expect(await generate("--temperature", "NaN")).toMatchInlineSnapshot(`
      "
      error: --temperature: expected a number, got "NaN"
      hint: softbox generate --help lists defaults and units.
      "
    `);
    expect(await generate("--top-p", "")).toMatchInlineSnapshot(`
      "
      error: --top-p: expected a number, got ""
      hint: softbox generate --help lists defaults and units.
      "
    `);
    expect(await generate("--seed", "0.5")).toMatchInlineSnapshot(`
      "
      error: --seed: expected a whole number of at least 0, got "0.5"
      hint: softbox generate --help lists defaults and units.
      "
    `);
  });

  test("from a prompt with a character that the model does not know, or from nothing", async () => {
    expect(await generate("--prompt", "the whale\nand Ω")).toMatchInlineSnapshot(`
      "
      error: text: every character must be one of the 18 that the char tokenizer knows, got "Ω" (U+03A9) at line 2, column 5
      hint: Leave the character out, or train with the byte or gpt2 tokenizer, which know every text.
      "
    `);
    expect(await generate("--prompt", "\u001b[31m")).toMatchInlineSnapshot(`
      "
      error: text: every character must be one of the 18 that the char tokenizer knows, got "␛" (U+001B) at line 1, column 1
      hint: Leave the character out, or train with the byte or gpt2 tokenizer, which know every text.
      "
    `);
    expect(await generate("--prompt", "")).toMatchInlineSnapshot(`
      "
      error: prompt: expected at least one token, got none
      hint: Give some text to go on from.
      "
    `);
    const play = await softbox(here, ["play", "checkpoints/small", "--prompt", ""]); // it has told the model by then
    expect([play.code, `\n${play.err}`]).toMatchInlineSnapshot(`
      [
        1,
        "
      error: prompt: expected at least one token, got none
      hint: Give some text to go on from.
      ",
      ]
    `);
  });
});

describe("an engine", () => {
  test("of an unknown name, by flag or by environment", async () => {
    const message = await generate("--engine", "cuda");
    expect(message).toMatch(/^\nerror: engine: expected one of auto, .*cpu, got "cuda"\nhint: softbox doctor lists/);
    const { code, err } = await softbox(here, ["generate"], { SOFTBOX_ENGINE: "cuda" });
    expect([code, `\n${err}`]).toEqual([1, message]);
  });

  test("that is not there says what to install, and nothing runs instead", async () => {
    for (const { name, inspection } of await inspectEngines())
      if (!inspection.usable)
        expect(await generate("--engine", name)).toBe(
          `\nerror: engine ${name}: ${inspection.reason}\nhint: ${inspection.hint}\n`,
        );
  });
});

test("a pipe that closes early ends the program without a word", async () => {
  const text = await shell(
    here,
    `node "$PROGRAM" generate checkpoints/small --tokens 2000 | head -c 5; echo " ${"$"}{PIPESTATUS[0]}"`,
  );
  expect(text.out).toMatch(/ 0\n$/);
  expect(text.err).toBe("");
  const lines = await shell(here, 'node "$PROGRAM" generate checkpoints/small --tokens 500 --json | head -1 | wc -l');
  expect([lines.out.trim(), lines.err]).toEqual(["1", ""]);
  const both = await shell(here, `node "$PROGRAM" train --foo 2>&1 >/dev/null | true; echo ${"$"}{PIPESTATUS[0]}`);
  expect([both.out, both.err]).toEqual(["1\n", ""]);
});

test("a bug keeps its stack, asks for nothing, and exits with 2", async () => {
  // Nobody types this: a module that throws what is no SandboxError, loaded before the program.
  writeFileSync(join(here, "bug.mjs"), 'JSON.parse = () => { throw new TypeError("a bug on purpose"); };');
  const { code, err } = await softbox(here, ["--version"], { NODE_OPTIONS: `--import ${join(here, "bug.mjs")}` });
  expect(code).toBe(2);
  expect(err).toMatch(/^This is a bug in softbox:\nTypeError: a bug on purpose\n {4}at /);
});

test("a Node that is too old is told before anything loads", async () => {
  for (const [version, code] of [
    ["18.20.8", 1],
    ["20.18.3", 1],
    ["20.19.0", 0],
  ] as const) {
    const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
    writeFileSync(join(here, "old.mjs"), versions);
    const end = await softbox(here, ["--version"], { NODE_OPTIONS: `--import ${join(here, "old.mjs")}` });
    expect([version, end.code]).toEqual([version, code]);
    if (code === 1)
      expect(end.err).toMatch(
        /^error: softbox needs Node 20\.19 or newer, this is \d+\.\d+\.\d+\nhint: Install a newer/,
      );
  }
});
