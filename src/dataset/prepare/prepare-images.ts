import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { counted } from "../../base/format.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { makeTempFolder, removeTempFolder } from "../../base/temp-folder.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type {
  AnnotationSource,
  PixelsManifest,
  PreparedImage,
  WantedImage,
} from "../../contract/generated/types.ts";
import { DEFAULT_MAX_PIXELS } from "../images/decode.ts";
import { type ImageSource, imagesDir } from "../images/image-source.ts";
import { frameRule } from "../images/orientation.ts";
import { pixelsFresh, preparePixels } from "../images/prepare-pixels.ts";
import type { ReadLimits } from "../images/read-image.ts";
import { type ImageSize, pixelsFolder, preparedSizes, readWanted, wantedFile } from "./prepared-folder.ts";

interface ImagesRequest extends ReadLimits {
  /** The prepared dataset's folder. */
  folder: string;
  images: ImageSource;
  sizes: readonly ImageSize[];
  allow_missing: boolean;
  source: AnnotationSource;
}

interface ImagesContext {
  onPhase(text: string): void;
  onProgress(done: number, total: number): void;
  signal?: AbortSignal;
}

/**
 * Prepares the images of a dataset at every requested size.
 *
 * @returns a manifest per size.
 * @throws CliprpnError data_invalid when images are missing or broken and may not be left out; no_space.
 */
export async function prepareImages(
  { folder, images, sizes, allow_missing, max_pixels, follow_links, source }: ImagesRequest,
  wanted: WantedImage[],
  context: ImagesContext,
): Promise<PixelsManifest[]> {
  const images_dir = imagesDir(folder, images);
  const reportBad = (bad: readonly BadImage[]): void => {
    const message = writeProblems(folder, bad);
    if (bad.length > 0 && !allow_missing) throw new CliprpnError("data_invalid", `${images_dir}: ${message}`);
  };
  // Reported before minutes of decoding.
  if (!allow_missing) reportBad(wanted.filter(({ problem }) => problem != null));
  const manifests: PixelsManifest[] = [];
  for (const size of sizes) {
    context.onPhase(`preparing the images, ${size.resize} to ${size.image_size_px} px`);
    const manifest = await preparePixels({
      images_dir,
      wanted,
      folder: pixelsFolder(folder, size),
      ...size,
      max_pixels,
      follow_links,
      frame: frameRule(source),
      onProgress: context.onProgress,
      signal: context.signal,
    });
    reportBad(badImages(wanted, manifest));
    manifests.push(manifest);
  }
  return manifests;
}

/** An image and why it cannot be used. */
interface BadImage {
  file_name: string;
  problem?: string | null;
  where?: string | undefined;
}

function badImages(wanted: readonly WantedImage[], manifest: PixelsManifest): BadImage[] {
  return imagesOf(manifest).flatMap(({ file_name, problem }, index) =>
    problem === null ? [] : [{ file_name, problem, where: wanted[index]?.where }],
  );
}

/** The first of the images that were skipped, one line each. */
export function skippedLines(wanted: readonly WantedImage[], manifest: PixelsManifest): string[] {
  return badImages(wanted, manifest).slice(0, MAX_SHOWN).map(badLine);
}

function badLine({ file_name, problem, where }: BadImage): string {
  return `${where === undefined || where === "" ? "" : `${where}: `}${JSON.stringify(file_name)}: ${problem}`;
}

const MAX_SHOWN = 20;

/** Writes the images that cannot be used to problems.txt. @returns a message with the first twenty of them. */
function writeProblems(folder: string, bad: readonly BadImage[]): string {
  const file = join(folder, "problems.txt");
  if (bad.length === 0) {
    rmSync(file, { force: true });
    return "";
  }
  const lines = bad.map(badLine);
  replaceFile(file, `${lines.join("\n")}\n`);
  const more = bad.length > MAX_SHOWN ? [`  and ${bad.length - MAX_SHOWN} more, all in ${file}`] : [];
  return [
    `${counted(bad.length, "image")} cannot be used`,
    ...lines.slice(0, MAX_SHOWN).map((line) => `  ${line}`),
    ...more,
    "fix them and re-run the same command, or use --allow-missing to skip them and their objects",
  ].join("\n");
}

export function imagesOf({ shards }: PixelsManifest): PreparedImage[] {
  return shards.flatMap(({ pictures: images }) => images);
}

/** Hash of the images, independent of the prepared size; it covers what the tables take from them. */
export function hashImages(manifest: PixelsManifest): string {
  const hash = createHash("sha256");
  for (const { file_name, bytes, width, height, upright, problem } of imagesOf(manifest))
    hash.update(JSON.stringify([file_name, bytes, width, height, upright, problem !== null]));
  return hash.digest("hex");
}

/**
 * Marks other prepared sizes as incomplete if their images differ from the current ones. The next command that needs such a size
 * prepares it again, and no trial trains on old pixels.
 *
 * @param current the sizes that were just prepared.
 */
export function invalidateStaleSizes(
  folder: string,
  current: readonly ImageSize[],
  images_dir: string,
  { max_pixels, follow_links, source }: ReadLimits & { source: AnnotationSource },
): void {
  const wanted = readWanted(wantedFile(folder));
  const currentFolders = current.map((size) => pixelsFolder(folder, size));
  for (const size of preparedSizes(folder)) {
    const pixels = pixelsFolder(folder, size);
    if (currentFolders.includes(pixels)) continue;
    const frame = frameRule(source);
    if (!pixelsFresh({ images_dir, wanted, folder: pixels, ...size, max_pixels, follow_links, frame }))
      rmSync(join(pixels, "manifest.json"), { force: true });
  }
}

/** Prepares a single image as those of a dataset, in a temporary folder that exists while `use` runs. */
export async function withSingleImage<T>(
  image_file: string,
  size: ImageSize,
  signal: AbortSignal,
  use: (pixels_manifest: string) => Promise<T>,
): Promise<T> {
  const folder = makeTempFolder();
  try {
    await preparePixels({
      images_dir: dirname(image_file),
      wanted: [{ image_id: 0, file_name: basename(image_file), width: null, height: null }],
      folder,
      ...size,
      max_pixels: DEFAULT_MAX_PIXELS,
      follow_links: true, // The user named the file.
      onProgress: () => undefined,
      signal,
    });
    return await use(join(folder, "manifest.json"));
  } finally {
    removeTempFolder(folder);
  }
}
