import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import type { Entry, ZipFile } from "yauzl";
import { findOverlap, messageOf, openZip, problemOf } from "../../base/zip-file.ts";
import { check } from "../../contract/check.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { ExportedFile, ExportManifest } from "../../contract/generated/types.ts";
import { parseJson, schemaVersion } from "../files.ts";
import { archivePath, manifestName, maxBytes, maxManifestBytes } from "./layout.ts";

/** What a file is, by its content: `other` is a zip archive that is none of the two. */
export type FileKind = "archive" | "checkpoint" | "other";

/**
 * Tells an archive of a sweep from a checkpoint: torch writes zip archives too. A damaged archive is still one, by its first file.
 *
 * @throws CliprpnError not_found.
 */
export async function kindOfFile(file: string): Promise<FileKind> {
  const start = readStart(file);
  if (!start.subarray(0, 4).equals(zipSignature)) return "checkpoint"; // torch's older format, or no checkpoint.
  if (start.subarray(nameOffset, nameOffset + manifestName.length).toString() === manifestName)
    return "archive";
  try {
    const zip = await openZip(file);
    try {
      for await (const { fileName } of zip.eachEntry()) {
        if (fileName === manifestName) return "archive";
        if (fileName.endsWith("/data.pkl")) return "checkpoint";
      }
      return "other";
    } finally {
      zip.close();
    }
  } catch {
    return "checkpoint"; // Reading it as one says what is wrong.
  }
}

const zipSignature = Buffer.from("PK\x03\x04");
/** Of the name in a zip archive's first header. */
const nameOffset = 30;

