import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { check } from "../../contract/check.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparedDataset, Settings, WantedImages } from "../../contract/generated/types.ts";

/** How images are brought to a square. */
export type ImageSize = Pick<Settings, "image_size_px" | "resize">;

/** Whether the folder holds a finished data set: `dataset.json` is written last. */
export function isPrepared(folder: string): boolean {
  return existsSync(factsFile(folder));
}

/** @throws CliprpnError data_invalid where another version of cliprpn made it, or the file is damaged. */
export function readFacts(folder: string): PreparedDataset {
  return read("PreparedDataset", factsFile(folder));
}

export function writeFacts(folder: string, facts: PreparedDataset): void {
  writeFileAtomic.sync(factsFile(folder), `${JSON.stringify(facts, null, 2)}\n`);
}

/** @throws CliprpnError data_invalid where it is damaged. */
export function readWanted(file: string): WantedImages["pictures"] {
  return read("WantedImages", file).pictures;
}

/** Every image that the annotations refer to; Python writes it. */
export function wantedFile(folder: string): string {
  return join(folder, "pictures.json");
}

export function pixelsFolder(folder: string, { image_size_px, resize }: ImageSize): string {
  return join(folder, "pixels", `${resize}-${image_size_px}`);
}

/** The sizes that images are prepared at, or were begun. */
export function preparedSizes(folder: string): ImageSize[] {
  const pixels = join(folder, "pixels");
  return (existsSync(pixels) ? readdirSync(pixels).sort() : []).flatMap((name): ImageSize[] => {
    const [, resize, size] = /^(squash|letterbox)-(\d+)$/.exec(name) ?? [];
    return resize === "squash" || resize === "letterbox" ? [{ resize, image_size_px: Number(size) }] : [];
  });
}

function factsFile(folder: string): string {
  return join(folder, "dataset.json");
}

function read<Name extends "PreparedDataset" | "WantedImages">(
  name: Name,
  file: string,
): ReturnType<typeof check<Name>> {
  try {
    return check(name, JSON.parse(readFileSync(file, "utf8")), file);
  } catch (error) {
    throw new CliprpnError(
      "data_invalid",
      `${file}: expected what \`cliprpn prepare\` writes: ${error instanceof Error ? error.message : error}; prepare the data set again`,
      { cause: error },
    );
  }
}
