/**
 * @file What a package index offers: the simple repository API in JSON (PEP 691) or HTML (PEP 503), with each file's SHA-256.
 */
import { z } from "zod";
import { SandboxError } from "../../engine/errors.ts";
import { type RemoteFile, refusal, unreachable } from "./download.ts";
import type { PackageIndex } from "./pip.ts";
import { compareVersions, satisfies } from "./versions.ts";

const accepted = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

const Listing = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      url: z.string(),
      hashes: z.record(z.string(), z.string()).default({}),
      size: z.number().int().nonnegative().optional(),
      yanked: z.union([z.boolean(), z.string()]).optional(),
    }),
  ),
});

/** A wheel that an index offers; the parts of its name as PEP 427 has them. */
export interface OfferedWheel extends RemoteFile {
  readonly version: string;
  /** `cp311`, `py3`. */
  readonly python: string;
  /** `manylinux_2_27_x86_64`. */
  readonly platform: string;
}

/** All wheels of a project that were not withdrawn. @throws {SandboxError} if the index does not answer or lacks it. */
export async function listWheels(index: PackageIndex, project: string): Promise<OfferedWheel[]> {
  const url = new URL(`${project}/`, index.url).href;
  const response = await fetch(url, {
    headers: { ...index.headers, accept: accepted },
    signal: AbortSignal.timeout(60_000),
  }).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  if (!response.ok) throw refusal(url, response);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  const files = isJson ? filesOfJson(url, text) : filesOfHtml(text);
  return files.flatMap((file) => parsed(file, response.url || url, index));
}

type Listed = z.infer<typeof Listing>["files"][number];

function filesOfJson(url: string, text: string): Listed[] {
  try {
    return Listing.parse(JSON.parse(text)).files;
  } catch (cause) {
    throw new SandboxError(
      `${url}: expected a listing of files in JSON (PEP 691), got something else`,
      "Is this the address of a simple index? Name another by --index <url>.",
      { cause },
    );
  }
}

/** Anchors: `<a href="…/name.whl#sha256=…" data-yanked="…">`. */
function filesOfHtml(text: string): Listed[] {
  return [...text.matchAll(/<a\s([^>]*)>/gi)].flatMap(([, attributes]) => {
    const href = attributes!.match(/href\s*=\s*["']([^"']+)["']/i)?.[1]?.replaceAll("&amp;", "&");
    if (!href) return [];
    const [url, fragment = ""] = href.split("#") as [string, string?];
    const sha256 = fragment.match(/sha256=([0-9a-f]{64})/i)?.[1]?.toLowerCase();
    const filename = decodeURIComponent(url.split("?")[0]!.split("/").at(-1)!);
    return [{ filename, url, hashes: sha256 ? { sha256 } : {}, yanked: /data-yanked/i.test(attributes!) }];
  });
}

function parsed({ filename, url, hashes, size, yanked }: Listed, base: string, index: PackageIndex): OfferedWheel[] {
  const parts = filename.match(/^[^-]+-([^-]+)(?:-\d[^-]*)?-([^-]+)-[^-]+-([^-]+)\.whl$/);
  if (!parts || yanked) return [];
  const address = new URL(url, base).href;
  const sameServer = new URL(address).origin === new URL(index.url).origin; // a password is for its own server
  const file = { name: filename, url: address, ...(hashes.sha256 ? { sha256: hashes.sha256 } : {}) };
  return [
    {
      ...file,
      ...(size === undefined ? {} : { size }),
      ...(sameServer ? { headers: index.headers } : {}),
      version: parts[1]!,
      python: parts[2]!,
      platform: parts[3]!,
    },
  ];
}

/**
 * The newest wheel for this machine's processor whose version satisfies `wanted`, such as `==2.21.0` or `<13.0,>=12.5`.
 *
 * @throws {SandboxError} if there is none.
 */
export function newestFitting(project: string, wheels: readonly OfferedWheel[], wanted: string): OfferedWheel {
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const fits = ({ platform }: OfferedWheel): boolean => platform.startsWith("manylinux") && platform.endsWith(machine);
  const fitting = wheels.filter((wheel) => fits(wheel) && satisfies(wheel.version, wanted));
  const best = fitting.sort((a, b) => compareVersions(b.version, a.version) || b.python.localeCompare(a.python))[0];
  if (best) return best;
  const versions = [...new Set(wheels.filter(fits).map(({ version }) => version))].sort(compareVersions).slice(-3);
  throw new SandboxError(
    `${project}: the index has no wheel ${wanted} for Linux on ${machine}` +
      (versions.length ? `; the newest it has are ${versions.join(", ")}` : ""),
    "Name another index by --index <url>, or a wheel that was fetched elsewhere by --from <wheel>.",
  );
}
