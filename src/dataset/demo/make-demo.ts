import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withLock } from "../../base/lock.ts";
import { loadSharp } from "../../base/sharp.ts";
import { CliprpnError } from "../../contract/errors.ts";
import { annotationsOf, imageName } from "./annotations.ts";
import { type DemoImage, demoImages } from "./demo-images.ts";
import { pickle } from "./pickle.ts";
import type { Split } from "./scene.ts";
import { sceneSvg } from "./svg.ts";

export interface DemoOptions {
  seed: number;
  num_images: Record<Split, number>;
}

/** Content of `demo.json`, which is written last: its presence means that the dataset is complete. */
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

/** Change it whenever the same options would give different images or sentences. */
export const generator_version = 2;

/** Id of a demo, computed from its options without generating it. */
export function demoId(options: DemoOptions): string {
  return createHash("sha256")
    .update(JSON.stringify({ generator_version, ...options }))
    .digest("hex")
    .slice(0, 16);
}

/**
 * Generates the demo dataset in RefCOCOg's layout unless the folder already has a complete one. It is made in
 * a temporary folder, under a lock, and renamed at the end, so that neither a kill nor a second process
 * leaves an incomplete dataset.
 *
 * @param root the folder to create.
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
    new CliprpnError("locked", `${root}: another process took over the lock; re-run the same command`);
  await withLock(root, { signal, lost }, async (lockSignal) => {
    if (existsSync(join(root, "demo.json"))) return;
    const staging = `${root}.making`;
    await rm(staging, { recursive: true, force: true });
    await mkdir(join(staging, "annotations"), { recursive: true });
    await mkdir(join(staging, "images"));
    const demo_images = allImages(options);
    await drawAll(demo_images, join(staging, "images"), onProgress, lockSignal);
    await writeAnnotations(demo_images, options, staging);
    await rm(root, { recursive: true, force: true });
    await rename(staging, root);
  });
}

function allImages({ seed, num_images }: DemoOptions): DemoImage[] {
  const demo_images: DemoImage[] = [];
  for (const split of ["train", "val", "test"] as const)
    demo_images.push(...demoImages(seed, split, num_images[split], demo_images.length + 1));
  return demo_images;
}

async function drawAll(
  demo_images: DemoImage[],
  folder: string,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const sharp = await loadSharp();
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let image = demo_images[next++]; image !== undefined; image = demo_images[next++]) {
      signal?.throwIfAborted();
      const png = await sharp(Buffer.from(sceneSvg(image.scene)))
        .removeAlpha()
        .png({ compressionLevel: 6 })
        .toBuffer();
      await writeFile(join(folder, imageName(image.image_id)), png);
      done += 1;
      if (done % 50 === 0 || done === demo_images.length) onProgress(done, demo_images.length);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}

async function writeAnnotations(demo_images: DemoImage[], options: DemoOptions, root: string): Promise<void> {
  const { instances, refs } = annotationsOf(demo_images);
  const instancesText = JSON.stringify(instances);
  const refsPickle = pickle(refs);
  await writeFile(join(root, "annotations/instances.json"), instancesText);
  await writeFile(join(root, "annotations/refs(umd).p"), refsPickle);
  const count = (split: Split): number =>
    demo_images.reduce((sum, image) => sum + (image.split === split ? image.sentences.length : 0), 0);
  const manifest: DemoManifest = {
    generator_version,
    ...options,
    num_sentences: { train: count("train"), val: count("val"), test: count("test") },
    instances_sha256: createHash("sha256").update(instancesText).digest("hex"),
    refs_sha256: createHash("sha256").update(refsPickle).digest("hex"),
  };
  await writeFile(join(root, "demo.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}
