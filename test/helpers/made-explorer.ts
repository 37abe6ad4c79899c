import { join } from "node:path";
import sharp from "sharp";
import type { Explorer } from "../../src/contract/generated/types.ts";

/** What one expression is; the answers are error classes of the configurations, 0 for a hit. */
export interface MadeExpression {
  sentence: string;
  image: number;
  stratum?: string;
  category?: string;
  answers: number[];
}

/** Data of single expressions; a hit has IoU 0.9, and the image `n` is `image-n.png` of the folder. */
export function madeExplorer(
  labels: string[],
  expressions: MadeExpression[],
  changes: Partial<Explorer> = {},
): Explorer {
  const numImages = Math.max(0, ...expressions.map(({ image }) => image + 1));
  const strata = [...new Set(expressions.flatMap(({ stratum }) => stratum ?? []))];
  const categories = [...new Set(expressions.map(({ category }) => category ?? "cup"))];
  const each = <T>(value: T): T[] => Array.from({ length: numImages }, () => value);
  return {
    schema_version: 1,
    split: "val",
    num_settings: labels.length,
    images_dir: "/nowhere",
    images: {
      file: Array.from({ length: numImages }, (_, image) => `image-${image}.png`),
      width: each(320),
      height: each(240),
      upright: each(false),
    },
    expressions: {
      sent_id: expressions.map((_, row) => row + 1),
      image: expressions.map(({ image }) => image),
      sentence: expressions.map(({ sentence }) => sentence),
      category: expressions.map(({ category }) => category ?? "cup"),
      gt_box_xyxy: expressions.flatMap((_, row) => [20 + row, 30, 120 + row, 130]),
    },
    subsets: [
      {
        by: "stratum",
        groups: strata,
        group: expressions.map(({ stratum }) => (stratum === undefined ? -1 : strata.indexOf(stratum))),
      },
      {
        by: "category",
        groups: categories,
        group: expressions.map(({ category }) => categories.indexOf(category ?? "cup")),
      },
    ],
    error_classes: [
      "hit",
      "wrong_category",
      "wrong_instance",
      "loose_box",
      "background",
      "no_answer",
      "unknown",
    ],
    settings: labels.map((label, setting) => ({
      label,
      seed: 0,
      pred_box_xyxy: expressions.flatMap(({ answers }, row) =>
        answers[setting] === 0 ? [22 + row, 32, 121 + row, 131] : [200, 100, 300, 220],
      ),
      iou: expressions.map(({ answers }) => (answers[setting] === 0 ? 0.9 : 0.05)),
      score: expressions.map((_, row) => Math.max(0, 0.9 - row / 100)),
      error_class: expressions.map(({ answers }) => answers[setting] ?? 0),
    })),
    ...changes,
  };
}

/** Writes `image-0.png`, ... of noise, which compresses badly. */
export async function writeImages(folder: string, numImages: number): Promise<void> {
  const noise = { type: "gaussian" as const, mean: 128, sigma: 60 };
  for (let image = 0; image < numImages; image += 1)
    await sharp({ create: { width: 320, height: 240, channels: 3, background: "gray", noise } }).toFile(
      join(folder, `image-${image}.png`),
    );
}
