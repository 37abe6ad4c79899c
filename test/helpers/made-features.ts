import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderName } from "../../src/sweep/estimate/feature-needs.ts";
import { madeData } from "./estimated-sweep.ts";

/** All features of the made dataset, for the made weights. */
export function addFeatures(work: string): void {
  const { root } = madeData(work);
  addPixels(root);
  const made = { dataset_id: "data", weights_id: "made" };
  addStore(work, folderName("maps", { ...made, pixels_id: "p1" }), { "manifest.json": "{}" });
  addStore(work, folderName("text", { ...made, text: "openai-bpe-1" }), { "manifest.json": "{}" });
}

/** A store of features in the cache of `work`. */
export function addStore(work: string, name: string, files: Record<string, string>): void {
  const folder = join(work, "cache", "features", name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
}

/** Decoded images of the size of the preset. */
export function addPixels(root: string): void {
  const folder = join(root, "pixels", "squash-224");
  mkdirSync(folder, { recursive: true });
  const made = { bytes: 1, mtime_ms: 1, width: 1, height: 1, upright: false };
  const frame = { scale_x: 1, scale_y: 1, left_px: 0, top_px: 0 };
  const image = (index: number) => ({ file_name: `${index}.jpg`, ...made, ...frame, problem: null });
  const images = Array.from({ length: 100 }, (_, index) => image(index));
  const manifest = {
    preprocessing_version: "1",
    image_size_px: 224,
    resize: "squash",
    pixels_id: "p1",
    shards: [{ file: "shard-00000.npy", sha256: "0".repeat(64), pictures: images }],
  };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}
