import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkDiskSpace } from "../../base/disk-space.ts";
import { replaceFile, stagingName } from "../../base/replace-file.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { PixelShard, PixelsManifest, WantedImage } from "../../contract/generated/types.ts";
import { type DecodeOptions, preprocessing_version } from "./decode.ts";
import { DecoderPool } from "./decoder-pool.ts";
import { finishedShard, planShards, type ShardPlan, sidecarOf, writeShard } from "./shard.ts";

export interface PixelsOptions extends DecodeOptions {
  images_dir: string;
  wanted: WantedImage[];
  /** Output folder, for this image size and resize mode only. */
  folder: string;
  /** Approximate size of a shard; 64 MB by default. */
  shard_bytes?: number;
}

export interface PrepareOptions extends PixelsOptions {
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Decoders that are already running; a failure or an interruption closes them. */
  pool?: DecoderPool;
}

/**
 * Decodes images once, into shards that can be memory-mapped. A bad image gets a `problem` in the manifest.
 * Finished shards that are still valid are kept: a second call only compares times and sizes. The caller must
 * ensure that no other process prepares the same folder.
 *
 * @throws CliprpnError not_found if the image folder does not exist; no_space, environment_broken,
 *   interrupted.
 */
export async function preparePixels(options: PrepareOptions): Promise<PixelsManifest> {
  const { wanted, folder, onProgress } = options;
  const plans = planShards(wanted, options);
  const images_dir = realFolder(options.images_dir);
  mkdirSync(folder, { recursive: true });
  const shards = plans.map((plan) => finishedShard(folder, plan, images_dir));
  let done = shards.reduce((sum, shard) => sum + (shard?.pictures.length ?? 0), 0);
  onProgress?.(done, wanted.length);
  if (shards.includes(undefined))
    await writeMissing(plans, shards, images_dir, options, () => {
      done += 1;
      onProgress?.(done, wanted.length);
    });
  const manifest = manifestOf(shards.filter(isFinished), options);
  const file = join(folder, "manifest.json");
  const text = manifestText(manifest);
  if (readText(file) !== text) replaceFile(file, text);
  removeLeftovers(folder, plans);
  return manifest;
}

/** True if preparing would change nothing; compares times and sizes only. */
export function pixelsFresh(options: PixelsOptions): boolean {
  const { wanted, folder } = options;
  const images_dir = realFolder(options.images_dir);
  const shards = planShards(wanted, options).map((plan) => finishedShard(folder, plan, images_dir));
  return (
    !shards.includes(undefined) &&
    readText(join(folder, "manifest.json")) === manifestText(manifestOf(shards.filter(isFinished), options))
  );
}

/** Shards written at once: the decoders fill the next one while the last is synced to disk. */
const num_lanes = 2;

/** Writes the missing shards into `shards`. */
async function writeMissing(
  plans: ShardPlan[],
  shards: (PixelShard | undefined)[],
  images_dir: string,
  options: PrepareOptions,
  onImage: () => void,
): Promise<void> {
  const { folder, signal } = options;
  const missing = [...plans.keys()].filter((index) => shards[index] === undefined);
  await checkDiskSpace({
    folder,
    needed_bytes: missing.reduce((sum, index) => sum + (plans[index]?.bytes ?? 0), 0),
    what: "the decoded images",
    advice: "prepare the dataset in a folder on another disk",
  });
  rmSync(join(folder, "manifest.json"), { force: true }); // A manifest means that all of its shards are valid.
  const pool = options.pool ?? new DecoderPool();
  const interrupt = (): void => pool.close(new CliprpnError("interrupted", "interrupted"));
  signal?.addEventListener("abort", interrupt);
  try {
    if (signal?.aborted) interrupt();
    const context = { folder, images_dir, options: decodeOptions(options), pool, onImage };
    const lane = async (): Promise<void> => {
      for (let index = missing.shift(); index !== undefined; index = missing.shift()) {
        const plan = plans[index];
        if (plan !== undefined) shards[index] = await writeShard(plan, context);
      }
    };
    await settleAll(Array.from({ length: num_lanes }, lane), (error) => {
      missing.length = 0;
      pool.close(error);
    });
  } finally {
    signal?.removeEventListener("abort", interrupt);
    if (options.pool === undefined) pool.close(new CliprpnError("internal", "the pool is closed"));
  }
}

/** Waits until every promise has settled, then throws the first error. */
async function settleAll(promises: Promise<void>[], onError: (error: CliprpnError) => void): Promise<void> {
  let first: unknown;
  await Promise.all(
    promises.map((promise) =>
      promise.catch((error: unknown) => {
        first ??= error;
        onError(
          error instanceof CliprpnError
            ? error
            : new CliprpnError("internal", String(error), { cause: error }),
        );
      }),
    ),
  );
  if (first !== undefined) throw first;
}

function decodeOptions({
  image_size_px,
  resize,
  max_pixels,
  follow_links,
  frame,
}: DecodeOptions): DecodeOptions {
  return { image_size_px, resize, max_pixels, follow_links, frame };
}

function manifestOf(shards: PixelShard[], { image_size_px, resize }: DecodeOptions): PixelsManifest {
  const hash = createHash("sha256");
  for (const { sha256 } of shards) hash.update(sha256);
  const pixels_id = hash.digest("hex").slice(0, 16);
  return { preprocessing_version, image_size_px, resize, pixels_id, shards };
}

function manifestText(manifest: PixelsManifest): string {
  return `${JSON.stringify(manifest)}\n`;
}

/** Shards and sidecars, and their temporary files, also those of earlier versions, which end in digits. */
const leftover = /^(\.?shard-\d{5}\.(npy|json)(\.new|\.\d+)?|manifest\.json\.\d+)$/;

/** Removes shards of a larger or an interrupted run. */
function removeLeftovers(folder: string, plans: ShardPlan[]): void {
  const keep = new Set(plans.flatMap(({ file }) => [file, sidecarOf(file)]));
  for (const name of readdirSync(folder))
    if ((leftover.test(name) || stagingName.test(name)) && !keep.has(name)) rmSync(join(folder, name));
}

/** @throws CliprpnError not_found. */
function realFolder(images_dir: string): string {
  try {
    return realpathSync(images_dir);
  } catch (error) {
    throw new CliprpnError("not_found", `${images_dir}: expected the folder of images, found none`, {
      cause: error,
    });
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function isFinished(shard: PixelShard | undefined): shard is PixelShard {
  return shard !== undefined;
}
