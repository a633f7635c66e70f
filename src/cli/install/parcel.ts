/**
 * @file Files of Python packages, read without Python: from a wheel, which is a zip file, or from a folder that one was unpacked
 * to. Each file is held to the size and SHA-256 in the package's own list (`*.dist-info/RECORD`, PEP 376).
 */
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { type Entry, openPromise } from "yauzl";
import { SandboxError } from "../../engine/errors.ts";
import { explainReading } from "../../engine/files.ts";

export interface Parcel {
  /** For messages: a wheel's name or a folder. */
  readonly name: string;
  /** Paths as in a wheel, `tensorflow/libtensorflow_cc.so.2`, with bytes. */
  readonly files: ReadonlyMap<string, number>;
  /** Opens a file; it ends in an error where the wheel is damaged. */
  read(file: string): Promise<Readable>;
  close(): void;
}

/** @throws {SandboxError} if it is no whole zip file. */
export async function openWheel(path: string): Promise<Parcel> {
  const name = basename(path);
  try {
    const zip = await openPromise(path, { autoClose: false, lazyEntries: true });
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
    return {
      name,
      files: new Map([...entries].map(([file, entry]) => [file, entry.uncompressedSize])),
      read: (file) => zip.openReadStreamPromise(entries.get(file)!),
      close: () => zip.close(),
    };
  } catch (error) {
    const told = explainReading(path, error);
    throw told instanceof SandboxError ? told : damagedWheel(name, error);
  }
}

export const damagedWheel = (name: string, cause: unknown): SandboxError =>
  new SandboxError(
    `${name}: it is no whole wheel: ${(cause as Error).message.split("\n")[0]}`,
    "Fetch it again: run the command without --from, or name another file.",
    { cause },
  );

/** What lies in a folder such as Python's `site-packages`. */
export function openFolder(folder: string): Parcel {
  const files = new Map<string, number>();
  const walk = (path: string): void => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const inner = path ? `${path}/${entry.name}` : entry.name;
      if (entry.isDirectory()) walk(inner);
      else files.set(inner, statSync(join(folder, inner)).size);
    }
  };
  const wanted = readdirSync(folder).filter((name) => /^(tensorflow|nvidia)$|^tensorflow.*\.dist-info$/.test(name));
  for (const name of wanted) walk(name);
  return { name: folder, files, read: async (file) => createReadStream(join(folder, file)), close: () => {} };
}

/**
 * What the user names by `--from`: wheels, a folder of wheels, or a folder with an unpacked `tensorflow` in it.
 *
 * @throws {SandboxError} if it is nothing of that.
 */
export async function openParcels(path: string): Promise<Parcel[]> {
  if (!existsSync(path))
    throw new SandboxError(`--from ${path}: there is no such file or folder`, "Name a wheel or a folder.");
  if (!statSync(path).isDirectory()) return [await openWheel(path)];
  const library = "libtensorflow_cc.so.2";
  if (existsSync(join(path, "tensorflow", library))) return [openFolder(path)];
  if (existsSync(join(path, library))) return [openFolder(dirname(join(path, ".")))];
  const wheels = readdirSync(path).filter((name) => /^(tensorflow(_cpu)?|nvidia_.*)-\d.*\.whl$/.test(name));
  if (wheels.some((name) => name.startsWith("tensorflow")))
    return Promise.all(wheels.map((name) => openWheel(join(path, name))));
  throw new SandboxError(
    `--from ${path}: expected a folder with wheels, or with tensorflow/${library}, got neither`,
    "pip download --no-deps tensorflow-cpu==2.21.0 fetches the wheel; Python's site-packages is such a folder too.",
  );
}

export async function readText(parcel: Parcel, file: string): Promise<string> {
  if (!parcel.files.has(file)) return "";
  const chunks: Buffer[] = [];
  for await (const chunk of await parcel.read(file)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Lines `path,sha256=<base64url>,bytes` as SHA-256 by path, in hexadecimal; empty where the package has no such list. */
export async function recordedHashes(parcel: Parcel): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const file of parcel.files.keys()) {
    if (!/^[^/]+\.dist-info\/RECORD$/.test(file)) continue;
    for (const [, path, hash] of (await readText(parcel, file)).matchAll(/^"?(.+?)"?,sha256=([\w-]+=*),\d*\r?$/gm))
      hashes.set(path!, Buffer.from(hash!, "base64url").toString("hex"));
  }
  return hashes;
}

export interface Distribution {
  /** `tensorflow_cpu`, `tensorflow`. */
  readonly project: string;
  readonly version: string;
  /** Requirements of the extra `and-cuda`: project and version range, `<13.0,>=12.5`. */
  readonly cuda: readonly { readonly project: string; readonly wanted: string }[];
}

/** What the metadata of TensorFlow's package say. @throws {SandboxError} if the parcel holds no TensorFlow. */
export async function describeTensorflow(parcel: Parcel): Promise<Distribution> {
  const file = [...parcel.files.keys()].find((path) =>
    /^tensorflow(_cpu|_intel)?-[^/]+\.dist-info\/METADATA$/.test(path),
  );
  const [, project, version] = file?.match(/^([^-]+)-(.+)\.dist-info/) ?? [];
  if (!file || !project || !version)
    throw new SandboxError(
      `${parcel.name}: expected the package tensorflow-cpu or tensorflow, got something else`,
      "pip download --no-deps tensorflow-cpu==2.21.0 fetches the wheel that is wanted.",
    );
  const metadata = await readText(parcel, file);
  const cuda = [...metadata.matchAll(/^Requires-Dist: (nvidia-[\w-]+)\s*\(?([^;)]*)\)?;.*extra == ['"]and-cuda['"]/gm)];
  return { project, version, cuda: cuda.map(([, name, wanted]) => ({ project: name!, wanted: wanted!.trim() })) };
}
