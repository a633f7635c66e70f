/** @file Which package index pip is set up with: asked of pip itself, which alone knows how its files and variables add up. */
import { spawnSync } from "node:child_process";
import { SandboxError } from "../../engine/errors.ts";

const commands = [["python3", "-m", "pip"], ["pip3"], ["pip"], ["python", "-m", "pip"]] as const;

/** Runs pip, if there is one. */
function ask(...args: string[]): { ok: boolean; output: string } | undefined {
  for (const [command, ...before] of commands) {
    const env = { ...process.env, COLUMNS: "400" };
    const { status, stdout, error } = spawnSync(command, [...before, ...args], { encoding: "utf8", env });
    if (!error && !(status !== 0 && before.length && /No module named/.test(stdout)))
      return { ok: status === 0, output: stdout };
  }
  return undefined;
}

/** Where packages are asked for. */
export interface PackageIndex {
  /** Ends with a slash; without user and password. */
  readonly url: string;
  /** `authorization`, where the address holds a user. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The index that the user names, else that of `PIP_INDEX_URL`, of pip's configuration, or pip's own default.
 *
 * @throws {SandboxError} if there is none, or it is no address of the web.
 */
export function choosePackageIndex(named?: string): PackageIndex {
  const [source, text] = named
    ? ["--index", named]
    : process.env.PIP_INDEX_URL
      ? ["PIP_INDEX_URL", process.env.PIP_INDEX_URL]
      : ["pip", configured() ?? byDefault()];
  if (text === undefined)
    throw new SandboxError(
      "package index: none is known, for there is no pip to ask",
      "Name one: --index <address of a simple index>, such as PyPI's. Or fetch the wheel elsewhere: --from <wheel>.",
    );
  return parseIndex(text, source!);
}

function configured(): string | undefined {
  for (const key of ["download.index-url", "global.index-url"]) {
    const answer = ask("config", "get", key);
    if (answer?.ok && answer.output.trim()) return answer.output.trim();
  }
  return undefined;
}

/** The default is told by pip's help alone. */
function byDefault(): string | undefined {
  const help = ask("help", "download")?.output.replace(/\s+/g, " ");
  return help?.match(/--index-url .*?\(default (https?:\/\/[^\s)]+)\)/)?.[1];
}

function parseIndex(text: string, source: string): PackageIndex {
  let url: URL;
  try {
    url = new URL(text.endsWith("/") ? text : `${text}/`);
  } catch {
    throw badIndex(text, source);
  }
  if (!/^https?:$/.test(url.protocol)) throw badIndex(text, source);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (!username) return { url: url.href, headers: {} };
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(user).toString("base64")}` } };
}

const badIndex = (text: string, source: string): SandboxError =>
  new SandboxError(
    `package index (${source}): expected an address that begins with http:// or https://, got ${JSON.stringify(text)}`,
    "Name another by --index <url>, or give a wheel by --from <wheel>.",
  );
