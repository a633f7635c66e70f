// Damages files of a run in every way at random places, and loads it: never another model than one that was saved, never silently an
// older one, never an error that is none for the user, and as long as one checkpoint is whole, that one is found.
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createUniform, expectThat, inFolder, memoryFolder, newRun, softbox, writeText } from "./softbox.mjs";

const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const [older, newest] = [10, 15];
const stepName = (step) => `step-${String(step).padStart(6, "0")}`;

/** Ways to damage a file's bytes; `at(n)` is a place below n. `other`: the same file of the other checkpoint. */
const damages = {
  truncated: (bytes, at) => bytes.subarray(0, at(bytes.length)),
  "bit flipped": (bytes, at) => changed(bytes, at(bytes.length), (byte) => byte ^ (1 << at(8))),
  "bit flipped near its beginning": (bytes, at) =>
    changed(bytes, at(Math.min(bytes.length, 400)), (byte) => byte ^ (1 << at(8))),
  "another byte": (bytes, at) => changed(bytes, at(bytes.length), (byte) => (byte + 1 + at(255)) & 255),
  "a block of zeros": (bytes, at) => {
    const start = at(bytes.length);
    return Buffer.from(bytes).fill(0, start, Math.min(bytes.length, start + 1 + at(512)));
  },
  lengthened: (bytes, at) => Buffer.concat([bytes, Buffer.alloc(1 + at(64), at(256))]),
  "of another checkpoint": (_, __, other) => other,
  "of another checkpoint in its second half": (bytes, at, other) => {
    const cut = at(bytes.length);
    return Buffer.concat([bytes.subarray(0, cut), other.subarray(cut)]);
  },
  removed: () => undefined,
};

function changed(bytes, index, change) {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[index] = change(copy[index]);
  return copy;
}

const filesOf = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

/** A run that stands at step 15 and has steps 10 and 15 saved, and a reader for it. */
async function prepare(folder, uniform) {
  writeText(folder, uniform);
  const made = await softbox(folder, [...newRun("made", "transformer", 5), "--steps", newest, "--threads", "1"]);
  expectThat(made.code === 0, `the run to be damaged could not be made: ${made.err}`);
  process.env.SOFTBOX_CACHE = join(folder, "cache");
  const { useEngine } = await dist("engine/engine.js");
  await useEngine("cpu", { onLine: () => {} });
  const { resumeRun, checkpointVariables } = await dist("experiments/session.js");
  const { loadRun } = await dist("experiments/loadRun.js");
  const { SandboxError } = await dist("engine/errors.js");
  return { resumeRun, checkpointVariables, loadRun, SandboxError };
}

