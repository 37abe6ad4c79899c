import { crc32, deflateRawSync } from "node:zlib";

/** An entry of an archive; what is not told is as it should be. */
export interface ZipPart {
  name: string;
  content: Buffer;
  stored?: boolean;
  /** What the directory says, where it lies. */
  crc?: number;
  size?: number;
  mode?: number;
  flags?: number;
  method?: number;
  /** Points at the bytes of the part of this index instead of its own. */
  bytesOf?: number;
  /** Sizes and offset in the fields of zip64. */
  zip64?: boolean;
}

/** A zip archive, honest or not. */
export function zipOf(parts: ZipPart[]): Buffer {
  const locals: Buffer[] = [];
  const places: { offset: number; bytes: number }[] = [];
  let offset = 0;
  for (const part of parts) {
    const data = dataOf(part);
    const local = Buffer.concat([localHeader(part, data), data]);
    places.push({ offset, bytes: data.length });
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(
    parts.map((part, index) => {
      const place = places[part.bytesOf ?? index];
      if (place === undefined) throw new Error("no such part");
      return centralHeader(part, place);
    }),
  );
  return Buffer.concat([...locals, directory, ending(parts, directory.length, offset)]);
}

const full = 0xffffffff;

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
    [4, part.zip64 ? full : bytes],
    [4, part.zip64 ? full : size],
    [2, name.length],
    [2, extra.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, ((part.mode ?? 0o100644) << 16) >>> 0],
    [4, part.zip64 ? full : offset],
    name,
    extra,
  ]);
}

function ending(parts: ZipPart[], directoryBytes: number, directoryOffset: number): Buffer {
  const wide = parts.some(({ zip64 }) => zip64);
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
  const usual = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, wide ? 0xffff : parts.length],
    [2, wide ? 0xffff : parts.length],
    [4, wide ? full : directoryBytes],
    [4, wide ? full : directoryOffset],
    [2, 0],
  ]);
  return wide ? Buffer.concat([zip64, usual]) : usual;
}

/** Numbers of so many bytes, the lowest first, and bytes as they are. */
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
