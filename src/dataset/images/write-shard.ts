import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { diskFullError } from "../../base/disk-space.ts";
import { hashFile } from "../../base/hash-file.ts";
import type { PixelShard, PreparedImage } from "../../contract/generated/types.ts";
import type { DecodeOptions } from "./decode.ts";
import type { DecoderPool } from "./decoder-pool.ts";
import { npy_header_bytes, npyHeader, rowBytes, type ShardPlan, sidecarOf, sidecarText } from "./shard.ts";

export interface ShardTools {
  folder: string;
  /** The real path of the folder with the images. */
  images_dir: string;
  options: DecodeOptions;
  pool: DecoderPool;
  onImage: () => void;
}

/**
 * Decodes a shard's images into a file beside, and puts it in place when it is whole and on the disk.
 *
 * @throws CliprpnError no_space, or what the pool ended with.
 */
export async function writeShard(plan: ShardPlan, tools: ShardTools): Promise<PixelShard> {
  const { folder } = tools;
  const beside = join(folder, `.${plan.file}.new`);
  const sidecar = join(folder, sidecarOf(plan.file));
  try {
    await rm(sidecar, { force: true });
    const handle = await open(beside, "w+");
    let pictures: PreparedImage[];
    try {
      await handle.write(npyHeader(plan.wanted.length, tools.options.image_size_px));
      await handle.truncate(plan.bytes); // Rows without pixels stay black.
      pictures = await decodeInto(handle, beside, plan, tools);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    const shard = { file: plan.file, sha256: await hashFile(beside), pictures };
    await rename(beside, join(folder, plan.file));
    writeFileAtomic.sync(sidecar, sidecarText(plan.key, shard));
    return shard;
  } catch (error) {
    throw diskFullError(folder, error) ?? error;
  }
}

/** The decoders write each row in its place. */
async function decodeInto(
  handle: FileHandle,
  file: string,
  { wanted }: ShardPlan,
  { images_dir, options, pool, onImage }: ShardTools,
): Promise<PreparedImage[]> {
  const row_bytes = rowBytes(options.image_size_px);
  return Promise.all(
    wanted.map(async (picture, index) => {
      const offset = npy_header_bytes + index * row_bytes;
      const prepared = await pool.decode({ images_dir, wanted: picture, options, file, offset });
      // A decoder that was ended may have written a part.
      if (prepared.problem !== null) await handle.write(Buffer.alloc(row_bytes), 0, row_bytes, offset);
      onImage();
      return prepared;
    }),
  );
}
