import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../../base/format.ts";
import { hashFile } from "../../base/hash-file.ts";
import { check } from "../../contract/check.ts";
import type { PixelsManifest, PreparedDataset } from "../../contract/generated/types.ts";
import { hasChanged } from "../annotation-files.ts";
import { statImage } from "../images/read-image.ts";
import { hashImages } from "../prepare/prepare-images.ts";
import { type ImageSize, pixelsFolder, preparedSizes, readFacts } from "../prepare/prepared-folder.ts";
import { type CheckResult, checkResult, firstOf } from "./check-result.ts";

/**
 * Compares the files of a prepared dataset (annotations, shards, images) with what was recorded about them.
 *
 * @param command makes the dataset again.
 * @param onFile called for each file that is read completely.
 * @throws CliprpnError data_invalid when dataset.json is damaged.
 */
export async function checkFiles(
  folder: string,
  command: string,
  onFile: (file: string) => void,
): Promise<CheckResult[]> {
  const facts = readFacts(folder);
  const results = await checkAnnotations(facts, command);
  if (facts.images_dir === null)
    return [...results, checkResult("note", "images", "the dataset was prepared without images")];
  const sizes = preparedSizes(folder);
  const manifests: PixelsManifest[] = [];
  for (const size of sizes) {
    const { manifest, result } = await checkShards(folder, size, facts, command, onFile);
    if (manifest !== undefined) manifests.push(manifest);
    results.push(result);
  }
  const [first] = manifests;
  results.push(
    first === undefined
      ? checkResult("FAIL", "pixels", `no prepared size is complete; run \`${command}\` again`)
      : checkImages(facts.images_dir, first, command),
  );
  return results;
}

/** Compares size and time, and the content if these have changed. */
async function checkAnnotations(
  { annotation_files }: PreparedDataset,
  command: string,
): Promise<CheckResult[]> {
  const gone: string[] = [];
  const changed: string[] = [];
  for (const file of annotation_files) {
    if (!existsSync(file.file)) gone.push(file.file);
    else if (await hasChanged(file)) changed.push(file.file);
  }
  const what = "annotation files are unchanged";
  if (changed.length > 0)
    return [
      checkResult(
        "FAIL",
        what,
        `${firstOf(changed)}: changed since the dataset was prepared; run \`${command}\` to read them again`,
      ),
    ];
  if (gone.length > 0)
    return [
      checkResult("note", what, `${firstOf(gone)}: no longer exists; its content is still in the tables`),
    ];
  return [checkResult("ok", what, counted(annotation_files.length, "file"))];
}

/** Checks the checksum of every shard, and that the tables were made from these images. */
async function checkShards(
  folder: string,
  size: ImageSize,
  facts: PreparedDataset,
  command: string,
  onFile: (file: string) => void,
): Promise<{ result: CheckResult; manifest?: PixelsManifest }> {
  const pixels = pixelsFolder(folder, size);
  const what = `pixels/${size.resize}-${size.image_size_px}: checksums of the shards`;
  const file = join(pixels, "manifest.json");
  if (!existsSync(file))
    return {
      result: checkResult("note", what, "incomplete; the next command that needs this size completes it"),
    };
  const manifest = readManifest(file);
  if (manifest === undefined)
    return { result: checkResult("FAIL", what, `${file} is damaged; delete it and ${runAgain(command)}`) };
  const bad: string[] = [];
  for (const shard of manifest.shards) {
    const path = join(pixels, shard.file);
    onFile(path);
    if (!existsSync(path) || (await hashFile(path)) !== shard.sha256) bad.push(path);
  }
  if (bad.length > 0)
    return {
      result: checkResult(
        "FAIL",
        what,
        `${firstOf(bad)}: the checksum does not match; delete ${bad.length === 1 ? "it" : "them"} and ${runAgain(command)}`,
      ),
      manifest,
    };
  if (hashImages(manifest) !== facts.pictures_sha256)
    return {
      result: checkResult(
        "FAIL",
        what,
        `made from different images than the tables; delete ${join(folder, "dataset.json")} and ${runAgain(command)}`,
      ),
      manifest,
    };
  const strays = readdirSync(pixels).filter((name) => name.endsWith(".npy")).length - manifest.shards.length;
  return {
    result: checkResult(
      "ok",
      what,
      `${counted(manifest.shards.length, "shard")}${strays > 0 ? `, and ${counted(strays, "unknown file")}` : ""}`,
    ),
    manifest,
  };
}

function runAgain(command: string): string {
  return `run \`${command}\` again`;
}

function readManifest(file: string): PixelsManifest | undefined {
  try {
    return check("PixelsManifest", JSON.parse(readFileSync(file, "utf8")), file);
  } catch {
    return undefined; // Damaged or from another version: the caller reports it.
  }
}

/** Checks that the image files exist, with the size and time that they had when they were decoded. */
function checkImages(images_dir: string, { shards }: PixelsManifest, command: string): CheckResult {
  const what = "images exist and are unchanged";
  const used = shards.flatMap(({ pictures: images }) => images).filter(({ problem }) => problem === null);
  const files = used.map((image) => ({ image, facts: statImage(images_dir, image.file_name) }));
  const gone = files.filter(({ facts }) => facts.mtime_ms === 0).map(({ image }) => image.file_name);
  const changed = files
    .filter(
      ({ image, facts }) =>
        facts.mtime_ms !== 0 && (facts.bytes !== image.bytes || facts.mtime_ms !== image.mtime_ms),
    )
    .map(({ image }) => image.file_name);
  const problems = [
    ...(gone.length > 0
      ? [
          `${gone.length} of ${used.length} missing: ${firstOf(gone)} (training uses the prepared pixels; other image sizes and figures need the files)`,
        ]
      : []),
    ...(changed.length > 0
      ? [
          `${changed.length} changed since the dataset was prepared: ${firstOf(changed)}; ${runAgain(command)}`,
        ]
      : []),
  ];
  if (problems.length > 0) return checkResult("FAIL", what, `${images_dir}: ${problems.join("; ")}`);
  return checkResult("ok", what, counted(used.length, "file"));
}