function readStart(file: string): Buffer {
  try {
    const fd = openSync(file, "r");
    try {
      const start = Buffer.alloc(nameOffset + manifestName.length);
      readSync(fd, start);
      return start;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new CliprpnError(
      "not_found",
      `${file}: expected an archive of \`cliprpn export\`, or a checkpoint; found no readable file`,
      { cause: error },
    );
  }
}

/** An open archive, whose names and manifest are checked; the content of its files is not. */
export class SweepArchive {
  readonly file: string;
  readonly manifest: ExportManifest;
  readonly #zip: ZipFile;
  readonly #entries: Map<string, Entry>;

  /**
   * @throws CliprpnError data_invalid if it is damaged, or has a file that no export writes; bad_input if a newer version of
   *   cliprpn wrote it. The caller closes it.
   */
  static async open(file: string): Promise<SweepArchive> {
    const zip = await openZip(file).catch((error) => {
      throw invalid(file, `expected a complete archive, found: ${messageOf(error)}; copy it again`, error);
    });
    try {
      const entries = await readEntries(zip, file);
      return new SweepArchive(file, zip, entries, await readManifest(zip, entries, file));
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  private constructor(file: string, zip: ZipFile, entries: Map<string, Entry>, manifest: ExportManifest) {
    this.file = file;
    this.manifest = manifest;
    this.#zip = zip;
    this.#entries = entries;
  }

  /** The bytes of a file. @throws CliprpnError data_invalid, at the end, if they are not those of the manifest. */
  async *stream({ path, bytes, sha256 }: ExportedFile): AsyncGenerator<Buffer> {
    const entry = this.#entries.get(path);
    const hash = createHash("sha256");
    let size = 0;
    if (entry !== undefined)
      for await (const chunk of readEntry(this.#zip, entry, this.file)) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    if (size !== bytes || hash.digest("hex") !== sha256)
      throw invalid(this.file, `${path}: expected the content that its manifest names, found other content`);
  }

  async read(file: ExportedFile): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.stream(file)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  close(): void {
    this.#zip.close();
  }
}

/** The entries by path. @throws CliprpnError data_invalid. */
async function readEntries(zip: ZipFile, file: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  const names = new Set<string>();
  for await (const entry of readDirectory(zip, file)) {
    const path = entry.fileName;
    const known = archivePath(path);
    if (path !== manifestName && known === undefined)
      throw invalid(file, `expected the files of an export, found ${JSON.stringify(path)}`);
    const problem = problemOf(entry, known === undefined ? maxManifestBytes : maxBytes(known));
    if (problem !== undefined) throw invalid(file, `${path}: ${problem}`);
    // Some file systems ignore case.
    if (names.has(path.toLowerCase())) throw invalid(file, `expected each file once, found ${path} twice`);
    names.add(path.toLowerCase());
    entries.set(path, entry);
  }
  const overlap = findOverlap([...entries.values()]);
  if (overlap !== undefined)
    throw invalid(
      file,
      `expected separate files, but ${overlap[0].fileName} and ${overlap[1].fileName} overlap`,
    );
  return entries;
}

/** yauzl itself refuses absolute paths, drive letters and `..`. */
async function* readDirectory(zip: ZipFile, file: string): AsyncGenerator<Entry> {
  try {
    yield* zip.eachEntry();
  } catch (error) {
    throw invalid(file, `expected a valid archive, found: ${messageOf(error)}`, error);
  }
}

/** yauzl stops at more bytes than the entry declares. */
async function* readEntry(zip: ZipFile, entry: Entry, file: string): AsyncGenerator<Buffer> {
  try {
    const stream: AsyncIterable<Buffer> = await zip.openReadStreamPromise(entry);
    yield* stream;
  } catch (error) {
    throw invalid(file, `${entry.fileName}: expected a complete file, found: ${messageOf(error)}`, error);
  }
}

/** The manifest, which names all other files of the archive. @throws CliprpnError data_invalid, bad_input. */
async function readManifest(
  zip: ZipFile,
  entries: ReadonlyMap<string, Entry>,
  file: string,
): Promise<ExportManifest> {
  const entry = entries.get(manifestName);
  if (entry === undefined) throw invalid(file, `expected ${manifestName}, found none`);
  const chunks: Buffer[] = [];
  for await (const chunk of readEntry(zip, entry, file)) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const manifest = checkContent("ExportManifest", text, manifestName, file);
  const listed = new Map(manifest.files.map((each) => [each.path, each]));
  for (const { path, bytes } of manifest.files)
    if (entries.get(path)?.uncompressedSize !== bytes || path === manifestName)
      throw invalid(file, `expected ${path} with ${bytes} bytes, found ${foundOf(entries.get(path))}`);
  const extra = [...entries.keys()].find((path) => path !== manifestName && !listed.has(path));
  if (extra !== undefined) throw invalid(file, `expected the files of its manifest, found also ${extra}`);
  if (listed.size !== manifest.files.length) throw invalid(file, `${manifestName}: expected each file once`);
  return manifest;
}

function foundOf(entry: Entry | undefined): string {
  return entry === undefined ? "none" : `${entry.uncompressedSize}`;
}

/** A JSON file of the archive. @throws CliprpnError data_invalid; bad_input if a newer version of cliprpn wrote it. */
export function checkContent<Name extends Parameters<typeof check>[0]>(
  name: Name,
  text: string,
  path: string,
  archive: string,
): ReturnType<typeof check<Name>> {
  return checkValue(name, parseJson(text), path, archive);
}

/** The same for a value. */
export function checkValue<Name extends Parameters<typeof check>[0]>(
  name: Name,
  value: unknown,
  path: string,
  archive: string,
): ReturnType<typeof check<Name>> {
  const version =
    typeof value === "object" && value !== null ? Reflect.get(value, "schema_version") : undefined;
  if (typeof version === "number" && version > schemaVersion)
    throw new CliprpnError(
      "bad_input",
      `${archive}: ${path}: expected version ${schemaVersion} of the format, found ${version}; a newer cliprpn exported it, import it with that version`,
    );
  try {
    return check(name, value, path);
  } catch (error) {
    throw invalid(archive, messageOf(error), error);
  }
}

/** The error for an archive that is damaged or was not made by an export. */
export function invalid(archive: string, problem: string, cause?: unknown): CliprpnError {
  return new CliprpnError("data_invalid", `${archive}: ${problem}. Nothing was imported`, { cause });
}
