import { closeSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import { type Extracted, extractZipPaths, listZip } from "./extract-zip.ts";
import type { FoundFile } from "./find/find-image.ts";
import { cleanPath } from "./find/find-images.ts";
import type { ImageRoot, ImageTree } from "./find/image-tree.ts";
import { foldName } from "./find/written-name.ts";
import { extractTarPaths, listTar } from "./tar-archive.ts";

/** The images of one or several archives. With several, the paths of each begin with its number. */
export class ArchiveTree implements ImageTree {
  readonly name: string;
  readonly roots: ImageRoot[];
  readonly #paths: string[];
  readonly #set: Set<string>;

  private constructor(archives: readonly string[], paths: string[]) {
    this.name = archives.join(" and ");
    this.roots = archives.map((_, index) => ({
      prefix: prefixOf(archives, index),
      split: null,
      folders: [],
    }));
    this.#paths = paths;
    this.#set = new Set(paths);
  }

  /** Lists the archives. @throws CliprpnError data_invalid, not_found, interrupted. */
  static async open(archives: readonly string[], signal?: AbortSignal): Promise<ArchiveTree> {
    const paths: string[] = [];
    for (const [index, archive] of archives.entries()) {
      const isZip = archiveKind(archive) === "zip";
      for (const path of isZip ? await listZip(archive) : await listTar(archive, signal))
        if (!path.startsWith("__MACOSX/")) paths.push(prefixOf(archives, index) + path);
    }
    return new ArchiveTree(archives, paths);
  }

  readonly has = (path: string): boolean => this.#set.has(path);
  readonly paths = (): string[] => this.#paths;
  readonly leftOut = (): string[] => [];
}

function prefixOf(archives: readonly string[], index: number): string {
  return archives.length === 1 ? "" : `${index}/`;
}

/**
 * Where each file of an archive is extracted to: under its path if the annotations name it so, else under its base
 * name, or under its path if the archive has several of this base name. Other annotations may name other files of the
 * archive later, and extracted files are kept.
 *
 * @param taken names that no file may get.
 * @throws CliprpnError data_invalid if two paths differ only in how they are written, such as `a/b.jpg` and `a//b.jpg`.
 */
export function extractionNames(
  files: Iterable<FoundFile>,
  tree: ImageTree,
  taken: ReadonlySet<string>,
): Map<string, string> {
  const exact = new Set<string>();
  const paths = new Set<string>();
  for (const { path, difference } of files) {
    paths.add(path);
    if (difference === undefined) exact.add(path);
  }
  const counts = new Map<string, number>();
  for (const path of tree.paths()) {
    const base = foldName(basename(path));
    counts.set(base, (counts.get(base) ?? 0) + 1);
  }
  const names = new Map<string, string>();
  const pathOf = new Map<string, string>();
  for (const path of paths) {
    const base = basename(path);
    const isFree = counts.get(foldName(base)) === 1 && !taken.has(base) && !base.startsWith(".");
    const name = !exact.has(path) && isFree ? base : cleanPath(path);
    const other = pathOf.get(name);
    if (other !== undefined)
      throw new CliprpnError(
        "data_invalid",
        `${tree.name}: expected one file ${JSON.stringify(name)}, found two: ${JSON.stringify(other)} and ${JSON.stringify(path)}; unpack it and pass the folder`,
      );
    pathOf.set(name, path);
    names.set(path, name);
  }
  return names;
}

export interface ExtractImagesOptions {
  archives: readonly string[];
  /** Path in the tree to the name of the extracted file. */
  files: ReadonlyMap<string, string>;
  folder: string;
  onProgress: (done: number, total: number) => void;
  signal: AbortSignal | undefined;
}

/** Extracts images of all archives. @returns those that cannot be extracted, and why. @throws CliprpnError. */
export async function extractImages({
  archives,
  files,
  ...options
}: ExtractImagesOptions): Promise<Extracted["refused"]> {
  const refused: Extracted["refused"] = [];
  for (const [index, archive] of archives.entries()) {
    const prefix = prefixOf(archives, index);
    const own = new Map(
      [...files]
        .filter(([path]) => path.startsWith(prefix))
        .map(([path, file_name]) => [path.slice(prefix.length), file_name]),
    );
    if (own.size === 0) continue;
    const extract = archiveKind(archive) === "zip" ? extractZipPaths : extractTarPaths;
    refused.push(...(await extract({ ...options, archive, files: own })).refused);
  }
  return refused;
}

/**
 * What kind of archive a file is, by its first bytes.
 *
 * @throws CliprpnError bad_input for a kind that is not read.
 */
export function archiveKind(file: string): "zip" | "tar" {
  const head = readHead(file);
  if (head.toString("latin1", 0, 2) === "PK") return "zip";
  if (head.toString("latin1", 257, 262) === "ustar" || (head[0] === 0x1f && head[1] === 0x8b)) return "tar";
  const kind = others.find(([, bytes]) => head.subarray(0, bytes.length).equals(Buffer.from(bytes)))?.[0];
  throw new CliprpnError(
    "bad_input",
    `${file}: expected a folder, a .zip, a .tar or a .tar.gz of images, found ${kind === undefined ? "another kind of file" : `${kind}; unpack it and pass the folder`}`,
  );
}

const others: [kind: string, magic: number[]][] = [
  ["a RAR archive", [0x52, 0x61, 0x72, 0x21]],
  ["a 7z archive", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["an archive compressed with bzip2", [0x42, 0x5a, 0x68]],
  ["an archive compressed with xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["an archive compressed with zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["a JPEG image", [0xff, 0xd8, 0xff]],
  ["a PNG image", [0x89, 0x50, 0x4e, 0x47]],
  ["a Parquet file", [0x50, 0x41, 0x52, 0x31]],
];

const head_bytes = 512;

function readHead(file: string): Buffer {
  const head = Buffer.alloc(head_bytes);
  const descriptor = openSync(file, "r");
  try {
    return head.subarray(0, readSync(descriptor, head, 0, head_bytes, 0));
  } finally {
    closeSync(descriptor);
  }
}
