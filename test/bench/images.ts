/**
 * Speed of preparing images, compared with a DataLoader and with libvips' command line tool, and its memory.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import sharp from "sharp";
import type { WantedImage } from "../../src/contract/generated/types.ts";
import { DEFAULT_MAX_PIXELS } from "../../src/dataset/images/decode.ts";
import { type PixelsOptions, preparePixels } from "../../src/dataset/images/prepare-pixels.ts";
import { packageRoot } from "../../src/package-root.ts";
import { descendants, peakBytes } from "./cli.ts";
import { runPython } from "./python.ts";
import type { Row } from "./rows.ts";
import { median } from "./statistics.ts";

const size_px = 224;

/**
 * Images per second of cliprpn, a DataLoader and `vipsthumbnail`, alternating, on the same images.
 *
 * @param images_dir images to use instead of drawn ones.
 */
export async function imagesRows(folder: string, python: string, images_dir?: string): Promise<Row[]> {
  const images = images_dir ?? (await drawPhotos(join(folder, "photos"), 200));
  const num_files = readdirSync(images).length;
  const repeats = Math.ceil(2000 / num_files);
  const vips_version = await vipsVersion();
  const per_second: Record<"ours" | "pil" | "vips", number[]> = { ours: [], pil: [], vips: [] };
  for (let round = 0; round < 3; round += 1) {
    per_second.ours.push(
      (num_files * repeats) / (await prepareSeconds(images, repeats, join(folder, "pixels"))),
    );
    if (vips_version !== undefined)
      per_second.vips.push((num_files * repeats) / (await vipsSeconds(images, repeats, folder)));
    per_second.pil.push((num_files * repeats) / (await pilSeconds(python, images, repeats)));
  }
  const [ours, pil, vips] = [median(per_second.ours), median(per_second.pil), median(per_second.vips)];
  const kb = Math.round(bytesOf(images) / num_files / 1000);
  const what = `images per second to ${size_px} px: ${num_files * repeats} images of ${kb} KB on average, ${availableParallelism()} cores; baseline:`;
  const row = { ours: rate(ours), baseline: rate(pil), result: `${(ours / pil).toFixed(2)} times` };
  return [
    {
      what: `${what} DataLoader with Pillow and torchvision, one worker per core`,
      ...row,
      target: "none",
    },
    vips_version !== undefined
      ? {
          what: `${what} \`vipsthumbnail\` (libvips ${vips_version}), one process per core`,
          ours: rate(ours),
          baseline: rate(vips),
          result: `${(ours / vips).toFixed(2)} times`,
          target: ">= 0.95",
          met: ours / vips >= 0.95,
        }
      : {
          what: `${what} \`vipsthumbnail\``,
          ours: rate(ours),
          baseline: "not installed (libvips-tools)",
          result: "",
          target: ">= 0.95",
        },
  ];
}

/**
 * Peak memory of all processes with 1,000 and with 25,799 images, and the duration of a second call. Linux
 * only.
 */
export async function imagesMemoryRows(folder: string): Promise<Row[]> {
  const images_dir = await drawSmall(join(folder, "small"), 25_799);
  const few = await measurePrepare({ ...optionsOf(images_dir, 1), folder: join(folder, "few") }, 1000);
  const many = await measurePrepare({ ...optionsOf(images_dir, 1), folder: join(folder, "many") }, 25_799);
  const ratio = many.peak_bytes / few.peak_bytes;
  return [
    {
      what: "peak memory of preparing 25,799 small images, all processes; baseline: 1,000 images",
      ours: mib(many.peak_bytes),
      baseline: mib(few.peak_bytes),
      result: `${ratio.toFixed(2)} times`,
      target: "<= 1.25",
      met: ratio <= 1.25,
    },
    {
      what: "preparing 25,799 unchanged images a second time",
      ours: `${many.again_s.toFixed(2)} s`,
      baseline: `${many.first_s.toFixed(1)} s the first time`,
      result: `${many.again_s.toFixed(2)} s`,
      target: "<= 1 s",
      met: many.again_s <= 1,
    },
  ];
}

