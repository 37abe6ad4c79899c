import { existsSync } from "node:fs";
import { namesIn } from "../../base/files.ts";
import type { DatasetIdentity } from "../../dataset/identify-dataset.ts";
import { imagesPerShard, rowBytes } from "../../dataset/images/shard.ts";
import { datasetsOf } from "../../dataset/joint.ts";
import {
  type ImageSize,
  pixelsFolder,
  readWanted,
  wantedFile,
} from "../../dataset/prepare/prepared-folder.ts";
import { readPixels } from "./feature-needs.ts";

/** Images of a dataset that are still to decode at a size. */
export interface ImagesLeft {
  dataset: string;
  image_size_px: number;
  folder: string;
  /** Null if the annotations were not read yet. */
  num: number | null;
  bytes: number | null;
}

/** The images to decode before the first trial; none for sizes that are complete. */
export function imagesLeft(datasets: readonly DatasetIdentity[], sizes: readonly ImageSize[]): ImagesLeft[] {
  const all = datasets.flatMap((dataset) =>
    dataset.joint === undefined ? [dataset] : [...datasetsOf(dataset.joint), dataset],
  );
  const distinct = [...new Map(all.map((dataset) => [dataset.root, dataset])).values()];
  return distinct.flatMap((dataset) => sizes.flatMap((size) => leftAt(dataset, size) ?? []));
}

function leftAt(dataset: DatasetIdentity, size: ImageSize): ImagesLeft | undefined {
  const folder = pixelsFolder(dataset.root, size);
  if (readPixels(folder) !== undefined) return undefined;
  const { image_size_px } = size;
  const total = numWanted(dataset);
  const numShards = namesIn(folder).filter((name) => /^shard-\d{5}\.json$/.test(name)).length;
  const num = total === null ? null : Math.max(0, total - numShards * imagesPerShard(image_size_px));
  const bytes = num === null ? null : num * rowBytes(image_size_px);
  return { dataset: dataset.name, image_size_px, folder, num, bytes };
}

function numWanted({ root, demo }: DatasetIdentity): number | null {
  const file = wantedFile(root);
  if (existsSync(file)) return readWanted(file).length;
  if (demo === undefined) return null;
  return Object.values(demo.num_images).reduce((sum, num) => sum + num, 0);
}
