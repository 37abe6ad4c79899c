import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../base/lock.ts";
import { describeOwner, type LockOwner } from "../../base/owner-lock.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { check } from "../../contract/check.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { ImageNames, PreparedDataset, Settings, WantedImages } from "../../contract/generated/types.ts";

/** The side of the square that images are resized to, and how. */
export type ImageSize = Pick<Settings, "image_size_px" | "resize">;

/** True if the folder contains a complete dataset: `dataset.json` is written last. */
export function isPrepared(folder: string): boolean {
  return existsSync(factsFile(folder));
}

/** Reads `dataset.json`. @throws CliprpnError data_invalid when it is damaged or from an incompatible version of cliprpn. */
export function readFacts(folder: string): PreparedDataset {
  return read("PreparedDataset", factsFile(folder));
}

export function writeFacts(folder: string, facts: PreparedDataset): void {
  replaceFile(factsFile(folder), `${JSON.stringify(facts, null, 2)}\n`);
}

/** Reads the list of wanted images. @throws CliprpnError data_invalid when it is damaged. */
export function readWanted(file: string): WantedImages["pictures"] {
  return read("WantedImages", file).pictures;
}

/** The list of all images that the annotations refer to; Python writes it. */
export function wantedFile(folder: string): string {
  return join(folder, "pictures.json");
}

export function writeWanted(file: string, wanted: WantedImages["pictures"]): void {
  replaceFile(file, `${JSON.stringify({ pictures: wanted }, null, 2)}\n`);
}

/** Where images were found whose names are not paths below the image folder; exists only if there are any. */
export function imageNamesFile(folder: string): string {
  return join(folder, "image-names.json");
}

/** Reads `image-names.json`; undefined if there is none. @throws CliprpnError data_invalid when it is damaged. */
export function readImageNames(folder: string): ImageNames | undefined {
  const file = imageNamesFile(folder);
  return existsSync(file) ? read("ImageNames", file) : undefined;
}

export function pixelsFolder(folder: string, { image_size_px, resize }: ImageSize): string {
  return join(folder, "pixels", `${resize}-${image_size_px}`);
}

/** The sizes at which images are prepared, complete or not. */
export function preparedSizes(folder: string): ImageSize[] {
  const pixels = join(folder, "pixels");
  return (existsSync(pixels) ? readdirSync(pixels).sort() : []).flatMap((name): ImageSize[] => {
    const [, resize, size] = /^(squash|letterbox)-(\d+)$/.exec(name) ?? [];
    return resize === "squash" || resize === "letterbox" ? [{ resize, image_size_px: Number(size) }] : [];
  });
}

/** Callbacks of work that may wait for another process. */
export interface LockWaiting {
  /** Called when a new step starts. */
  onPhase(text: string): void;
  signal?: AbortSignal;
}

/** Runs work that only one process at a time may do in a dataset's folder; others wait. */
export function withPrepareLock<T>(
  folder: string,
  { signal, onPhase }: LockWaiting,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const waiting = {
    signal,
    onWait: (owner: LockOwner) =>
      onPhase(`another process is preparing this dataset; waiting for it: ${describeOwner(owner)}`),
    lost: () =>
      new CliprpnError(
        "locked",
        `${folder}: another process took over this folder while this one was suspended; re-run the same command to resume`,
      ),
  };
  return withLock(join(folder, "prepare"), waiting, work);
}

/** The lock of who prepares the dataset in a folder. */
export function prepareLockFolder(folder: string): string {
  return join(folder, "prepare.owners");
}

function factsFile(folder: string): string {
  return join(folder, "dataset.json");
}

function read<Name extends "PreparedDataset" | "WantedImages" | "ImageNames">(
  name: Name,
  file: string,
): ReturnType<typeof check<Name>> {
  try {
    return check(name, JSON.parse(readFileSync(file, "utf8")), file);
  } catch (error) {
    throw new CliprpnError(
      "data_invalid",
      `${file}: expected a file written by \`cliprpn prepare\`: ${error instanceof Error ? error.message : error}; prepare the dataset again`,
      { cause: error },
    );
  }
}
