import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../contract/check.ts";
import type { PixelShard, WantedImage } from "../../contract/generated/types.ts";
import { type DecodeOptions, preprocessing_version } from "./decode.ts";
import { factsOf } from "./read-image.ts";

/** Some of the wanted images in a row, before they are decoded. */
export interface ShardPlan {
  /** `shard-00000.npy`; its sidecar ends in `.json`. */
  file: string;
  wanted: WantedImage[];
  bytes: number;
  /** Hash of all that decides the pixels, but for the images' files. */
  key: string;
}

/** Of a shard's file, about. */
const SHARD_BYTES = 64_000_000;

/** How the wanted images fall into shards; pure. */
export function planShards(
  wanted: WantedImage[],
  options: DecodeOptions & { shard_bytes?: number },
): ShardPlan[] {
  const { shard_bytes = SHARD_BYTES } = options;
  const row_bytes = rowBytes(options.image_size_px);
  const num_rows = Math.max(1, Math.floor(shard_bytes / row_bytes));
  return Array.from({ length: Math.ceil(wanted.length / num_rows) }, (_, index) => {
    const mine = wanted.slice(index * num_rows, (index + 1) * num_rows);
    return {
      file: `shard-${String(index).padStart(5, "0")}.npy`,
      wanted: mine,
      bytes: npy_header_bytes + mine.length * row_bytes,
      key: keyOf(mine, options),
    };
  });
}

export function rowBytes(image_size_px: number): number {
  return image_size_px * image_size_px * 3;
}

function keyOf(wanted: WantedImage[], options: DecodeOptions): string {
  const { image_size_px, resize, max_pixels, follow_links } = options;
  const pictures = wanted.map(({ file_name, width, height }) => [file_name, width, height]);
  return createHash("sha256")
    .update(
      JSON.stringify([preprocessing_version, image_size_px, resize, max_pixels, follow_links, pictures]),
    )
    .digest("hex");
}

export const npy_header_bytes = 128;

/** NumPy's header, format 1.0, of uint8 [num_rows, image_size_px, image_size_px, 3]. */
export function npyHeader(num_rows: number, image_size_px: number): Buffer {
  const shape = `(${num_rows}, ${image_size_px}, ${image_size_px}, 3)`;
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }`;
  const header = Buffer.alloc(npy_header_bytes, " ");
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(npy_header_bytes - 10, 8);
  header.write(text, 10, "latin1");
  header.write("\n", npy_header_bytes - 1, "latin1");
  return header;
}

/** A finished shard's sidecar as text: written after the shard, so that whoever finds it may trust the shard. */
export function sidecarText(key: string, shard: PixelShard): string {
  return `${JSON.stringify({ key, shard })}\n`;
}

export function sidecarOf(file: string): string {
  return file.replace(/\.npy$/, ".json");
}

/** The shard as it was finished before, where it still holds: same wanted images and options, same files of images. */
export function finishedShard(folder: string, plan: ShardPlan, images_dir: string): PixelShard | undefined {
  const shard = readSidecar(join(folder, sidecarOf(plan.file)), plan.key);
  if (shard === undefined || sizeOf(join(folder, plan.file)) !== plan.bytes) return undefined;
  const isSame = shard.pictures.every(({ file_name, bytes, mtime_ms }) => {
    const now = factsOf(images_dir, file_name);
    return now.bytes === bytes && now.mtime_ms === mtime_ms;
  });
  return isSame ? shard : undefined;
}

function readSidecar(path: string, key: string): PixelShard | undefined {
  try {
    const found: { key?: unknown; shard?: unknown } = JSON.parse(readFileSync(path, "utf8"));
    return found.key === key ? check("PixelShard", found.shard, path) : undefined;
  } catch {
    return undefined; // Not there, torn, or another version's: made anew.
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
