/** What preparing images costs: beside a DataLoader and beside libvips' own command, and its memory. */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import sharp from "sharp";
import { packageRoot } from "../../src/base/package-root.ts";
import type { WantedImage } from "../../src/contract/generated/types.ts";
import { DEFAULT_MAX_PIXELS } from "../../src/dataset/images/decode.ts";
import { type PixelsOptions, preparePixels } from "../../src/dataset/images/prepare-pixels.ts";
import { descendants, peakBytes } from "./cli.ts";
import { runPython } from "./python.ts";
import type { Row } from "./rows.ts";
import { median } from "./statistics.ts";

const size_px = 224;

/**
 * Images per second, in turns on the same images: ours, a DataLoader's, and `vipsthumbnail`'s.
 *
 * @param images_dir images to take instead of drawn ones.
 */
export async function imagesRows(folder: string, python: string, images_dir?: string): Promise<Row[]> {
  const images = images_dir ?? (await drawPhotos(join(folder, "photos"), 200));
  const num_files = readdirSync(images).length;
  const repeats = Math.ceil(2000 / num_files);
  const vips_version = await vipsVersion();
  const per_second: Record<"ours" | "pil" | "vips", number[]> = { ours: [], pil: [], vips: [] };
  for (let round = 0; round < 3; round += 1) {
    per_second.ours.push(
      (num_files * repeats) / (await oursSeconds(images, repeats, join(folder, "pixels"))),
    );
    if (vips_version !== undefined)
      per_second.vips.push((num_files * repeats) / (await vipsSeconds(images, repeats, folder)));
    per_second.pil.push((num_files * repeats) / (await pilSeconds(python, images, repeats)));
  }
  const [ours, pil, vips] = [median(per_second.ours), median(per_second.pil), median(per_second.vips)];
  const kb = Math.round(bytesOf(images) / num_files / 1000);
  const what = `images to ${size_px} px, ${num_files * repeats} of ${kb} KB in the mean, ${availableParallelism()} cores; the other side:`;
  const row = { ours: rate(ours), other: rate(pil), figure: `${(ours / pil).toFixed(2)} times` };
  return [
    {
      what: `${what} DataLoader with Pillow and torchvision, a worker a core`,
      ...row,
      target: "as measured",
    },
    vips_version !== undefined
      ? {
          what: `${what} \`vipsthumbnail\` (libvips ${vips_version}), a process a core`,
          ours: rate(ours),
          other: rate(vips),
          figure: `${(ours / vips).toFixed(2)} times`,
          target: ">= 0.95",
          met: ours / vips >= 0.95,
        }
      : {
          what: `${what} \`vipsthumbnail\``,
          ours: rate(ours),
          other: "not on this machine (libvips-tools)",
          figure: "",
          target: ">= 0.95",
        },
  ];
}

/** Peak memory of all processes at 1,000 and at 25,799 images, and how long a second call takes. Linux only. */
export async function imagesMemoryRows(folder: string): Promise<Row[]> {
  const images_dir = await drawSmall(join(folder, "small"), 25_799);
  const few = await measureOwner({ ...optionsOf(images_dir, 1), folder: join(folder, "few") }, 1000);
  const many = await measureOwner({ ...optionsOf(images_dir, 1), folder: join(folder, "many") }, 25_799);
  const ratio = many.peak_bytes / few.peak_bytes;
  return [
    {
      what: "peak memory of preparing 25,799 small images, all processes; the other side: 1,000",
      ours: mib(many.peak_bytes),
      other: mib(few.peak_bytes),
      figure: `${ratio.toFixed(2)} times`,
      target: "<= 1.25",
      met: ratio <= 1.25,
    },
    {
      what: "a second call, all 25,799 images unchanged",
      ours: `${many.again_s.toFixed(2)} s`,
      other: `${many.first_s.toFixed(1)} s the first time`,
      figure: `${many.again_s.toFixed(2)} s`,
      target: "<= 1 s",
      met: many.again_s <= 1,
    },
  ];
}

async function oursSeconds(images_dir: string, repeats: number, folder: string): Promise<number> {
  rmSync(folder, { recursive: true, force: true });
  const started = performance.now();
  await preparePixels({ ...optionsOf(images_dir, repeats), folder });
  return (performance.now() - started) / 1000;
}

async function pilSeconds(python: string, images_dir: string, repeats: number): Promise<number> {
  const args = [images_dir, repeats, size_px, availableParallelism()].map(String);
  return (await runPython<{ seconds: number }>(python, "pictures", args)).seconds;
}

/**
 * Raw pixels are what it writes, as we do; a process a core, which is faster than one process with as many threads. It converts
 * no colours here, which spares it a third of its time on photos with a profile.
 */
async function vipsSeconds(images_dir: string, repeats: number, folder: string): Promise<number> {
  const out = join(folder, "vips");
  mkdirSync(out, { recursive: true });
  const files = optionsOf(images_dir, repeats).wanted.map(({ file_name }) => join(images_dir, file_name));
  const each = ["vipsthumbnail", "--size", `${size_px}x${size_px}!`, "-o", `${out}/%s.ppm`];
  const started = performance.now();
  await execa("xargs", ["-P", String(availableParallelism()), "-n", "50", ...each], {
    input: files.join("\n"),
    env: { VIPS_CONCURRENCY: "1" },
  });
  return (performance.now() - started) / 1000;
}

/** Its version; undefined where it is not installed. */
async function vipsVersion(): Promise<string | undefined> {
  const { failed, stdout } = await execa("vipsthumbnail", ["--vips-version"], { reject: false });
  return failed ? undefined : /\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0];
}

/** A first and a second call in a process of their own. */
async function measureOwner(
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
  const again = performance.now();
  await preparePixels(first);
  const peak_bytes = [...peaks.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { peak_bytes, first_s, again_s: (performance.now() - again) / 1000 };
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

/** Of COCO's size, and about as hard to decode: blurred noise. */
async function drawPhotos(folder: string, count: number): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index += 1)
    await sharp({
      create: {
        width: 640,
        height: 480,
        channels: 3,
        background: "grey",
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
  const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: "grey", noise } })
    .jpeg()
    .toBuffer();
  for (let index = 0; index < count; index += 1)
    writeFileSync(join(folder, `${String(index).padStart(6, "0")}.jpg`), picture);
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
