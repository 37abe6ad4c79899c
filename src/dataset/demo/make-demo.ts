import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withLock } from "../../base/lock.ts";
import { loadSharp } from "../../base/sharp.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { annotationsOf, imageName } from "./annotations.ts";
import { type DemoImage, demoImages } from "./images.ts";
import { pickle } from "./pickle.ts";
import type { Split } from "./scene.ts";
import { sceneSvg } from "./svg.ts";

export interface DemoOptions {
  seed: number;
  num_images: Record<Split, number>;
}

/** What `demo.json` holds; it is written last, so that its presence means a whole data set. */
export interface DemoManifest extends DemoOptions {
  generator_version: number;
  num_sentences: Record<Split, number>;
  instances_sha256: string;
  refs_sha256: string;
}

export const demoSizes: Record<"full" | "small", DemoOptions> = {
  full: { seed: 0, num_images: { train: 2400, val: 360, test: 960 } },
  small: { seed: 0, num_images: { train: 240, val: 60, test: 60 } },
};

/** Changes whenever the same options would draw or say something else. */
export const generator_version = 2;

/** Names a demo by what it holds, without drawing it. */
export function demoId(options: DemoOptions): string {
  return createHash("sha256")
    .update(JSON.stringify({ generator_version, ...options }))
    .digest("hex")
    .slice(0, 16);
}

/**
 * Draws the demo data set in RefCOCOg's own layout, once: beside its folder and then renamed, under a lock, so that a kill or a
 * second run leave no half data set.
 *
 * @param root the folder to make; one that holds a finished demo is left as it is.
 */
export async function makeDemo(
  root: string,
  options: DemoOptions,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (existsSync(join(root, "demo.json"))) return;
  await mkdir(dirname(root), { recursive: true });
  const lost = (): CliprpnError =>
    new CliprpnError("locked", `${root}: another process took it over; run the same command again`);
  await withLock(root, { signal, lost }, async (held) => {
    if (existsSync(join(root, "demo.json"))) return;
    const staging = `${root}.making`;
    await rm(staging, { recursive: true, force: true });
    await mkdir(join(staging, "annotations"), { recursive: true });
    await mkdir(join(staging, "images"));
    const pictures = allImages(options);
    await drawAll(pictures, join(staging, "images"), onProgress, held);
    await writeAnnotations(pictures, options, staging);
    await rm(root, { recursive: true, force: true });
    await rename(staging, root);
  });
}

export async function readDemo(root: string): Promise<DemoManifest> {
  return JSON.parse(await readFile(join(root, "demo.json"), "utf8"));
}

function allImages({ seed, num_images }: DemoOptions): DemoImage[] {
  const pictures: DemoImage[] = [];
  for (const split of ["train", "val", "test"] as const)
    pictures.push(...demoImages(seed, split, num_images[split], pictures.length + 1));
  return pictures;
}

async function drawAll(
  pictures: DemoImage[],
  folder: string,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const sharp = await loadSharp();
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let picture = pictures[next++]; picture !== undefined; picture = pictures[next++]) {
      signal?.throwIfAborted();
      const png = await sharp(Buffer.from(sceneSvg(picture.scene)))
        .removeAlpha()
        .png({ compressionLevel: 6 })
        .toBuffer();
      await writeFile(join(folder, imageName(picture.image_id)), png);
      done += 1;
      if (done % 50 === 0 || done === pictures.length) onProgress(done, pictures.length);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

async function writeAnnotations(pictures: DemoImage[], options: DemoOptions, root: string): Promise<void> {
  const { instances, refs } = annotationsOf(pictures);
  const instancesText = JSON.stringify(instances);
  const refsPickle = pickle(refs);
  await writeFile(join(root, "annotations/instances.json"), instancesText);
  await writeFile(join(root, "annotations/refs(umd).p"), refsPickle);
  const count = (split: Split): number =>
    pictures.reduce((sum, picture) => sum + (picture.split === split ? picture.sentences.length : 0), 0);
  const manifest: DemoManifest = {
    generator_version,
    ...options,
    num_sentences: { train: count("train"), val: count("val"), test: count("test") },
    instances_sha256: createHash("sha256").update(instancesText).digest("hex"),
    refs_sha256: createHash("sha256").update(refsPickle).digest("hex"),
  };
  await writeFile(join(root, "demo.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}
