// Makes the pictures of README: real screens of the built program in a pseudo-terminal, driven by keys.
//
//     npm run screens -- checkpoints/moby [checkpoints/moby-mos]
//
// The first run is a trained one; the second, where there is one, has a mixture head.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { screenSvg } from "./svg.mjs";

const program = fileURLToPath(new URL("../../bin/softbox.js", import.meta.url));
const folder = fileURLToPath(new URL(".", import.meta.url));
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs a command in a window, types `keys` each after its text has come, and pictures the last screen. */
async function capture(name, title, { columns, rows, args, keys }) {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const environment = { ...process.env, TERM: "xterm-256color" };
  for (const name of ["NO_COLOR", "CI"]) delete environment[name]; // with any value of CI there would be no colours
  const pty = spawn(process.execPath, [program, ...args], { cols: columns, rows, env: environment });
  pty.onData((data) => terminal.write(data));
  for (const [wanted, typed] of keys) {
    await shown(terminal, wanted);
    if (typed !== undefined) pty.write(typed);
  }
  await pause(300);
  await new Promise((resolve) => terminal.write("", resolve));
  writeFileSync(`${folder}${name}.svg`, screenSvg(terminal, title));
  pty.kill("SIGTERM");
  process.stdout.write(`docs/screens/${name}.svg\n`);
}

async function shown(terminal, wanted, limit = 120_000) {
  for (const start = Date.now(); Date.now() - start < limit; await pause(50)) {
    const { active } = terminal.buffer;
    const lines = Array.from({ length: terminal.rows }, (_, row) =>
      active.getLine(active.viewportY + row).translateToString(true),
    );
    if (wanted.test(lines.join("\n"))) return;
  }
  throw new Error(`${wanted} did not come`);
}

const [run = "checkpoints/moby", mixture] = process.argv.slice(2);

await capture("train", "softbox train --ui: loss curves, the probe's distribution re-forming, a sample", {
  columns: 110,
  rows: 30,
  args: ["train", "--ui", "--resume", run],
  keys: [[/replay/, "e"], [/finished/]],
});
await capture(
  "play",
  "softbox play: tokens in the colour of their probability, the next-token distribution raw and final",
  {
    columns: 100,
    rows: 26,
    args: ["play", run, "--temperature", "0.8", "--top-p", "0.9"],
    keys: [[/▸ 1 [01]/, "\r"], [/text · [3-9]\d tokens/, "\r"], [/^(?![\s\S]*running)/]],
  },
);
await capture("inside", "softbox play, the page of attention maps or of a mixture's components", {
  columns: 100,
  rows: 26,
  args: ["play", mixture ?? run, "--temperature", "0.8"],
  keys: [
    [/▸ 1 [01]/, "\r"],
    [/text · [3-9]\d tokens/, `\r${mixture ? "m" : "a"}`],
    [mixture ? /mixture · / : /attention · /],
  ],
});
