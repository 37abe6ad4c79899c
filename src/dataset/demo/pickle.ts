/** Values that `pickle` can write. */
export type Picklable = string | number | boolean | null | Picklable[] | { [key: string]: Picklable };

/**
 * Writes plain values as a Python pickle (protocol 2), the format of RefCOCOg's refs: integers as int, other
 * numbers as float.
 */
export function pickle(value: Picklable): Buffer {
  const parts: Buffer[] = [Buffer.from([0x80, 2])];
  write(value, parts);
  parts.push(Buffer.from("."));
  return Buffer.concat(parts);
}

function write(value: Picklable, parts: Buffer[]): void {
  if (value === null) parts.push(Buffer.from("N"));
  else if (typeof value === "boolean") parts.push(Buffer.from(value ? "\x88" : "\x89", "latin1"));
  else if (typeof value === "number") parts.push(number(value));
  else if (typeof value === "string") {
    const text = Buffer.from(value, "utf8");
    const head = Buffer.from("X\0\0\0\0", "latin1");
    head.writeUInt32LE(text.length, 1);
    parts.push(head, text);
  } else if (Array.isArray(value)) {
    parts.push(Buffer.from("](")); // EMPTY_LIST, MARK.
    for (const item of value) write(item, parts);
    parts.push(Buffer.from("e"));
  } else {
    parts.push(Buffer.from("}("));
    for (const [key, item] of Object.entries(value)) {
      write(key, parts);
      write(item, parts);
    }
    parts.push(Buffer.from("u"));
  }
}

function number(value: number): Buffer {
  if (!Number.isFinite(value)) throw new RangeError("only finite numbers can be pickled");
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
    const int = Buffer.from("J\0\0\0\0", "latin1");
    int.writeInt32LE(value, 1);
    return int;
  }
  const float = Buffer.from("G\0\0\0\0\0\0\0\0", "latin1");
  float.writeDoubleBE(value, 1);
  return float;
}
