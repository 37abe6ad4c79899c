import { createHash } from "node:crypto";
import type { Explorer } from "../../contract/generated/types.ts";

/**
 * Positions of all images, the most informative first: those where the shown configurations differ in a hit, then the
 * others, both in an order by a hash of the file name. The same images come first in every report on a split.
 */
export function rankImages({ images, expressions, settings }: Explorer): number[] {
  const differs = new Set(
    expressions.image.filter(
      (_, row) => new Set(settings.map(({ error_class }) => error_class[row] === 0)).size > 1,
    ),
  );
  const keyOf = (file: string, image: number): string =>
    `${differs.has(image) ? 0 : 1}${createHash("sha256").update(file).digest("hex")}`;
  const keys = images.file.map(keyOf);
  return keys.map((_, image) => image).sort((a, b) => ((keys[a] ?? "") < (keys[b] ?? "") ? -1 : 1));
}

/**
 * The expressions of as many images as fit. All expressions of an image are kept or left out together.
 *
 * @param ranked positions of the images, the most important first.
 * @param maxBytes of the JSON.
 */
export function selectRows(explorer: Explorer, ranked: number[], maxBytes: number): Explorer {
  const bytes = imageBytes(explorer);
  const kept = new Set<number>();
  let total = 0;
  for (const image of ranked) {
    if (total + (bytes[image] ?? 0) > maxBytes) continue;
    total += bytes[image] ?? 0;
    kept.add(image);
  }
  return keepImages(explorer, kept);
}

/** Bytes of the JSON of each image's expressions. */
function imageBytes({ images, expressions, subsets, settings }: Explorer): number[] {
  const bytes = images.file.map((file) => Buffer.byteLength(JSON.stringify(file)) + 16);
  for (const [row, image] of expressions.image.entries()) {
    const values = [
      ...[expressions.sent_id[row], image, expressions.sentence[row], expressions.category[row]],
      ...boxOf(expressions.gt_box_xyxy, row),
      ...subsets.map(({ group }) => group[row]),
      ...settings.flatMap(({ pred_box_xyxy, iou, score, error_class }) => [
        ...boxOf(pred_box_xyxy, row),
        ...[iou[row], score[row], error_class[row]],
      ]),
    ];
    // Escaped characters take up to six bytes in the page.
    const escaped = (expressions.sentence[row]?.match(/[<>&]/g)?.length ?? 0) * 5;
    bytes[image] = (bytes[image] ?? 0) + Buffer.byteLength(JSON.stringify(values)) + escaped;
  }
  return bytes;
}

function keepImages(explorer: Explorer, kept: Set<number>): Explorer {
  const { images, expressions, subsets, settings } = explorer;
  const rows = [...expressions.image.keys()].filter((row) => kept.has(expressions.image[row] ?? -1));
  const shown = [...images.file.keys()].filter((image) => kept.has(image));
  const newPosition = new Map(shown.map((image, position) => [image, position]));
  const take = <T>(column: T[], at = rows): T[] => at.map((index) => column[index] as T);
  const boxes = (column: number[]): number[] => rows.flatMap((row) => boxOf(column, row));
  return {
    ...explorer,
    images: {
      file: take(images.file, shown),
      width: take(images.width, shown),
      height: take(images.height, shown),
      upright: take(images.upright, shown),
    },
    expressions: {
      sent_id: take(expressions.sent_id),
      image: rows.map((row) => newPosition.get(expressions.image[row] ?? -1) ?? 0),
      sentence: take(expressions.sentence),
      category: take(expressions.category),
      gt_box_xyxy: boxes(expressions.gt_box_xyxy),
    },
    subsets: subsets.map(({ by, groups, group }) => ({
      by,
      groups: groups,
      group: take(group),
    })),
    settings: settings.map((setting) => ({
      label: setting.label,
      seed: setting.seed,
      pred_box_xyxy: boxes(setting.pred_box_xyxy),
      iou: take(setting.iou),
      score: take(setting.score),
      error_class: take(setting.error_class),
    })),
  };
}

/** The four numbers of a row. */
function boxOf(column: number[], row: number): number[] {
  return column.slice(4 * row, 4 * row + 4);
}
