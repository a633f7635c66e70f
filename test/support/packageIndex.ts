/** @file A package index on this machine (PEP 691 or 503), with the faults that indexes and networks have. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface TestIndex {
  readonly url: string;
  /** Wheels by file name. */
  readonly wheels: Map<string, Buffer>;
  /** What goes wrong, until it is set anew. */
  fault: "none" | "altered" | "cut once" | "html" | "without hashes";
  /** Milliseconds between two pieces of a file. */
  delay: number;
  /** Ranges asked for, `""` for a whole file. */
  readonly asked: string[];
  close(): void;
}

export async function startIndex(): Promise<TestIndex> {
  const server = createServer((request, response) => answer(index, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const index: TestIndex = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`,
    wheels: new Map(),
    fault: "none",
    delay: 0,
    asked: [],
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return index;
}

function answer(index: TestIndex, request: IncomingMessage, response: ServerResponse): void {
  const [, folder, name] = new URL(request.url!, index.url).pathname.split("/") as [string, string, string];
  if (folder === "files") return void sendFile(index, name, request, response);
  const wheels = [...index.wheels].filter(([file]) => file.startsWith(`${name.replaceAll("-", "_")}-`));
  if (folder !== "simple" || wheels.length === 0) return void response.writeHead(404).end();
  const hashOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
  if (index.fault === "html") {
    const anchors = wheels.map(
      ([file, content]) => `<a href="../../files/${file}#sha256=${hashOf(content)}">${file}</a>`,
    );
    response
      .writeHead(200, { "content-type": "text/html" })
      .end(`<!DOCTYPE html><body>${anchors.join("<br>\n")}</body>`);
    return;
  }
  const hashes = (content: Buffer) => (index.fault === "without hashes" ? {} : { sha256: hashOf(content) });
  const files = wheels.map(([filename, content]) => ({
    filename,
    url: `../../files/${filename}`,
    size: content.length,
    hashes: hashes(content),
  }));
  response.writeHead(200, { "content-type": "application/vnd.pypi.simple.v1+json" }).end(JSON.stringify({ files }));
}

const pieces = 20;

async function sendFile(
  index: TestIndex,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const whole = Buffer.from(index.wheels.get(name)!);
  index.asked.push(request.headers.range ?? "");
  const start = Number(request.headers.range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
  if (index.fault === "altered") whole[whole.length >> 1]! ^= 1;
  const body = whole.subarray(start);
  response.writeHead(start ? 206 : 200, { "content-length": body.length });
  const cut = index.fault === "cut once" ? body.length >> 1 : body.length;
  if (index.fault === "cut once") index.fault = "none";
  const step = Math.max(1, Math.ceil(body.length / pieces));
  for (let at = 0; at < cut && !response.destroyed; at += step) {
    response.write(body.subarray(at, Math.min(cut, at + step)));
    if (index.delay) await new Promise((resolve) => setTimeout(resolve, index.delay));
  }
  if (cut < body.length) response.destroy();
  else response.end();
}