async function prepareSeconds(images_dir: string, repeats: number, folder: string): Promise<number> {
  rmSync(folder, { recursive: true, force: true });
  const started = performance.now();
  await preparePixels({ ...optionsOf(images_dir, repeats), folder });
  return (performance.now() - started) / 1000;
}

async function pilSeconds(python: string, images_dir: string, repeats: number): Promise<number> {
  const args = [images_dir, repeats, size_px, availableParallelism()].map(String);
  return (await runPython<{ seconds: number }>(python, "images", args)).seconds;
}

/**
 * Writes raw pixels, as cliprpn does, with one process per core, which is faster than one process with as
 * many threads. It does not convert color profiles, which saves a third of the time on photos that have one.
 */
async function vipsSeconds(images_dir: string, repeats: number, folder: string): Promise<number> {
  const out = join(folder, "vips");
  mkdirSync(out, { recursive: true });
  const files = optionsOf(images_dir, repeats).wanted.map(({ file_name }) => join(images_dir, file_name));
  const command = ["vipsthumbnail", "--size", `${size_px}x${size_px}!`, "-o", `${out}/%s.ppm`];
  const started = performance.now();
  await execa("xargs", ["-P", String(availableParallelism()), "-n", "50", ...command], {
    input: files.join("\n"),
    env: { VIPS_CONCURRENCY: "1" },
  });
  return (performance.now() - started) / 1000;
}

/** Undefined if vipsthumbnail is not installed. */
async function vipsVersion(): Promise<string | undefined> {
  const { failed, stdout } = await execa("vipsthumbnail", ["--vips-version"], { reject: false });
  return failed ? undefined : /\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0];
}

/** Peak memory and duration of a first call in a separate process, and the duration of a second call. */
async function measurePrepare(
  options: PixelsOptions,
  count: number,
): Promise<{ peak_bytes: number; first_s: number; again_s: number }> {
  const first = { ...options, wanted: options.wanted.slice(0, count) };
  const file = `${options.folder}.json`;
  writeFileSync(file, JSON.stringify(first));
  const args = ["--import", "tsx", join(packageRoot, "test/helpers/prepare-owner.ts"), file];
  const peaks = new Map<number, number>();
  const started = performance.now();
  const running = execa(process.execPath, args);
  const timer = setInterval(() => {
    for (const pid of [running.pid ?? 0, ...descendants(running.pid ?? 0)])
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, peakBytes(pid)));
  }, 50);
  await running.finally(() => clearInterval(timer));
  const first_s = (performance.now() - started) / 1000;
  const again_started = performance.now();
  await preparePixels(first);
  const peak_bytes = [...peaks.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { peak_bytes, first_s, again_s: (performance.now() - again_started) / 1000 };
}

function optionsOf(images_dir: string, repeats: number): PixelsOptions {
  const names = readdirSync(images_dir).sort();
  const wanted: WantedImage[] = Array.from({ length: repeats }, () => names)
    .flat()
    .map((file_name, image_id) => ({ image_id, file_name, width: null, height: null }));
  return {
    images_dir,
    wanted,
    folder: "",
    image_size_px: size_px,
    resize: "squash",
    max_pixels: DEFAULT_MAX_PIXELS,
    follow_links: false,
  };
}

/** Blurred noise of COCO's size, about as expensive to decode. */
async function drawPhotos(folder: string, count: number): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index += 1)
    await sharp({
      create: {
        width: 640,
        height: 480,
        channels: 3,
        background: "gray",
        noise: { type: "gaussian", mean: 128, sigma: 60 },
      },
    })
      .blur(0.8)
      .jpeg({ quality: 90 })
      .toFile(join(folder, `${String(index).padStart(5, "0")}.jpg`));
  return folder;
}

async function drawSmall(folder: string, count: number): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
  const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: "gray", noise } })
    .jpeg()
    .toBuffer();
  for (let index = 0; index < count; index += 1)
    writeFileSync(join(folder, `${String(index).padStart(6, "0")}.jpg`), jpeg);
  return folder;
}

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function rate(per_second: number): string {
  return `${per_second.toFixed(0)}/s`;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
