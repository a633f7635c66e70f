/** @file Makes wheels, which are zip files with a list of their files' hashes, small enough for tests. */
import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";

/** A zip file of deflated entries (APPNOTE 6.3, without zip64). */
export function zipOf(files: Readonly<Record<string, Buffer | string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26); // from "version needed" on, as both headers have it
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4); // deflate
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.from("PK\x01\x02\x14\x00"), common, tail, Buffer.from(name));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  const count = Object.keys(files).length;
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from("PK\x05\x06"), end]);
}

/** A wheel of project `name` with its RECORD; `metadata` are lines of its METADATA. */
export function wheelOf(
  name: string,
  version: string,
  files: Readonly<Record<string, Buffer | string>>,
  metadata: readonly string[] = [],
): Buffer {
  const info = `${name}-${version}.dist-info`;
  const all: Record<string, Buffer | string> = {
    ...files,
    [`${info}/METADATA`]: [`Name: ${name}`, `Version: ${version}`, ...metadata, ""].join("\n"),
  };
  const lines = Object.entries(all).map(([path, content]) => {
    const hash = createHash("sha256").update(content).digest("base64url");
    return `${path},sha256=${hash},${Buffer.byteLength(content)}\n`;
  });
  return zipOf({ ...all, [`${info}/RECORD`]: `${lines.join("")}${info}/RECORD,,\n` });
}
