// Places where nothing can be written: a disk that fills up, a folder that is read-only. Small file systems in memory are mounted for it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createUniform,
  ended,
  expectThat,
  inFolder,
  isExplained,
  newRun,
  softbox,
  startSoftbox,
  writeText,
} from "./softbox.mjs";

const steps = 12;

function mount(...args) {
  const { status, stderr, error } = spawnSync("mount", args, { encoding: "utf8" });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split("\n")[0] ?? "mount failed");
}

/** Lends a file system of so many KiB at `place` to `work`. */
async function onDisk(place, kibibytes, work) {
  mkdirSync(place, { recursive: true });
  const problem = mount("-t", "tmpfs", "-o", `size=${kibibytes}k`, "softbox-faults", place);
  expectThat(problem === undefined, problem);
  try {
    return await work();
  } finally {
    spawnSync("umount", [place]);
  }
}

/** Why no file system can be mounted here; undefined where one can. */
export function whyNoMount() {
  return inFolder("mount", async (folder) => {
    try {
      await onDisk(join(folder, "disk"), 64, () => {});
      return undefined;
    } catch (error) {
      return `no file system can be mounted (${error.message}); as root in a container with CAP_SYS_ADMIN it can`;
    }
  });
}

/** Fills disks of ever larger sizes, so that another write fails each time; with more room each run goes on as if nothing had been. */
export function fillDisks(sizes, tally) {
  return inFolder("disk", async (folder) => {
    writeText(folder, createUniform(3));
    const whole = await softbox(folder, [...newRun("whole", "transformer", 1), "--steps", steps, "--threads", "1"]);
    expectThat(whole.code === 0, `a run with room could not be made: ${whole.err}`);
    const end = join(stepName(steps), "model.safetensors");
    const disk = join(folder, "disk");
    for (const size of sizes)
      await tally.attempt(`a disk of ${size} KiB`, () =>
        onDisk(disk, size, async () => {
          const run = join(disk, "run");
          const args = [...newRun(run, "transformer", 1), "--steps", steps, "--threads", "1"];
          const first = await softbox(folder, args);
          expectThat(isExplained(first) && /ENOSPC/.test(first.err), `code ${first.code}: ${first.err}`);
          expectThat(mount("-o", "remount,size=8m", disk) === undefined, "the disk could not be enlarged");
          const isRun = existsSync(join(run, "config.json"));
          const second = await softbox(folder, isRun ? ["train", "--resume", run, "--threads", "1"] : args);
          expectThat(second.code === 0 && second.err === "", `with room again: code ${second.code}: ${second.err}`);
          const [a, b] = [join(run, end), join(folder, "whole", end)].map((path) => readFileSync(path));
          expectThat(a.equals(b), "it ended otherwise than a run that had room");
          const left = readdirSync(run).filter((name) => /partial|lock/.test(name));
          expectThat(left.length === 0, `left behind: ${left.join(", ")}`);
        }),
      );
  });
}

/** What may be done in a read-only folder is done, what may not is refused in words. */
export function writeReadOnly(tally) {
  return inFolder("readonly", async (folder) => {
    writeText(folder, createUniform(4));
    const disk = join(folder, "disk");
    await onDisk(disk, 8192, async () => {
      const run = join(disk, "run");
      const made = await softbox(folder, [
        ...[...newRun(run, "transformer", 5), "--tokenizer", "byte"], // which can be exported
        ...["--steps", 10, "--threads", "1"],
      ]);
      expectThat(made.code === 0, `the run could not be made: ${made.err}`);
      expectThat(mount("-o", "remount,ro", disk) === undefined, "the disk could not be made read-only");
      const refused = {
        "a new run": [...newRun(join(disk, "other"), "transformer", 5), "--steps", 10],
        "a run gone on with": ["train", "--resume", run, "--steps", 20],
        "an export": ["export", run, "--out", join(disk, "out")],
        "a sweep": ["sweep", "--recipe", "nano-char", "--sweep", "lr=0.1", "--out", join(disk, "sweep")],
        "a note": ["runs", "note", run, "words"],
        "a tag": ["runs", "tag", run, "word"],
        "a run removed": ["runs", "rm", run, "--yes"],
      };
      for (const [what, args] of Object.entries(refused))
        await tally.attempt(what, async () => {
          const end = await softbox(folder, args);
          expectThat(isExplained(end) && /EROFS|read-only/.test(end.err), `code ${end.code}: ${end.err}${end.out}`);
        });
      const allowed = {
        "text of a model": ["generate", run, "--tokens", 5],
        "its evaluation": ["eval", run],
        "its line": ["runs", "ls", disk],
      };
      for (const [what, args] of Object.entries(allowed))
        await tally.attempt(what, async () => {
          const { code, err } = await softbox(folder, args);
          expectThat(code === 0, `code ${code}: ${err}`);
        });
    });
  });
}

/**
 * A run's folder turns read-only while it trains: a mount over itself, which the process at work sees at its next write. It stops in
 * words, what was saved is whole, and once it may be written again the run ends as one that was never disturbed.
 */
export function turnReadOnly(rounds, tally) {
  return inFolder("turned", async (folder) => {
    const uniform = createUniform(5);
    writeText(folder, uniform);
    const last = 300;
    for (let round = 0; round < rounds; round++)
      await tally.attempt(`a run turned read-only, round ${round}`, async () => {
        const run = join(folder, `run-${round}`);
        const child = startSoftbox(folder, [...newRun(run, "transformer", 5), "--steps", last, "--threads", "1"]);
        const end = ended(child);
        try {
          while (savedSteps(run).length === 0) {
            expectThat(child.exitCode === null, "it ended before its first checkpoint");
            await sleep(5);
          }
          await sleep(100 * uniform());
          expectThat(mount("--bind", run, run) === undefined, "the folder could not be mounted");
          while (mount("-o", "remount,bind,ro", run) !== undefined) {
            expectThat(child.exitCode === null, "the folder could not be made read-only before the run's end"); // a file was being written
            await sleep(1);
          }
          const stopped = await end;
          expectThat(isExplained(stopped) && /EROFS/.test(stopped.err), `code ${stopped.code}: ${stopped.err}`);
          const read = await softbox(folder, ["eval", run, "--max-tokens", 100]);
          expectThat(read.code === 0, `what was saved cannot be read: ${read.err}`);
        } finally {
          child.kill("SIGKILL");
          await end;
          spawnSync("umount", [run]);
        }
        const step = Math.max(...savedSteps(run)) + 10;
        const again = await softbox(folder, ["train", "--resume", run, "--steps", step, "--threads", "1"]);
        expectThat(again.code === 0 && again.err === "", `writable again: code ${again.code}: ${again.err}`);
        const whole = join(folder, `whole-${round}`);
        await softbox(folder, [...newRun(whole, "transformer", 5), "--steps", step, "--threads", "1"]);
        const [a, b] = [run, whole].map((path) => readFileSync(join(path, stepName(step), "model.safetensors")));
        expectThat(a.equals(b), "it ended otherwise than a run that was not disturbed");
        const left = readdirSync(run).filter((name) => /partial|lock/.test(name));
        expectThat(left.length === 0, `left behind: ${left.join(", ")}`);
      });
  });
}

const stepName = (step) => `step-${String(step).padStart(6, "0")}`;

const savedSteps = (run) =>
  existsSync(run) ? readdirSync(run).flatMap((name) => /^step-(\d+)$/.exec(name)?.slice(1).map(Number) ?? []) : [];
