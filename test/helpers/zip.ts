import { crc32, deflateRawSync } from "node:zlib";

/** An entry of an archive; optional fields override the correct values. */
export interface ZipPart {
  name: string;
  content: Buffer;
  stored?: boolean;
  /** Values to write in place of the true ones. */
  crc?: number;
  size?: number;
  mode?: number;
  flags?: number;
  method?: number;
  /** Index of another part: the directory points to its bytes. */
  bytesOf?: number;
  /** Writes sizes and offset in the zip64 fields. */
  zip64?: boolean;
}

/** A zip archive, valid or with the given wrong values. */
export function zipOf(parts: ZipPart[]): Buffer {
  const locals: Buffer[] = [];
  const locations: { offset: number; bytes: number }[] = [];
  let offset = 0;
  for (const part of parts) {
    const data = dataOf(part);
    const local = Buffer.concat([localHeader(part, data), data]);
    locations.push({ offset, bytes: data.length });
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(
    parts.map((part, index) => {
      const location = locations[part.bytesOf ?? index];
      if (location === undefined)
        throw new Error(`expected a part ${part.bytesOf}, found ${parts.length} parts`);
      return centralHeader(part, location);
    }),
  );
  return Buffer.concat([...locals, directory, endOfDirectory(parts, directory.length, offset)]);
}

const inZip64Field = 0xffffffff;

function dataOf({ content, stored }: ZipPart): Buffer {
  return stored ? content : deflateRawSync(content);
}

function methodOf({ stored, method }: ZipPart): number {
  return method ?? (stored ? 0 : 8);
}

function localHeader(part: ZipPart, data: Buffer): Buffer {
  const name = Buffer.from(part.name);
  return fields([
    [4, 0x04034b50],
    [2, 20],
    [2, part.flags ?? 0x800],
    [2, methodOf(part)],
    [4, 0],
    [4, part.crc ?? crc32(part.content)],
    [4, data.length],
    [4, part.size ?? part.content.length],
    [2, name.length],
    [2, 0],
    name,
  ]);
}

function centralHeader(part: ZipPart, { offset, bytes }: { offset: number; bytes: number }): Buffer {
  const name = Buffer.from(part.name);
  const size = part.size ?? part.content.length;
  const extra = part.zip64
    ? fields([
        [2, 1],
        [2, 24],
        [8, size],
        [8, bytes],
        [8, offset],
      ])
    : Buffer.alloc(0);
  return fields([
    [4, 0x02014b50],
    [2, (3 << 8) | 45],
    [2, 20],
    [2, part.flags ?? 0x800],
    [2, methodOf(part)],
    [4, 0],
    [4, part.crc ?? crc32(part.content)],
    [4, part.zip64 ? inZip64Field : bytes],
    [4, part.zip64 ? inZip64Field : size],
    [2, name.length],
    [2, extra.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, ((part.mode ?? 0o100644) << 16) >>> 0],
    [4, part.zip64 ? inZip64Field : offset],
    name,
    extra,
  ]);
}

function endOfDirectory(parts: ZipPart[], directoryBytes: number, directoryOffset: number): Buffer {
  const isZip64 = parts.some(({ zip64 }) => zip64);
  const zip64 = fields([
    [4, 0x06064b50],
    [8, 44],
    [2, 45],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, parts.length],
    [8, parts.length],
    [8, directoryBytes],
    [8, directoryOffset],
    [4, 0x07064b50],
    [4, 0],
    [8, directoryOffset + directoryBytes],
    [4, 1],
  ]);
  const endRecord = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, isZip64 ? 0xffff : parts.length],
    [2, isZip64 ? 0xffff : parts.length],
    [4, isZip64 ? inZip64Field : directoryBytes],
    [4, isZip64 ? inZip64Field : directoryOffset],
    [2, 0],
  ]);
  return isZip64 ? Buffer.concat([zip64, endRecord]) : endRecord;
}

/** Concatenates little-endian numbers of the given sizes, and buffers. */
function fields(list: ([bytes: 2 | 4 | 8, value: number] | Buffer)[]): Buffer {
  return Buffer.concat(
    list.map((field) => {
      if (Buffer.isBuffer(field)) return field;
      const [bytes, value] = field;
      const buffer = Buffer.alloc(bytes);
      if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value));
      else buffer.writeUIntLE(value, 0, bytes);
      return buffer;
    }),
  );
}
