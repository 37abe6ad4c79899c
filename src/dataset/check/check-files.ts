import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../../base/format.ts";
import { hashFile } from "../../base/hash-file.ts";
import { check } from "../../contract/check.ts";
import type { PixelsManifest, PreparedDataset, SourceFile } from "../../contract/generated/types.ts";
import { statImage } from "../images/read-image.ts";
import { imagesHash } from "../prepare/prepare-dataset.ts";
import { type ImageSize, pixelsFolder, preparedSizes, readFacts } from "../prepare/prepared-folder.ts";
import { type Finding, finding, firstOf } from "./finding.ts";

/**
 * What the files of a prepared data set are against what was written down of them: annotations, shards, images.
 *
 * @param again the command that makes the data set anew.
 * @param onFile told of each file that is read whole.
 * @throws CliprpnError data_invalid where dataset.json is damaged.
 */
export async function checkFiles(
  folder: string,
  again: string,
  onFile: (file: string) => void = () => undefined,
): Promise<Finding[]> {
  const facts = readFacts(folder);
  const found = await checkAnnotations(facts, again);
  if (facts.images_dir === null)
    return [...found, finding("note", "pictures", "the data set was prepared without images")];
  const sizes = preparedSizes(folder);
  const manifests: PixelsManifest[] = [];
  for (const size of sizes) {
    const { manifest, finding: shards } = await checkShards(folder, size, facts, again, onFile);
    if (manifest !== undefined) manifests.push(manifest);
    found.push(shards);
  }
  const [first] = manifests;
  found.push(
    first === undefined
      ? finding("FAIL", "pixels", `no size is whole; run \`${again}\` again`)
      : checkImages(facts.images_dir, first, again),
  );
  return found;
}

/** By size and time, and by content where these have changed. */
async function checkAnnotations({ annotation_files }: PreparedDataset, again: string): Promise<Finding[]> {
  const gone: string[] = [];
  const changed: string[] = [];
  for (const file of annotation_files) {
    if (!existsSync(file.file)) gone.push(file.file);
    else if (await hasChanged(file)) changed.push(file.file);
  }
  const what = "annotation files are those that were read";
  if (changed.length > 0)
    return [
      finding("FAIL", what, `${firstOf(changed)}: changed since; run \`${again}\` to read what they say now`),
    ];
  if (gone.length > 0)
    return [finding("note", what, `${firstOf(gone)}: no longer there; the tables hold what was in them`)];
  return [finding("ok", what, counted(annotation_files.length, "file"))];
}

async function hasChanged({ file, bytes, mtime_ms, sha256 }: SourceFile): Promise<boolean> {
  const { size, mtimeMs } = statSync(file);
  if (size === bytes && mtimeMs === mtime_ms) return false;
  return size !== bytes || (await hashFile(file)) !== sha256;
}

/** Every shard's checksum, and that the tables were made of these images. */
async function checkShards(
  folder: string,
  size: ImageSize,
  facts: PreparedDataset,
  again: string,
  onFile: (file: string) => void,
): Promise<{ finding: Finding; manifest?: PixelsManifest }> {
  const pixels = pixelsFolder(folder, size);
  const what = `pixels/${size.resize}-${size.image_size_px}: checksums of the shards`;
  const file = join(pixels, "manifest.json");
  if (!existsSync(file))
    return { finding: finding("note", what, "begun, not finished; what asks for this size goes on with it") };
  const manifest = readManifest(file);
  if (manifest === undefined)
    return { finding: finding("FAIL", what, `${file} is damaged; delete it and ${then(again)}`) };
  const bad: string[] = [];
  for (const shard of manifest.shards) {
    const path = join(pixels, shard.file);
    onFile(path);
    if (!existsSync(path) || (await hashFile(path)) !== shard.sha256) bad.push(path);
  }
  if (bad.length > 0)
    return {
      finding: finding(
        "FAIL",
        what,
        `${firstOf(bad)}: not the bytes that were written; delete ${bad.length === 1 ? "it" : "them"} and ${then(again)}`,
      ),
      manifest,
    };
  if (imagesHash(manifest) !== facts.pictures_sha256)
    return {
      finding: finding(
        "FAIL",
        what,
        `of other images than the tables; delete ${join(folder, "dataset.json")} and ${then(again)}`,
      ),
      manifest,
    };
  const strays = readdirSync(pixels).filter((name) => name.endsWith(".npy")).length - manifest.shards.length;
  return {
    finding: finding(
      "ok",
      what,
      `${counted(manifest.shards.length, "shard")}${strays > 0 ? `, and ${counted(strays, "stray")}` : ""}`,
    ),
    manifest,
  };
}

function then(again: string): string {
  return `run \`${again}\` again`;
}

function readManifest(file: string): PixelsManifest | undefined {
  try {
    return check("PixelsManifest", JSON.parse(readFileSync(file, "utf8")), file);
  } catch {
    return undefined; // Torn or another version's: the caller says so.
  }
}

/** That the images' own files are there, and of the size and time that they were decoded at. */
function checkImages(images_dir: string, { shards }: PixelsManifest, again: string): Finding {
  const what = "images are there and unchanged";
  const used = shards.flatMap(({ pictures }) => pictures).filter(({ problem }) => problem === null);
  const now = used.map((picture) => ({ picture, facts: statImage(images_dir, picture.file_name) }));
  const gone = now.filter(({ facts }) => facts.mtime_ms === 0).map(({ picture }) => picture.file_name);
  const changed = now
    .filter(
      ({ picture, facts }) =>
        facts.mtime_ms !== 0 && (facts.bytes !== picture.bytes || facts.mtime_ms !== picture.mtime_ms),
    )
    .map(({ picture }) => picture.file_name);
  const wrong = [
    ...(gone.length > 0
      ? [
          `${gone.length} of ${used.length} missing: ${firstOf(gone)} (training goes on with the prepared pixels; other sizes and drawings need the files)`,
        ]
      : []),
    ...(changed.length > 0 ? [`${changed.length} changed since: ${firstOf(changed)}; ${then(again)}`] : []),
  ];
  if (wrong.length > 0) return finding("FAIL", what, `${images_dir}: ${wrong.join("; ")}`);
  return finding("ok", what, counted(used.length, "file"));
}
