/** @file A real redis-server of a test's own, on a free port, that keeps nothing on the disk. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterAll } from "vitest";

export interface RedisServer {
  readonly url: string;
  /** Kills it with -9; what it held is lost. */
  kill(): Promise<void>;
  /** Starts it, empty, on the same port. */
  start(): Promise<void>;
}

/** Starts redis-server in `folder`; it ends with the file's tests. @throws {Error} if it is not installed. */
export async function startRedis(folder: string): Promise<RedisServer> {
  const port = await freePort();
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "close");
  };
  const start = async (): Promise<void> => {
    server = await startServer(port, folder);
  };
  await start();
  afterAll(kill);
  return { url: `redis://127.0.0.1:${port}`, kill, start };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function startServer(port: number, folder: string): Promise<ChildProcess> {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
  const missing = once(server, "error").then(() => {
    throw new Error(
      "redis-server is not installed, so nothing about sweeps over a queue can be tested here (Debian: apt-get install redis-server)",
    );
  });
  const ready = new Promise<void>((resolve, reject) => {
    server.stdout!.on("data", (text) => /Ready to accept connections/.test(String(text)) && resolve());
    server.once("close", (code) => reject(new Error(`redis-server ended with code ${code}`)));
  });
  ready.catch(() => {}); // when it ends later, nobody waits any more
  missing.catch(() => {});
  const late = setTimeout(20_000, undefined, { ref: false }).then(() => {
    throw new Error("redis-server was not ready within 20 s");
  });
  await Promise.race([ready, missing, late]);
  return server;
}
