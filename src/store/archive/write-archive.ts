import { createHash, randomBytes } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { checkDiskSpace, diskFullError } from "../../base/disk-space.ts";
import { hasCode } from "../../base/files.ts";
import { hashFile, hashFileSync } from "../../base/hash-file.ts";
import { syncFolder } from "../../base/replace-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { ExportedFile, ExportManifest } from "../../contract/generated/types.ts";
import { schemaVersion, toJson } from "../files.ts";
import type { FileSource, FileToExport } from "./collect-files.ts";
import { manifestName } from "./layout.ts";

export interface ArchiveFacts extends Pick<ExportManifest, "sweep" | "models" | "cliprpn_version"> {
  signal: AbortSignal;
  onProgress: (done_bytes: number, all_bytes: number) => void;
}

/**
 * Writes an archive: the manifest, then the files. It gets its name when it is complete; after an error there is none.
 *
 * @returns its size in bytes.
 * @throws CliprpnError bad_input if the file exists, or one to export changes meanwhile; no_space; the signal's reason.
 */
export async function writeArchive(
  file: string,
  files: readonly FileToExport[],
  { signal, onProgress, ...facts }: ArchiveFacts,
): Promise<number> {
  checkIsNew(file);
  const exported = await describeAll(files, signal);
  const all_bytes = exported.reduce((sum, { bytes }) => sum + bytes, 0);
  await checkDiskSpace({
    folder: dirname(file),
    needed_bytes: all_bytes,
    what: "the archive",
    advice: "choose another --out",
  });
  const manifest: ExportManifest = {
    schema_version: schemaVersion,
    kind: "cliprpn-export",
    exported_at: new Date().toISOString(),
    ...facts,
    files: exported,
  };
  const staging = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}.new`);
  try {
    let done = 0;
    const onChunk = (bytes: number): void => {
      done += bytes;
      onProgress(done, all_bytes);
    };
    await writeZip(staging, manifest, files, onChunk, signal);
    checkIsNew(file);
    renameSync(staging, file);
    syncFolder(dirname(file));
  } catch (error) {
    if (hasCode(error, "ENOENT") && error instanceof Error && "path" in error)
      throw changed(String(error.path));
    throw diskFullError(file, error, "free some space, or choose another --out") ?? error;
  } finally {
    rmSync(staging, { force: true });
  }
  return statSync(file).size;
}

/** @throws CliprpnError bad_input, not_found. */
export function checkIsNew(file: string): void {
  if (existsSync(file))
    throw new CliprpnError(
      "bad_input",
      `${file}: expected the name of a new file, found an existing one; choose another --out, or remove it`,
    );
  if (!existsSync(dirname(file)))
    throw new CliprpnError(
      "not_found",
      `${dirname(file)}: expected the folder of the archive, found none; create it, or choose another --out`,
    );
}

async function describeAll(files: readonly FileToExport[], signal: AbortSignal): Promise<ExportedFile[]> {
  const exported: ExportedFile[] = [];
  for (const each of files) {
    signal.throwIfAborted();
    try {
      exported.push(await describe(each));
    } catch (error) {
      throw hasCode(error, "ENOENT") ? changed(each.path) : error;
    }
  }
  return exported;
}

async function describe({ path, source }: FileToExport): Promise<ExportedFile> {
  if (Buffer.isBuffer(source))
    return { path, bytes: source.length, sha256: createHash("sha256").update(source).digest("hex") };
  const { file, edit } = source;
  if (edit !== undefined) return describe({ path, source: edit(readFileSync(file)) });
  const bytes = statSync(file).size;
  return { path, bytes, sha256: bytes < smallBytes ? hashFileSync(file) : await hashFile(file) };
}

async function writeZip(
  staging: string,
  manifest: ExportManifest,
  files: readonly FileToExport[],
  onChunk: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const zip = new ZipFile();
  const output = zip.outputStream;
  zip.on("error", (error) => output.emit("error", error));
  output.on("error", () => undefined); // Also after the pipeline below, which reports the first one, has ended.
  const options = { mtime: new Date(manifest.exported_at), mode: 0o100644 };
  zip.addBuffer(Buffer.from(toJson(manifest)), manifestName, options);
  for (const [index, { path, source }] of files.entries()) {
    const expected = manifest.files[index];
    // Weights and Parquet are not compressible.
    const compress = !/\.(safetensors|parquet|png|jpg|webp)$/.test(path);
    if (Buffer.isBuffer(source)) zip.addBuffer(source, path, { ...options, compress });
    else
      zip.addReadStreamLazy(path, { ...options, compress, size: expected?.bytes ?? 0 }, (callback) => {
        const checked = new CheckedStream(source.file, expected?.sha256, onChunk);
        pass(source, expected?.bytes ?? 0, checked).catch((error) => zip.emit("error", error));
        callback(null, checked);
      });
  }
  zip.end();
  await pipeline(output, createWriteStream(staging, { flags: "wx", flush: true }), { signal });
}

/** A file's stream costs a millisecond, and a sweep has tens of thousands of small ones. */
const smallBytes = 2 ** 20;

async function pass({ file, edit }: FileSource, bytes: number, to: CheckedStream): Promise<void> {
  const isWhole = edit !== undefined || bytes < smallBytes;
  const content = (): Buffer => edit?.(readFileSync(file)) ?? readFileSync(file);
  await pipeline(isWhole ? [content()] : createReadStream(file), to);
}

/** Passes a file on, and fails if it is not the one that the manifest describes. */
class CheckedStream extends Transform {
  readonly #hash = createHash("sha256");

  constructor(file: string, sha256: string | undefined, onChunk: (bytes: number) => void) {
    super({
      transform: (chunk, _encoding, callback) => {
        this.#hash.update(chunk);
        onChunk(chunk.length);
        callback(null, chunk);
      },
      flush: (callback) => {
        callback(this.#hash.digest("hex") === sha256 ? null : changed(file));
      },
    });
  }
}

function changed(file: string): CliprpnError {
  return new CliprpnError(
    "bad_input",
    `${file}: expected a finished file, found one that changed or was removed during the export; re-run the command`,
  );
}
