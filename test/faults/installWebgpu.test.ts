// `softbox doctor --install webgpu` with an npm of the test's own: killed, without a network, cheated, full; and what stays then.
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { libraryFolder, parts, placeOf } from "../../src/engine/webgpu/place.ts";
import { environment, program, softbox } from "../support/cli.ts";
import { temporaryFolder } from "../support/folders.ts";

const home = temporaryFolder();
const npm = join(home, "bin/npm");
mkdirSync(join(home, "bin"));

/** An npm whose registry has a Dawn that offers no adapter, beside a backend that is never asked for. */
function makeNpm(script: string): void {
  writeFileSync(npm, `#!/bin/sh\nset -e\n${script}\n`);
  chmodSync(npm, 0o755);
}
const wholeNpm = `
grep -q '"node_modules/webgpu"' package-lock.json
mkdir -p node_modules/webgpu/${libraryFolder} node_modules/webgpu/dist/other-system node_modules/@tensorflow/tfjs-backend-webgpu/dist
echo library > node_modules/webgpu/${libraryFolder}/dawn.node
echo other > node_modules/webgpu/dist/other-system/dawn.node
echo '{"type": "module"}' > node_modules/webgpu/package.json
echo 'export const globals = {}; export const create = () => ({ requestAdapter: async () => null });' > node_modules/webgpu/index.js
echo backend > node_modules/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.node.js`;

let cache: string;
let tests = 0;
beforeEach(() => {
  cache = join(home, `cache-${tests++}`);
});

const variables = (): NodeJS.ProcessEnv => ({
  SOFTBOX_CACHE: cache,
  PATH: `${join(home, "bin")}:${process.env.PATH}`,
  npm_execpath: "",
  CXX: "/nonexistent/c++", // nothing of Dawn's is to be silenced
});
const doctor = (...args: string[]) => softbox(home, ["doctor", ...args], variables());
const install = () => doctor("--install", "webgpu");
const place = (): string => placeOf(cache);
/** What lies where places lie. */
const places = (): string[] => (existsSync(join(cache, "webgpu")) ? readdirSync(join(cache, "webgpu")) : []);

const noAdapter = /^error: engine webgpu: Dawn finds no GPU, .*\nhint: It wants /;

test("what this system needs is kept; without an adapter it says which driver is wanted, again at the next run; --remove takes it back", async () => {
  makeNpm(wholeNpm);
  const first = await install();
  expect([first.code, first.err]).toEqual([1, expect.stringMatching(noAdapter)]);
  expect(readdirSync(join(place(), "webgpu/dist"))).toEqual([libraryFolder.split("/")[1]]);
  expect(readFileSync(join(place(), parts.backend), "utf8")).toBe("backend\n");
  makeNpm("echo npm is asked again >&2; exit 1");
  const second = await install();
  expect([second.code, second.out]).toEqual([1, expect.stringContaining(`are there: ${place()}`)]);
  const removed = await doctor("--remove", "webgpu");
  expect([removed.code, places()]).toEqual([0, []]);
  expect((await doctor("--remove", "webgpu")).out).toBe("There is nothing to remove.\n");
});

test("a file that changed since is noticed, and all is fetched anew", async () => {
  makeNpm(wholeNpm);
  await install();
  writeFileSync(join(place(), parts.backend), "bbckend\n");
  expect((await install()).out).toContain("npm fetches them");
  expect(readFileSync(join(place(), parts.backend), "utf8")).toBe("backend\n");
});

test("npm's word of no network, an altered package, a full disk is told, nothing is left, and the next run succeeds", async () => {
  for (const said of [
    "network request to the registry failed",
    "sha512-x integrity checksum failed",
    "nospc ENOSPC: no space left on device",
  ]) {
    makeNpm(`mkdir -p node_modules/webgpu; echo npm error code E >&2; echo npm error ${said} >&2; exit 1`);
    const { code, err } = await install();
    expect([code, err]).toEqual([
      1,
      `error: webgpu: npm cannot install it: ${said}\nhint: Is there a network, and does npm reach its registry? Then run the command again.\n`,
    ]);
    expect(places()).toEqual([]);
  }
  makeNpm(wholeNpm);
  expect((await install()).err).toMatch(noAdapter);
});

test("a system for which Dawn has no library is told so", async () => {
  makeNpm(wholeNpm.replaceAll(libraryFolder, "dist/third-system"));
  expect((await install()).err).toMatch(/^error: webgpu: its package has no library for \w+ on \w+\nhint: /);
  expect(places()).toEqual([]);
});

test("killed at any moment it leaves no half place, and the next run succeeds", async () => {
  makeNpm(`sleep 0.2${wholeNpm}`);
  for (const milliseconds of [300, 600, 1200]) {
    const child = spawn(process.execPath, [program, "doctor", "--install", "webgpu"], {
      cwd: home,
      env: { ...environment(home), ...variables() },
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.on("close", resolve));
    const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
    await ended;
    clearTimeout(timer);
    for (const name of places())
      if (!name.includes(".partial-")) expect(existsSync(join(place(), parts.manifest))).toBe(true);
  }
  expect((await install()).err).toMatch(noAdapter);
  expect(places()).toEqual([place().split("/").at(-1)]);
});
