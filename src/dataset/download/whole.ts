import { createHash } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { formatBytes } from "../../base/format.ts";
import { readInto } from "./disk.ts";
import type { SourceFile } from "./source-file.ts";

/**
 * What keeps the file in the folder from being the one that is wanted; "it is not there" included, undefined when nothing.
 * Checksums of 13 GB are read once: `downloads.json` remembers what was checked.
 */
export async function problemOf(
  folder: string,
  file: SourceFile,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = join(folder, file.name);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return "it is not there";
  if (!found.isFile()) return "it is no file";
  const quick = wrongSize(found.size, file) ?? (await wrongBeginning(path, file));
  if (quick !== undefined || file.checksum === null) return quick;
  const { algorithm, hex } = file.checksum;
  const now: Remembered = { bytes: found.size, mtime_ms: found.mtimeMs, checksum: `${algorithm}:${hex}` };
  const before = (await readRemembered(folder))[file.name];
  if (JSON.stringify(before) === JSON.stringify(now)) return undefined;
  const hash = createHash(algorithm);
  await readInto(hash, path, signal);
  const wrong = wrongChecksum(hash.digest("hex"), file);
  if (wrong === undefined) await remember(folder, file);
  return wrong;
}

/** Notes that a file was found whole, so that the next run need not read it. */
export async function remember(folder: string, { name, checksum }: SourceFile): Promise<void> {
  if (checksum === null) return;
  const { size, mtimeMs } = await stat(join(folder, name));
  const known = await readRemembered(folder);
  known[name] = { bytes: size, mtime_ms: mtimeMs, checksum: `${checksum.algorithm}:${checksum.hex}` };
  await writeFileAtomic(join(folder, "downloads.json"), `${JSON.stringify(known, null, 2)}\n`);
}

export function wrongSize(bytes: number, file: SourceFile): string | undefined {
  if (file.bytes === null || bytes === file.bytes) return undefined;
  return `it has ${bytes} bytes (${formatBytes(bytes)}), expected ${file.bytes} (${formatBytes(file.bytes)})`;
}

/** A web page instead of an archive shows in its first bytes, whether or not a checksum is known. */
export async function wrongBeginning(path: string, { name }: SourceFile): Promise<string | undefined> {
  if (!/\.zip$/i.test(name)) return undefined;
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const begins = buffer.subarray(0, bytesRead).toString("latin1");
    if (begins === "PK\x03\x04") return undefined;
    return `it is no zip archive: it begins with ${JSON.stringify(begins)}`;
  } finally {
    await handle.close();
  }
}

export function wrongChecksum(hex: string, { checksum }: SourceFile): string | undefined {
  if (checksum === null || checksum.hex === hex) return undefined;
  return `its ${checksum.algorithm} is ${hex}, expected ${checksum.hex}`;
}

interface Remembered {
  bytes: number;
  mtime_ms: number;
  checksum: string;
}

/** Whatever is wrong with it, nothing is remembered then and the files are read again. */
async function readRemembered(folder: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, "downloads.json"), "utf8"));
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}
