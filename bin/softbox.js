#!/usr/bin/env node
// Sets what must be set before any module loads, then hands over to the built program.
import { existsSync } from "node:fs";

// React's development build keeps a performance entry for every render; long sessions would grow without end.
process.env.NODE_ENV = "production";

const [major, minor] = process.versions.node.split(".").map(Number);
const main = new URL("../dist/cli/main.js", import.meta.url);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `error: softbox needs Node 20.19 or newer, this is ${process.versions.node}\n` +
      "hint: Install a newer one, for example from https://nodejs.org, and run npm ci again.\n",
  );
  process.exitCode = 1;
} else if (existsSync(main)) {
  const { runCommandLine } = await import(main.href);
  await runCommandLine(process.argv.slice(2));
} else {
  process.stderr.write("softbox is not built yet. In its folder run: npm ci\n");
  process.exitCode = 1;
}
