import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { hashFile } from "../../base/hash-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { AnnotationSource, SourceFile } from "../../contract/generated/types.ts";

/** The files that a source's annotations are in. */
function filesOf(source: AnnotationSource): string[] {
  return source.layout === "refcoco"
    ? [source.instances_file, source.refs_file]
    : source.files.map(({ file }) => file);
}

/**
 * The source's files, each with its hash; one whose size and time are those of `known` is not read again.
 *
 * @throws CliprpnError data_invalid where one is missing.
 */
export async function describeFiles(
  source: AnnotationSource,
  known: readonly SourceFile[],
): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const file of filesOf(source)) {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile())
      throw new CliprpnError("data_invalid", `${file}: expected a file with annotations, found none`);
    const same = known.find(
      (each) => each.file === file && each.bytes === stat.size && each.mtime_ms === stat.mtimeMs,
    );
    found.push(same ?? { file, bytes: stat.size, mtime_ms: stat.mtimeMs, sha256: await hashFile(file) });
  }
  return found;
}

/**
 * Names a data set by what its annotations say and how they are read; never by paths.
 *
 * @param pictures_sha256 of the images, where they are known: others under the same names make another data set.
 */
export function datasetId(
  source: AnnotationSource,
  files: readonly Pick<SourceFile, "sha256">[],
  pictures_sha256 = "",
): string {
  const hash = createHash("sha256");
  if (source.layout === "rows") {
    const { format, box_format, columns, split_seed } = source;
    const splits = source.files.map(({ split }) => split);
    hash.update(JSON.stringify({ format, box_format, columns, split_seed, splits }));
  }
  for (const { sha256 } of files) hash.update(sha256);
  return hash.update(pictures_sha256).digest("hex").slice(0, 16);
}
