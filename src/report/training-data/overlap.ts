import { count, joinWords } from "../../base/format.ts";
import type { ImageOriginCount } from "../../contract/generated/types.ts";
import { findTrainingSets, type ImageOrigin, type Share } from "./known-sets.ts";

/** Images that weights have seen in training. */
export interface Overlap {
  /** In words: "all 1,300", "none", "not known". */
  text: string;
  /** Images that were certainly seen. */
  num_seen: number;
  /** Images of which some were seen, which ones is not known. */
  num_maybe: number;
  /** Images of which nothing is known. */
  num_unknown: number;
  /** Why, one sentence for each known training set that shares images. */
  reasons: string[];
}

/**
 * The images that the training sets share with a dataset, by the collections that both come from.
 *
 * @param trained_on names of the training sets; null if undeclared.
 */
export function overlapOf(
  trained_on: readonly string[] | null,
  origins: readonly ImageOriginCount[],
): Overlap {
  const found = (trained_on ?? []).map((name) => findTrainingSets(name));
  const sets = found.flatMap((each) => each ?? []);
  const isComplete = trained_on !== null && found.every((each) => each !== undefined);
  const numOf: Record<Share | "unknown", number> = { all: 0, some: 0, none: 0, unknown: 0 };
  const reasons = new Set<string>();
  for (const { origin, num_images } of origins) {
    const shares = sets.map((set) => set.shares[origin]);
    numOf[combined(shares, isComplete)] += num_images;
    for (const set of sets) if (isShared(set.shares[origin])) reasons.add(set.about);
  }
  const { all: num_seen, some: num_maybe, unknown: num_unknown } = numOf;
  return { text: words(numOf), num_seen, num_maybe, num_unknown, reasons: [...reasons] };
}

/** "1,300 of COCO train2014 and 12 of unknown origin". */
export function describeOrigins(origins: readonly ImageOriginCount[]): string {
  return joinWords(origins.map(({ origin, num_images }) => `${count(num_images)} ${originNames[origin]}`));
}

/** Completes "12 images ...". */
export const originNames: Record<ImageOrigin, string> = {
  coco_train2014: "of COCO train2014",
  coco_val2014: "of COCO val2014",
  coco_train2017: "of COCO train2017",
  coco_val2017: "of COCO val2017",
  coco: "of COCO",
  visual_genome: "of Visual Genome",
  flickr30k: "of Flickr30k",
  objects365: "of Objects365",
  open_images: "of Open Images",
  other: "of unknown origin",
};

function combined(shares: (Share | undefined)[], isComplete: boolean): Share | "unknown" {
  if (shares.includes("all")) return "all";
  if (shares.includes("some")) return "some";
  return isComplete && shares.length > 0 && shares.every((share) => share === "none") ? "none" : "unknown";
}

function isShared(share: Share | undefined): boolean {
  return share === "all" || share === "some";
}

function words({ all, some, none, unknown }: Record<Share | "unknown", number>): string {
  const total = all + some + none + unknown;
  if (all === total) return `all ${count(total)}`;
  if (none === total) return "none";
  if (unknown === total) return "not known";
  return joinWords([
    ...(all > 0 ? [`${count(all)} of ${count(total)}`] : []),
    ...(some > 0 ? [`some of ${count(some)}`] : []),
    ...(unknown > 0 ? [`not known of ${count(unknown)}`] : []),
  ]);
}
