import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
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
