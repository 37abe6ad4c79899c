import { count, joinWords } from "../../base/format.ts";
import type { SplitOverlap } from "../../contract/generated/types.ts";
import { isFamily, type Portrait } from "./portrait.ts";

/** What a person should know before reporting a figure on the data set, a sentence or two each. */
export function knownIssues(portrait: Portrait): string[] {
  const { stats } = portrait;
  const { facts } = stats;
  const { num_images, num_refs, num_sentences } = facts.dropped;
  const left_out =
    num_images === 0
      ? []
      : [
          `${count(num_images)} images are missing or broken and were left out, with ${count(num_refs)} refs and ${count(num_sentences)} sentences: figures are not comparable with published ones.`,
        ];
  const deviations =
    facts.deviations.length === 0 ? [] : [`Not as published: ${firstDeviations(facts.deviations)}.`];
  return [
    ...detectors(portrait),
    ...stats.overlaps.filter(sharesImages).map((overlap) => shared(overlap, facts.split_by)),
    ...left_out,
    ...deviations,
    ...oddities(portrait),
    ...facts.notes,
  ];
}

/** A line for what two splits share. */
export function overlapLine(overlap: SplitOverlap): string {
  const { num_images, num_refs, num_objects, num_sentences, num_identical_pixels } = overlap;
  const parts = [
    [num_images, "picture"],
    [num_refs, "ref"],
    [num_objects, "object"],
    [num_sentences, "sentence with the same box"],
    [num_identical_pixels ?? 0, "image of the same pixels"],
  ] as const;
  const some = parts.filter(([number]) => number > 0);
  return some.length === 0
    ? "nothing shared"
    : joinWords(some.map(([number, what]) => `${count(number)} ${plural(what, number)}`));
}

function firstDeviations(lines: string[]): string {
  const shown = lines.slice(0, 3).join("; ");
  return lines.length > 3 ? `${shown}; and ${lines.length - 3} more counts` : shown;
}

function detectors(portrait: Portrait): string[] {
  const { num_coco_train2014 } = portrait.stats;
  if (isFamily(portrait))
    return [
      "All images are COCO's train2014, those of val and test too: a detector or a backbone trained on COCO has seen them. Say so beside its figures, or train it without them.",
    ];
  return num_coco_train2014 === 0
    ? []
    : [
        `${count(num_coco_train2014)} images are COCO's train2014, by their names: a detector or a backbone trained on COCO has seen them. Say so beside its figures, or train it without them.`,
      ];
}

function sharesImages({ num_images, num_identical_pixels }: SplitOverlap): boolean {
  return num_images + (num_identical_pixels ?? 0) > 0;
}

function shared(overlap: SplitOverlap, split_by: string): string {
  const { first, second } = overlap;
  const why =
    split_by === "google" ? " The google split parts objects, not images; the umd split shares none." : "";
  return `${first} and ${second} share ${overlapLine(overlap)}: what was trained on has been seen.${why}`;
}

function oddities({ stats: { splits, facts } }: Portrait): string[] {
  const sum = (of: (split: (typeof splits)[number]) => number): number =>
    splits.reduce((total, split) => total + of(split), 0);
  const repeated = sum(({ num_repeated }) => num_repeated);
  const unknown = sum(({ same_category }) => same_category.unknown);
  return [
    // Whoever reads rows notes it already.
    ...(repeated === 0 || facts.source.layout === "rows"
      ? []
      : [
          `${count(repeated)} sentences repeat an earlier one of the same object; they are kept, and weigh twice.`,
        ]),
    ...(unknown === 0
      ? []
      : [
          `Of ${count(unknown)} sentences nobody says what the object is: figures by category and same-category negatives do without them.`,
        ]),
  ];
}

function plural(what: string, number: number): string {
  return number === 1 ? what : what.replace(/^\w+/, (word) => `${word}s`);
}
