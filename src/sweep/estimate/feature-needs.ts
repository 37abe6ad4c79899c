import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findSchemaErrors } from "../../contract/check.ts";
import type {
  ClipRpnSpec,
  FeatureNeed,
  PixelsManifest,
  TrialBackbone,
  TrialDataset,
} from "../../contract/generated/types.ts";
import { pixelsFolder } from "../../dataset/prepare/prepared-folder.ts";
import { parseJson, readText } from "../../store/files.ts";
import type { DatasetCounts } from "./dataset-counts.ts";

/** Where features are looked for. */
export interface FeaturePlace {
  cacheDir: string;
  /** cpu, cuda or mps. */
  deviceKind: string;
  counts: DatasetCounts;
  /** Needs that were looked up before. */
  known: Map<string, FeatureNeed | undefined>;
}

/**
 * The features of a dataset that a trial needs, and how many of them are still to extract. Looks at the names of folders in the
 * cache, which `python/cliprpn/features` makes from the same values.
 *
 * @param withViews augmented views are made of the trial's own dataset only.
 * @param measured what Python counted when it measured: mirrored expressions, which only it can tell.
 * @returns undefined if the dataset is not prepared.
 */
export function featureNeed(
  spec: ClipRpnSpec,
  dataset: Pick<TrialDataset, "id" | "root">,
  withViews: boolean,
  place: FeaturePlace,
  measured?: readonly FeatureNeed[],
): FeatureNeed | undefined {
  const { image_size_px, resize, training } = spec.settings;
  const views = withViews ? training.views : 0;
  const key = JSON.stringify([dataset.id, spec.backbone.weights_id, image_size_px, resize, views]);
  if (!place.known.has(key)) place.known.set(key, findNeed(spec, dataset, withViews, place, measured));
  return place.known.get(key);
}

function findNeed(
  { settings, backbone }: ClipRpnSpec,
  dataset: Pick<TrialDataset, "id" | "root">,
  withViews: boolean,
  { cacheDir, deviceKind, counts }: FeaturePlace,
  measured: readonly FeatureNeed[] | undefined,
): FeatureNeed | undefined {
  const facts = counts.facts(dataset.root);
  if (facts === undefined) return undefined;
  const size = { image_size_px: settings.image_size_px, resize: settings.resize };
  const pixels = readPixels(pixelsFolder(dataset.root, size));
  const arithmetic = deviceKind === "cpu" ? {} : { device: deviceKind, precision: "float32" };
  const weights_id = backbone.weights_id;
  const text = { dataset_id: dataset.id, weights_id, text: textVersion, ...arithmetic };
  const maps = { dataset_id: dataset.id, pixels_id: pixels?.pixels_id ?? "", weights_id, ...arithmetic };
  const features = join(cacheDir, "features");
  const done = (kind: string, madeFrom: MadeFrom): number =>
    numDone(join(features, folderName(kind, madeFrom)));
  const doneMaps = pixels === undefined ? 0 : done("maps", maps);
  const doneText = done("text", text);
  const num_images = pixels?.num_images ?? sumOf(facts.splits.map((split) => split.num_images));
  const num_sentences = sumOf(facts.splits.map((split) => split.num_sentences)) + 1; // And the empty one.
  const train = counts.split(dataset.root, "train");
  const numViews = withViews ? settings.training.views : 0;
  const missingViews = Array.from({ length: numViews }, (_, index) => index + 1).filter(
    (number) =>
      pixels === undefined || done("view", { ...maps, views: viewsVersion, seed: 0, number }) !== allDone,
  );
  const hasMirrored = numViews === 0 || done("mirrored", { ...text, views: viewsVersion }) === allDone;
  const text_key = folderName("text", text);
  const numMirrored = measured?.find((need) => need.text_key === text_key)?.num_missing_mirrored;
  return {
    maps_key: pixels === undefined ? `maps of ${pixelsFolder(dataset.root, size)}` : folderName("maps", maps),
    text_key,
    has_maps: doneMaps === allDone,
    has_text: doneText === allDone,
    num_images: Math.max(0, num_images - (doneMaps === allDone ? 0 : doneMaps)),
    num_sentences: Math.max(0, num_sentences - (doneText === allDone ? 0 : doneText)),
    num_view_images: train?.num_images ?? 0,
    num_missing_views: missingViews.length,
    // At most: expressions that mirroring does not change have no features of their own.
    num_missing_mirrored: hasMirrored ? 0 : (numMirrored ?? train?.num_sentences ?? 0),
  };
}

type MadeFrom = Record<string, string | number>;

/** TEXT_VERSION and VIEWS_VERSION of Python; a test compares them. */
export const textVersion = "openai-bpe-1";
export const viewsVersion = "1";

/** As `FeatureCache.folder` in Python: a hash of the JSON that Python writes, with sorted keys. */
export function folderName(kind: string, madeFrom: MadeFrom): string {
  const items = Object.keys(madeFrom)
    .sort()
    .map((key) => `${JSON.stringify(key)}: ${JSON.stringify(madeFrom[key])}`);
  const key = createHash("sha256")
    .update(`{${items.join(", ")}}`)
    .digest("hex");
  return `${kind}-${key.slice(0, 24)}`;
}

/** A store that is complete. */
const allDone = Number.POSITIVE_INFINITY;

/** How many items a store has. */
function numDone(folder: string): number {
  if (existsSync(join(folder, "manifest.json"))) return allDone;
  const progress: { progress?: { done?: unknown } } = Object(
    parseJson(readText(join(folder, "progress.json")) ?? ""),
  );
  const done = progress.progress?.done;
  return typeof done === "number" && done > 0 ? done : 0;
}

/** The id and the number of the decoded images of a size; undefined if they are not complete. */
export function readPixels(folder: string): { pixels_id: string; num_images: number } | undefined {
  const file = join(folder, "manifest.json");
  if (!existsSync(file)) return undefined;
  const manifest = parseJson(readFileSync(file, "utf8"));
  if (findSchemaErrors("PixelsManifest", manifest).length > 0) return undefined; // Damaged: it is made again.
  const { pixels_id, shards } = manifest as PixelsManifest;
  return { pixels_id, num_images: sumOf(shards.map((shard) => shard.pictures.length)) };
}

/** Sizes of features: channels of a map, whose cells are 32 pixels wide, of an embedding and of a token. */
const sizes: Record<TrialBackbone["name"], { channels: number; pooled: number; word: number }> = {
  "cliprpn-tiny": { channels: 512, pooled: 192, word: 48 },
  "RN50-quickgelu": { channels: 2048, pooled: 1024, word: 512 },
};

/** As Python checks the free space for: tokens of an expression. */
const typicalTokens = 12;

/** Bytes of the feature map of an image, and of the features of an expression. */
export function featureBytes({ backbone, settings }: ClipRpnSpec): {
  map_bytes: number;
  sentence_bytes: number;
} {
  const { channels, pooled, word } = sizes[backbone.name];
  const side = Math.floor(settings.image_size_px / 32);
  return { map_bytes: channels * side * side * 2, sentence_bytes: (pooled + typicalTokens * word) * 2 };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
