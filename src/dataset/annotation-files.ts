import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { count } from "../base/format.ts";
import { hashFile } from "../base/hash-file.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { AnnotationSource, SourceFile } from "../contract/generated/types.ts";
import { rowFormats } from "./prepare/row-formats.ts";

/**
 * The annotation files of a source with their hashes; a folder is one entry. What matches `known` in size and time is not read
 * again.
 *
 * @throws CliprpnError data_invalid when a file is missing.
 */
export async function describeFiles(
  source: AnnotationSource,
  known: readonly SourceFile[],
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const file of filesOf(source)) {
    const entry = measure(file);
    if (entry === undefined)
      throw new CliprpnError("data_invalid", `${file}: expected a file with annotations, found none`);
    const unchanged = known.find((other) => isUnchanged(entry, other));
    files.push(unchanged ?? { ...entry, sha256: await hashEntry(file) });
  }
  return files;
}

/** True if an annotation file or folder is no longer the recorded one. */
export async function hasChanged(recorded: SourceFile): Promise<boolean> {
  const entry = measure(recorded.file);
  if (entry === undefined) return true;
  if (isUnchanged(entry, recorded)) return false;
  return entry.bytes !== recorded.bytes || (await hashEntry(recorded.file)) !== recorded.sha256;
}

function filesOf(source: AnnotationSource): string[] {
  const only = (source.only ?? []).map(({ file }) => file);
  if (source.layout === "refcoco") return [source.instances_file, source.refs_file, ...only];
  const { besides = [] } = rowFormats[source.format];
  const files = source.files.flatMap(({ file }) => {
    const others = besides.map((name) => join(dirname(file), name)).filter((path) => existsSync(path));
    return [file, ...(source.instances == null ? others : [source.instances])];
  });
  return [...new Set(files), ...only, ...(source.match == null ? [] : [source.match.file])];
}

type Measured = Omit<SourceFile, "sha256">;

/** Size and time; of a folder, the sum of the sizes and the mean of the times. */
function measure(file: string): Measured | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isDirectory())
    return stat.isFile() ? { file, bytes: stat.size, mtime_ms: stat.mtimeMs } : undefined;
  const stats = annotationsIn(file).map((name) => statSync(join(file, name)));
  const bytes = stats.reduce((sum, { size }) => sum + size, 0);
  const mtime_ms = stats.reduce((sum, { mtimeMs }) => sum + mtimeMs, 0) / Math.max(stats.length, 1);
  return { file, bytes, mtime_ms };
}

function isUnchanged(a: Measured, b: Measured): boolean {
  return a.file === b.file && a.bytes === b.bytes && a.mtime_ms === b.mtime_ms;
}

/** A file's hash; of a folder, the hash of the names and hashes of its files. */
async function hashEntry(file: string): Promise<string> {
  if (!statSync(file).isDirectory()) return hashFile(file);
  const hash = createHash("sha256");
  for (const name of annotationsIn(file))
    hash.update(JSON.stringify([name, await hashFile(join(file, name))]));
  return hash.digest("hex");
}

const MAX_FILES = 1_000_000;
const MAX_DEPTH = 8;

/** The files with annotations below a folder, sorted, with `/` in their names; links to folders are not followed. */
function annotationsIn(root: string): string[] {
  const names: string[] = [];
  const walk = (folder: string, depth: number): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (depth < MAX_DEPTH) walk(name, depth + 1);
      } else if (/\.(xml|txt|pkl)$/.test(entry.name) && existsSync(join(root, name))) names.push(name);
      if (names.length > MAX_FILES)
        throw new CliprpnError(
          "data_invalid",
          `${root}: expected at most ${count(MAX_FILES)} files with annotations`,
        );
    }
  };
  walk("", 0);
  return names.sort();
}
