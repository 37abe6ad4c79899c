import { count, percent } from "../../base/format.ts";
import type { DatasetStats, Quantiles, SplitStats } from "../../contract/generated/types.ts";
import { noValue, points } from "../../report/points.ts";

/** A row of a table with one column per split. */
export interface FigureRow {
  label: string;
  format: (split: SplitStats) => string;
}

/** Rows under a common title. */
export interface FigureSection {
  title: string;
  rows: FigureRow[];
}

/** All figures of the splits, in display order, for the terminal and the card. */
export function figureSections({ word_bins, area_cuts, splits }: DatasetStats): FigureSection[] {
  const hasCategories = splits.some(
    ({ same_category, num_sentences }) => same_category.unknown < num_sentences,
  );
  return [
    {
      title: "Counts",
      rows: [
        row("images", ({ num_images }) => count(num_images)),
        row("referred objects", ({ num_refs }) => count(num_refs)),
        row("expressions", ({ num_sentences }) => count(num_sentences)),
      ],
    },
    {
      title: "Words per expression",
      rows: [
        row("median", ({ words }) => number(words.p50)),
        row("5th to 95th percentile", ({ words }) => p5ToP95(words, number)),
        row("longest", ({ words }) => number(words.max)),
        ...lengthRanges.map(([label, low, high]) =>
          row(label, ({ word_histogram, num_sentences }) => {
            const counts = word_histogram.filter((_, bin) => isWithin(word_bins[bin], low, high));
            return ratio(
              counts.reduce((sum, number) => sum + number, 0),
              num_sentences,
            );
          }),
        ),
        row('containing "left" or "right"', ({ num_left_right, num_sentences }) =>
          ratio(num_left_right, num_sentences),
        ),
        row("with non-ASCII characters", ({ num_non_ascii }) => count(num_non_ascii)),
        row("repeated for the same object", ({ num_repeated }) => count(num_repeated)),
      ],
    },
    ...(area_cuts === null
      ? []
      : [
          {
            title: "Box area, in % of the image",
            rows: [
              row("median", ({ areas }) => (areas === null ? noValue : points(areas.quantiles.p50))),
              row("5th to 95th percentile", ({ areas }) =>
                areas === null ? noValue : p5ToP95(areas.quantiles, points),
              ),
              ...sizeRanges(area_cuts.refcocog_low, area_cuts.refcocog_high).map(([label, size]) =>
                row(label, ({ areas }) => (areas === null ? noValue : percent(areas.refcocog_shares[size]))),
              ),
            ],
          },
        ]),
    {
      title: "Objects",
      rows: [
        ...(hasCategories
          ? [
              row("categories", ({ num_categories }) => count(num_categories)),
              row("only one of its category", ({ same_category, num_sentences }) =>
                ratio(same_category.one, num_sentences),
              ),
              row("one other of its category", ({ same_category, num_sentences }) =>
                ratio(same_category.two, num_sentences),
              ),
              row("two or more others", ({ same_category, num_sentences }) =>
                ratio(same_category.three_or_more, num_sentences),
              ),
            ]
          : []),
        row("per image, median", ({ objects_per_image }) => number(objects_per_image.p50)),
        row("per image, 5th to 95th", ({ objects_per_image }) => p5ToP95(objects_per_image, number)),
      ],
    },
    ...(area_cuts === null
      ? []
      : [
          {
            title: "Image aspect ratio (width / height)",
            rows: [
              row("median", ({ aspects }) => (aspects === null ? noValue : aspects.p50.toFixed(2))),
              row("5th to 95th percentile", ({ aspects }) =>
                aspects === null ? noValue : p5ToP95(aspects, (value) => value.toFixed(2)),
              ),
            ],
          },
          {
            title: "Baselines that ignore the expression: mIoU / Acc@0.5 in %",
            rows: [
              row("the whole image", (split) => baseline(split, "whole_image")),
              row("best constant box on train", (split) => baseline(split, "constant_box")),
            ],
          },
        ]),
  ];
}

/** RefCOCOg's terciles and those of this dataset; undefined if the image sizes are unknown. */
export function tercileNote({ area_cuts }: DatasetStats): string | undefined {
  if (area_cuts === null) return undefined;
  const { own_low, own_high } = area_cuts;
  return `Small, medium and large follow RefCOCOg's terciles; those of this dataset are ${points(own_low)} % and ${points(own_high)} %.`;
}

const lengthRanges: [label: string, low: number, high: number][] = [
  ["5 or fewer", 0, 5],
  ["6 to 10", 6, 10],
  ["11 or more", 11, Number.POSITIVE_INFINITY],
];

function isWithin(bin: DatasetStats["word_bins"][number] | undefined, low: number, high: number): boolean {
  return bin !== undefined && bin.min_words >= low && (bin.max_words ?? Number.POSITIVE_INFINITY) <= high;
}

function sizeRanges(low: number, high: number): [label: string, size: "small" | "medium" | "large"][] {
  const [from, to] = [low, high].map((cut) => (cut * 100).toFixed(0));
  return [
    [`small: below ${from} %`, "small"],
    [`medium: ${from} to ${to} %`, "medium"],
    [`large: ${to} % or more`, "large"],
  ];
}

function row(label: string, format: FigureRow["format"]): FigureRow {
  return { label, format };
}

function ratio(part: number, total: number): string {
  return percent(part / total);
}

/** With one decimal, unless it is zero. */
function number(value: number): string {
  const rounded = Math.round(value * 10) / 10;
  return Number.isInteger(rounded) ? count(rounded) : rounded.toFixed(1);
}

function p5ToP95({ p5, p95 }: Quantiles, format: (value: number) => string): string {
  return `${format(p5)} to ${format(p95)}`;
}

function baseline({ floors }: SplitStats, name: "whole_image" | "constant_box"): string {
  const figures = floors.find((floor) => floor.name === name);
  return figures === undefined ? noValue : `${points(figures.miou)} / ${points(figures.acc_at_50)}`;
}
