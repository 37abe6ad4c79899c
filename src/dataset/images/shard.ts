import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { diskFullError } from "../../base/disk-space.ts";
import { hashFile } from "../../base/hash-file.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { check } from "../../contract/check.ts";
import type { PixelShard, PreparedImage, WantedImage } from "../../contract/generated/types.ts";
import { type DecodeOptions, noFrame, preprocessing_version } from "./decode.ts";
import type { DecoderPool } from "./decoder-pool.ts";
import { statImage } from "./read-image.ts";

/** Consecutive wanted images that go into one shard. */
export interface ShardPlan {
  /** `shard-00000.npy`; its sidecar ends in `.json`. */
  file: string;
  wanted: WantedImage[];
  bytes: number;
  /** Hash of everything that decides the pixels, except the image files. */
  key: string;
}

/** Approximate size of a shard. */
const SHARD_BYTES = 64_000_000;

/** Splits the wanted images into shards; pure. */
export function planShards(
  wanted: WantedImage[],
  options: DecodeOptions & { shard_bytes?: number },
): ShardPlan[] {
  const row_bytes = rowBytes(options.image_size_px);
  const num_rows = imagesPerShard(options.image_size_px, options.shard_bytes);
  return Array.from({ length: Math.ceil(wanted.length / num_rows) }, (_, index) => {
    const rows = wanted.slice(index * num_rows, (index + 1) * num_rows);
    return {
      file: `shard-${String(index).padStart(5, "0")}.npy`,
      wanted: rows,
      bytes: npy_header_bytes + rows.length * row_bytes,
      key: shardKey(rows, options),
    };
  });
}

/** Images of a full shard. */
export function imagesPerShard(image_size_px: number, shard_bytes = SHARD_BYTES): number {
  return Math.max(1, Math.floor(shard_bytes / rowBytes(image_size_px)));
}

/** Bytes of a decoded image. */
export function rowBytes(image_size_px: number): number {
  return image_size_px * image_size_px * 3;
}

function shardKey(wanted: WantedImage[], options: DecodeOptions): string {
  const { image_size_px, resize, max_pixels, follow_links, frame } = options;
  // Left out where sizes tell, as in shards of earlier versions.
  const frames = frame === "upright" || frame === "stored" ? [frame] : [];
  const images = wanted.map(({ file_name, width, height }) => [file_name, width, height]);
  return createHash("sha256")
    .update(
      JSON.stringify([
        preprocessing_version,
        image_size_px,
        resize,
        max_pixels,
        follow_links,
        images,
        ...frames,
      ]),
    )
    .digest("hex");
}

/** The finished shard of an earlier run if it is still valid: same wanted images, options and image files. */
export function finishedShard(folder: string, plan: ShardPlan, images_dir: string): PixelShard | undefined {
  const shard = readSidecar(join(folder, sidecarOf(plan.file)), plan.key);
  if (shard === undefined || sizeOf(join(folder, plan.file)) !== plan.bytes) return undefined;
  const isUnchanged = shard.pictures.every(({ file_name, bytes, mtime_ms }) => {
    const stats = statImage(images_dir, file_name);
    return stats.bytes === bytes && stats.mtime_ms === mtime_ms;
  });
  return isUnchanged ? shard : undefined;
}

function readSidecar(path: string, key: string): PixelShard | undefined {
  try {
    const sidecar: { key?: unknown; shard?: unknown } = JSON.parse(readFileSync(path, "utf8"));
    return sidecar.key === key ? check("PixelShard", sidecar.shard, path) : undefined;
  } catch {
    return undefined; // Missing, truncated, or from another version: the shard is written again.
  }
}

export function sidecarOf(file: string): string {
  return file.replace(/\.npy$/, ".json");
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

export interface ShardContext {
  folder: string;
  /** Real path of the image folder. */
  images_dir: string;
  options: DecodeOptions;
  pool: DecoderPool;
  /** Called after each image. */
  onImage: () => void;
}

/**
 * Decodes a shard's images into a temporary file, and renames it when it is complete and synced. The sidecar
 * is written last, so that its presence means a complete shard.
 *
 * @throws CliprpnError no_space, or the reason the pool was closed with.
 */
export async function writeShard(plan: ShardPlan, context: ShardContext): Promise<PixelShard> {
  const { folder } = context;
  const temporary = join(folder, `.${plan.file}.new`);
  const sidecar = join(folder, sidecarOf(plan.file));
  try {
    await rm(sidecar, { force: true });
    const handle = await open(temporary, "w+");
    let images: PreparedImage[];
    try {
      await writeAll(handle, npyHeader(plan.wanted.length, context.options.image_size_px), 0);
      await handle.truncate(plan.bytes); // Rows without pixels stay black.
      images = await decodeRows(handle, temporary, plan, context);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    const shard = { file: plan.file, sha256: await hashFile(temporary), pictures: images };
    await rename(temporary, join(folder, plan.file));
    replaceFile(sidecar, `${JSON.stringify({ key: plan.key, shard })}\n`);
    return shard;
  } catch (error) {
    throw diskFullError(folder, error) ?? error;
  }
}

const npy_header_bytes = 128;

/** NumPy's header, format 1.0, for uint8 [num_rows, image_size_px, image_size_px, 3]. */
function npyHeader(num_rows: number, image_size_px: number): Buffer {
  const shape = `(${num_rows}, ${image_size_px}, ${image_size_px}, 3)`;
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }`;
  const header = Buffer.alloc(npy_header_bytes, " ");
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(npy_header_bytes - 10, 8);
  header.write(text, 10, "latin1");
  header.write("\n", npy_header_bytes - 1, "latin1");
  return header;
}

/** The decoder processes write each row at its offset. */
async function decodeRows(
  handle: FileHandle,
  file: string,
  { wanted }: ShardPlan,
  { images_dir, options, pool, onImage }: ShardContext,
): Promise<PreparedImage[]> {
  const row_bytes = rowBytes(options.image_size_px);
  return Promise.all(
    wanted.map(async (wanted_image, index) => {
      const offset = npy_header_bytes + index * row_bytes;
      const image =
        wanted_image.problem == null
          ? await pool.decode({ images_dir, wanted: wanted_image, options, file, offset })
          : notDecoded(wanted_image.file_name, wanted_image.problem);
      // A decoder that was killed may have written part of the row.
      if (image.problem !== null) await writeAll(handle, Buffer.alloc(row_bytes), offset);
      onImage();
      return image;
    }),
  );
}

/** An image without a file. */
function notDecoded(file_name: string, problem: string): PreparedImage {
  return { file_name, bytes: 0, mtime_ms: 0, ...noFrame, problem };
}

/** Also if the system writes less at once, as it may on a disk that is nearly full. */
async function writeAll(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, offset + at);
    at += bytesWritten;
  }
}
