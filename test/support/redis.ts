/**
 * @file A real redis-server of a test's own, on a free port, that keeps nothing on the disk. `SOFTBOX_TEST_REDIS` names it, else it is looked for
 * on the path; CI names it, so that there its absence is a failure.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";

export interface RedisServer {
  readonly url: string;
  /** Kills it with -9; what it held is lost. */
  kill(): Promise<void>;
  /** Starts it, empty, on the same port. */
  start(): Promise<void>;
}

/** The program's path; undefined where there is none and nobody insists. */
export function findRedis(): string | undefined {
  const named = process.env.SOFTBOX_TEST_REDIS;
  const name = named ?? "redis-server";
  const found = [name, ...(process.env.PATH ?? "").split(delimiter).map((place) => join(place, name))].find(existsSync);
  if (found === undefined && named !== undefined)
    throw new Error(
      `SOFTBOX_TEST_REDIS names ${named}, which is not there; apt-get install redis-server puts it in place`,
    );
  return found;
}

/** Starts `program` in `folder`; the caller kills it. */
export async function startRedis(program: string, folder: string): Promise<RedisServer> {
  const port = await freePort();
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "close");
  };
  const start = async (): Promise<void> => {
    server = await startServer(program, port, folder);
  };
  await start();
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

async function startServer(program: string, port: number, folder: string): Promise<ChildProcess> {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const server = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ready = new Promise<void>((resolve, reject) => {
    server.stdout!.on("data", (text) => /Ready to accept connections/.test(String(text)) && resolve());
    server.once("close", (code) => reject(new Error(`redis-server ended with code ${code}`)));
  });
  ready.catch(() => {}); // when it ends later, nobody waits any more
  const late = setTimeout(20_000, undefined, { ref: false }).then(() => {
    throw new Error("redis-server was not ready within 20 s");
  });
  await Promise.race([ready, late]);
  return server;
}
