import { existsSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { WantedImage } from "../../contract/generated/types.ts";
import { extractImages, makeUnpackedFolder } from "../images/extract-zip.ts";
import type { Place } from "./locate.ts";
import type { BadImage } from "./problems.ts";

interface Watcher {
  onPhase(text: string): void;
  onProgress(done: number, total: number): void;
  signal?: AbortSignal;
}

/** Where the images lie once they are out of an archive. */
export function imagesDir(folder: string, { path, is_archive }: Place): string {
  return is_archive ? join(folder, "images") : path;
}

/** Takes out of an archive what is not there yet. @returns what is in it and not to be had. */
export async function unpack(
  archive: string,
  wanted: readonly WantedImage[],
  images_dir: string,
  { onPhase, onProgress, signal }: Watcher,
): Promise<BadImage[]> {
  makeUnpackedFolder(archive, images_dir);
  const absent = absentOf(wanted, images_dir);
  if (absent.length === 0) return [];
  onPhase(`taking ${counted(absent.length, "picture")} out of ${archive}`);
  const { refused } = await extractImages({
    archive,
    wanted: absent,
    folder: images_dir,
    onProgress,
    signal,
  });
  return refused;
}

/**
 * Images without a file.
 *
 * @param refused why an archive did not give some of them.
 * @throws CliprpnError data_invalid, where there is not even their folder.
 */
export function missingOf(
  wanted: readonly WantedImage[],
  images_dir: string,
  refused: readonly BadImage[],
): BadImage[] {
  if (!existsSync(images_dir))
    throw new CliprpnError("data_invalid", `${images_dir}: expected the folder of images, found none`);
  const known = new Map(refused.map(({ file_name, problem }) => [file_name, problem]));
  return absentOf(wanted, images_dir).map((file_name) => ({
    file_name,
    problem: known.get(file_name) ?? "expected an image, found no file",
  }));
}

function absentOf(wanted: readonly WantedImage[], images_dir: string): string[] {
  return wanted.map(({ file_name }) => file_name).filter((name) => !existsSync(join(images_dir, name)));
}
