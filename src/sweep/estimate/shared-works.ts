import { counted } from "../../base/format.ts";
import type { BaselineMeasurement, BaselineSplit, Timing } from "../../contract/generated/types.ts";
import { sharesLeft, type TimedBaseline, type TimedConfiguration } from "./costs.ts";
import { noTime, sum, times, timesOf, totalOf } from "./timing.ts";

/** A kind of features that are missing in the cache. */
export interface FeatureWork {
  num: number;
  bytes: number;
}

/** The features to extract. */
export interface FeatureWorks {
  time: Timing | undefined;
  bytes: number;
  amount: string;
  maps: FeatureWork;
  views: FeatureWork;
  text: FeatureWork;
}

/** The features to extract; trials with the same images and weights share them. */
export function missingFeatures(waiting: readonly TimedConfiguration[]): FeatureWorks {
  const images = new Map<string, Work>();
  const views = new Map<string, Work>();
  const texts = new Map<string, Work>();
  for (const { measured } of waiting)
    for (const need of measured.features) {
      const { map_bytes, sentence_bytes, image, sentence } = measured;
      const view = measured.view ?? undefined;
      if (!need.has_maps) keepLargest(images, need.maps_key, work(image, need.num_images, map_bytes));
      if (!need.has_text)
        keepLargest(texts, need.text_key, work(sentence, need.num_sentences, sentence_bytes));
      keepLargest(
        texts,
        `${need.text_key} mirrored`,
        work(sentence, need.num_missing_mirrored, sentence_bytes),
      );
      const numViews = need.num_missing_views * need.num_view_images;
      keepLargest(views, need.maps_key, work(view, numViews, map_bytes));
    }
  const [maps, ofViews, text] = [images, views, texts].map((works) => [...works.values()]);
  const all = [...(maps ?? []), ...(ofViews ?? []), ...(text ?? [])];
  const [numImages, numViews, numTexts] = [summed(maps), summed(ofViews), summed(text)];
  return {
    time: totalOf(all.map(({ time }) => time)),
    bytes: sum(all.map(({ bytes }) => bytes)),
    amount: `${counted(numImages.num + numViews.num, "image")}, ${counted(numTexts.num, "expression")}`,
    maps: numImages,
    views: numViews,
    text: numTexts,
  };
}

interface Work extends FeatureWork {
  time: Timing | undefined;
}

function work(unit: Timing | undefined, num: number, bytes: number): Work {
  return { num, time: timesOf(unit, num), bytes: num * bytes };
}

/** Those who share a store extract the most that one of them needs. Not all of them may have been timed. */
function keepLargest(works: Map<string, Work>, key: string, next: Work): void {
  const known = works.get(key);
  const isKnownNow = next.num === known?.num && known.time === undefined;
  if (next.num > (known?.num ?? 0) || isKnownNow) works.set(key, next);
}

function summed(works: readonly Work[] = []): FeatureWork {
  return { num: sum(works.map(({ num }) => num)), bytes: sum(works.map(({ bytes }) => bytes)) };
}

/** The trials of baselines; undefined where nothing is known. */
export interface BaselineWorks {
  trials: (Timing | undefined)[];
  /** On other splits than val. */
  others: Timing | undefined;
  /** Of detections and embeddings. */
  bytes: number;
}

/** The trials of baselines in their order; the first one that needs a detection or an embedding pays for it. */
export function baselineWorks(baselines: readonly TimedBaseline[]): BaselineWorks {
  const done = new Set<string>();
  let bytes = 0;
  const answer = ({ shared, sentence }: BaselineMeasurement, split: BaselineSplit): Timing | undefined =>
    totalOf([
      times(sentence, split.num_sentences),
      ...shared.flatMap(({ key, image, image_bytes, may_be_cached }) => {
        const place = `${key} ${split.key}`;
        if (done.has(place)) return [];
        done.add(place);
        bytes += image_bytes * split.num_images;
        const time = times(image, split.num_images);
        return [may_be_cached ? { ...time, low_ms: 0 } : time];
      }),
    ]);
  const trials = baselines.flatMap((each) =>
    sharesLeft(each).map(() => {
      const measured = each.measured && answer(each.measured, each.measured.val);
      return each.seen ?? measured;
    }),
  );
  const others = baselines.map(({ measured, num_to_evaluate }) =>
    num_to_evaluate === 0
      ? noTime
      : measured &&
        totalOf(
          Array.from({ length: num_to_evaluate }, () =>
            totalOf(measured.others.map((split) => answer(measured, split))),
          ),
        ),
  );
  return { trials, others: totalOf(others), bytes };
}