function digestOf(maps) {
  const hash = createHash("sha256");
  for (const map of maps)
    for (const [name, variable] of [...map].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const data = variable.dataSync();
      hash.update(name).update(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    }
  return hash.digest("hex");
}

/** What is in memory once a run is gone on with: weights, moments, place. */
async function resumed(run, { resumeRun, checkpointVariables }) {
  const warnings = [];
  const onWarning = (line) => warnings.push(line);
  const session = await resumeRun({ folder: run, engine: "test", steps: newest + 1, onWarning });
  try {
    session.optimizer.swap(); // as it is saved
    const { model, optimizer } = checkpointVariables(session);
    return { state: `${session.progress.step} ${digestOf([model, optimizer])}`, warnings };
  } finally {
    session.close();
  }
}

/** What a model says once a run is loaded for use: the weights may be right and the form in which they are used wrong. */
async function used(run, { loadRun }) {
  const warnings = [];
  const loaded = await loadRun(run, "latest", (line) => warnings.push(line));
  try {
    const { logProbs } = await loaded.model.next(loaded.tokenizer.encode("the whale "));
    const said = createHash("sha256")
      .update(Buffer.from(Float32Array.from(logProbs).buffer))
      .digest("hex");
    const text = loaded.tokenizer.decode([...logProbs.keys()]);
    return { state: `${loaded.step} ${said} ${text}`, warnings };
  } finally {
    loaded.dispose();
  }
}

/** Reads `run` both ways; `good` holds what may come out. Tells whether a checkpoint was found. */
async function readDamaged(run, tools, good) {
  const ends = [];
  for (const [way, read] of Object.entries({ used, resumed })) {
    try {
      const { state, warnings } = await read(run, tools);
      const step = good[way].indexOf(state);
      expectThat(step >= 0, `${way}: something that was never saved was loaded silently`);
      const isTold = warnings.some((line) => line.includes(stepName(newest)));
      expectThat(step === 0 || isTold, `${way}: an older checkpoint was taken silently`);
      ends.push("loaded");
    } catch (error) {
      if (!(error instanceof tools.SandboxError)) throw error;
      expectThat(error.message.length > 10 && error.hint, `${way}: refused without a word`);
      ends.push("refused");
    }
  }
  return ends;
}

/**
 * Damages each file of the newest checkpoint, then both checkpoints, then the files beside them.
 *
 * @param count - damages of checkpoints; a quarter as many more of the files beside them.
 */
export function damageManyTimes(count, seed, tally, onLine = () => {}) {
  const uniform = createUniform(seed);
  const at = (n) => Math.floor(uniform() * n);
  return inFolder(
    "damage",
    async (folder) => {
      const tools = await prepare(folder, uniform);
      const [made, run] = [join(folder, "made"), join(folder, "run")];
      const good = await goodStates(folder, tools);
      const fresh = () => {
        rmSync(run, { recursive: true, force: true });
        cpSync(made, run, { recursive: true });
      };
      /** Damages one file; returns how. */
      const damage = (place, name, kind) => {
        const bytes = readFileSync(join(made, place, name));
        const others = { [stepName(newest)]: stepName(older), [stepName(older)]: stepName(newest) };
        const other = place === "" ? Buffer.from(bytes).reverse() : readFileSync(join(made, others[place], name));
        const result = damages[kind](bytes, at, other);
        if (result === undefined) rmSync(join(run, place, name));
        else writeFileSync(join(run, place, name), result);
      };
      const kinds = Object.keys(damages);
      const files = filesOf(join(made, stepName(newest)));
      for (let i = 0; i < count; i++) {
        const [name, kind, both] = [
          files[i % files.length],
          kinds[Math.floor(i / files.length) % kinds.length],
          i % 10 === 9,
        ];
        await tally.attempt(`${stepName(newest)}/${name} ${kind} (${i})`, async () => {
          fresh();
          damage(stepName(newest), name, kind);
          if (both) damage(stepName(older), files[at(files.length)], kinds[at(kinds.length)]);
          const ends = await readDamaged(run, tools, good);
          expectThat(both || !ends.includes("refused"), "there was a whole checkpoint, and it was not found");
        });
        if ((i + 1) % 500 === 0) onLine(`${i + 1} of ${count} damages of checkpoints`);
      }
      const beside = filesOf(made);
      for (let i = 0; i < count / 4; i++) {
        const [name, kind] = [beside[i % beside.length], kinds[Math.floor(i / beside.length) % kinds.length]];
        await tally.attempt(`${name} ${kind} (${i})`, async () => {
          fresh();
          damage("", name, kind);
          await readDamaged(run, tools, good);
        });
      }
    },
    memoryFolder,
  );
}

/** What comes out of the undamaged run, the newest first, and of the run whose newest checkpoint is gone. */
async function goodStates(folder, tools) {
  const [whole, cut] = [join(folder, "whole"), join(folder, "cut")];
  const states = { used: [], resumed: [] };
  for (const run of [whole, cut]) {
    cpSync(join(folder, "made"), run, { recursive: true });
    if (run === cut) rmSync(join(run, stepName(newest)), { recursive: true });
    expectThat(statSync(run).isDirectory(), run);
    states.used.push((await used(run, tools)).state);
    states.resumed.push((await resumed(run, tools)).state);
  }
  expectThat(new Set([...states.used, ...states.resumed]).size === 4, "the states cannot be told apart");
  return states;
}
