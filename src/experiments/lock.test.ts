import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { temporaryFolder } from "../../test/support/folders.ts";
import { expectLocked, isRunBusy, lockOwner, lockRun, takeLockFrom } from "./lock.ts";

const run = temporaryFolder();
const path = join(run, "run.lock");

test("a lock on another machine is taken from the owner that is known to have ended, and from nobody else", () => {
  const gone = { pid: 7, host: "elsewhere" };
  writeFileSync(path, JSON.stringify(gone));
  expect(() => lockRun(run)).toThrow("process 7 on elsewhere is training it");
  takeLockFrom(run, { pid: 8, host: "elsewhere" });
  takeLockFrom(run, { pid: 7, host: hostname() });
  expect(lockOwner(run)).toEqual(gone);
  takeLockFrom(run, gone);
  expect([lockOwner(run), isRunBusy(run)]).toEqual([undefined, false]);
  takeLockFrom(run, gone); // gone already
});

if (process.platform === "linux")
  test("a process that has ended and that nobody has asked how, as in containers without an init, holds nothing", async () => {
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    const pid = Number((await once(parent.stdout!, "data"))[0]);
    await vi.waitUntil(() => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "), { timeout: 10_000 });
    writeFileSync(path, JSON.stringify({ pid, host: hostname() }));
    lockRun(run)();
    parent.kill();
  });

test("who holds the lock may write; who slept while it was taken over may not, and leaves the new owner's lock", () => {
  const unlock = lockRun(run);
  expectLocked(run);
  const mine = readFileSync(path);
  writeFileSync(path, JSON.stringify({ pid: 7, host: "elsewhere" }));
  expect(() => expectLocked(run)).toThrow("process 7 on elsewhere has taken it over, nothing more is written");
  rmSync(path);
  expect(() => expectLocked(run)).toThrow("its lock has gone, nothing more is written");
  writeFileSync(path, mine);
  expectLocked(run);
  writeFileSync(path, JSON.stringify({ pid: 7, host: "elsewhere" }));
  unlock();
  expect(lockOwner(run)).toEqual({ pid: 7, host: "elsewhere" });
});
