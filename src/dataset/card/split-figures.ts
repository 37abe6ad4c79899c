import { count, percent } from "../../base/format.ts";
import type { DatasetStats, Quantiles, SplitStats } from "../../contract/generated/types.ts";
import { noValue, points } from "../../report/points.ts";

/** A row for each figure, a cell for each split. */
export interface FigureRow {
  label: string;
  of: (split: SplitStats) => string;
}

/** Rows that belong together. */
export interface FigureSection {
  title: string;
  rows: FigureRow[];
}

/** Everything that is told of a split, in the order of reading; the terminal and the card show the same. */
export function figureSections({ word_bins, area_cuts, splits }: DatasetStats): FigureSection[] {
  const knows = splits.some(({ same_category, num_sentences }) => same_category.unknown < num_sentences);
  return [
    {
      title: "Counts",
      rows: [
        row("pictures", ({ num_images }) => count(num_images)),
        row("refs", ({ num_refs }) => count(num_refs)),
        row("sentences", ({ num_sentences }) => count(num_sentences)),
      ],
    },
    {
      title: "Words in a sentence",
      rows: [
        row("median", ({ words }) => number(words.p50)),
        row("5th to 95th percentile", ({ words }) => spread(words, number)),
        row("longest", ({ words }) => number(words.max)),
        ...lengthParts.map(([label, low, high]) =>
          row(label, ({ word_histogram, num_sentences }) => {
            const own = word_histogram.filter((_, bin) => within(word_bins[bin], low, high));
            return share(
              own.reduce((sum, each) => sum + each, 0),
              num_sentences,
            );
          }),
        ),
        row("with left or right", ({ num_left_right, num_sentences }) =>
          share(num_left_right, num_sentences),
        ),
        row("with letters beyond ASCII", ({ num_non_ascii }) => count(num_non_ascii)),
        row("repeated, of the same object", ({ num_repeated }) => count(num_repeated)),
      ],
    },
    ...(area_cuts === null
      ? []
      : [
          {
            title: "Boxes, in % of their image",
            rows: [
              row("median", ({ areas }) => (areas === null ? noValue : points(areas.quantiles.p50))),
              row("5th to 95th percentile", ({ areas }) =>
                areas === null ? noValue : spread(areas.quantiles, points),
              ),
              ...sizeParts(area_cuts.refcocog_low, area_cuts.refcocog_high).map(([label, size]) =>
                row(label, ({ areas }) => (areas === null ? noValue : percent(areas.refcocog_shares[size]))),
              ),
            ],
          },
        ]),
    {
      title: "Objects",
      rows: [
        ...(knows
          ? [
              row("categories", ({ num_categories }) => count(num_categories)),
              row("the only one of its category", ({ same_category, num_sentences }) =>
                share(same_category.one, num_sentences),
              ),
              row("one other in the image", ({ same_category, num_sentences }) =>
                share(same_category.two, num_sentences),
              ),
              row("two others and more", ({ same_category, num_sentences }) =>
                share(same_category.three_or_more, num_sentences),
              ),
            ]
          : []),
        row("in an image, median", ({ objects_per_image }) => number(objects_per_image.p50)),
        row("in an image, 5th to 95th", ({ objects_per_image }) => spread(objects_per_image, number)),
      ],
    },
    ...(area_cuts === null
      ? []
      : [
          {
            title: "Images, width : height",
            rows: [
              row("median", ({ aspects }) => (aspects === null ? noValue : aspects.p50.toFixed(2))),
              row("5th to 95th percentile", ({ aspects }) =>
                aspects === null ? noValue : spread(aspects, (value) => value.toFixed(2)),
              ),
            ],
          },
          {
            title: "Floors: mIoU / Acc@0.5 in %, nothing understood",
            rows: [
              row("the whole image", (split) => floor(split, "whole_picture")),
              row("the box that fits train best", (split) => floor(split, "constant_box")),
            ],
          },
        ]),
  ];
}

/** RefCOCOg's terciles beside the set's own; undefined where nobody tells the images' sizes. */
export function tercileNote({ area_cuts }: DatasetStats): string | undefined {
  if (area_cuts === null) return undefined;
  const { own_low, own_high } = area_cuts;
  return `Boxes are small, medium and large by RefCOCOg's terciles; this set's own lie at ${points(own_low)} % and ${points(own_high)} %.`;
}

const lengthParts: [label: string, low: number, high: number][] = [
  ["5 and fewer", 0, 5],
  ["6 to 10", 6, 10],
  ["11 and more", 11, Number.POSITIVE_INFINITY],
];

function within(bin: DatasetStats["word_bins"][number] | undefined, low: number, high: number): boolean {
  return bin !== undefined && bin.min_words >= low && (bin.max_words ?? Number.POSITIVE_INFINITY) <= high;
}

function sizeParts(low: number, high: number): [label: string, size: "small" | "medium" | "large"][] {
  const [from, to] = [low, high].map((cut) => (cut * 100).toFixed(0));
  return [
    [`small: below ${from} %`, "small"],
    [`medium: ${from} to ${to} %`, "medium"],
    [`large: ${to} % and more`, "large"],
  ];
}

function row(label: string, of: FigureRow["of"]): FigureRow {
  return { label, of };
}

function share(part: number, whole: number): string {
  return percent(part / whole);
}

/** One digit behind the point where it needs one. */
function number(value: number): string {
  const rounded = Math.round(value * 10) / 10;
  return Number.isInteger(rounded) ? count(rounded) : rounded.toFixed(1);
}

function spread({ p5, p95 }: Quantiles, text: (value: number) => string): string {
  return `${text(p5)} to ${text(p95)}`;
}

function floor({ floors }: SplitStats, name: "whole_picture" | "constant_box"): string {
  const found = floors.find((each) => each.name === name);
  return found === undefined ? noValue : `${points(found.miou)} / ${points(found.acc_at_50)}`;
}
