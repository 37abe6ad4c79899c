import type { RootContent } from "mdast";
import { count } from "../../base/format.ts";
import type { AnnotationSource } from "../../contract/generated/types.ts";
import {
  bullets,
  code,
  codeBlock,
  heading,
  type Inline,
  images,
  paragraph,
  table,
} from "../../report/markdown.ts";
import { noValue } from "../../report/points.ts";
import { citations } from "./citations.ts";
import { knownIssues, overlapLine } from "./known-issues.ts";
import { licences } from "./licences.ts";
import type { Portrait } from "./portrait.ts";
import { figureSections, tercileNote } from "./split-figures.ts";

/**
 * The data set's card: what it is, where it comes from, what it holds, what to know, and who may do what with it.
 *
 * @param sheet the contact sheet's name beside the card; undefined for a data set without images.
 */
export function cardBlocks(portrait: Portrait, sheet: string | undefined): RootContent[] {
  const { stats } = portrait;
  const issues = knownIssues(portrait);
  const cited = citations(portrait);
  return [
    heading(1, stats.facts.name),
    paragraph(whatItIs(portrait)),
    ...(sheet === undefined
      ? []
      : [images([{ file: sheet, alt: `sentences of ${stats.facts.name} with their boxes` }])]),
    heading(2, "Source and preparation"),
    ...preparation(portrait),
    heading(2, "Counts"),
    ...counts(portrait),
    heading(2, "Splits"),
    ...splits(portrait),
    heading(2, "Sentences and boxes"),
    ...figures(portrait),
    heading(2, "To know"),
    issues.length === 0 ? paragraph("Nothing odd was found.") : bullets(issues),
    heading(2, "Licences"),
    bullets(licences(portrait)),
    ...(cited === "" ? [] : [heading(2, "To cite"), codeBlock("bibtex", cited)]),
  ];
}

function whatItIs({ kind, stats: { facts } }: Portrait): string {
  const { split_by } = facts;
  const about = "Visual grounding: a sentence means one object of an image, and a box tells which.";
  switch (kind) {
    case "refcocog":
      return `${about} RefCOCOg has long sentences, written by people who described an object for others to find, on images of COCO; this is its ${split_by} split.`;
    case "refcoco":
      return `${about} RefCOCO has short sentences, said by people in a game against time, on images of COCO; words for places are allowed. testA has people, testB all other objects.`;
    case "refcoco+":
      return `${about} RefCOCO+ has short sentences, said by people in a game against time, on images of COCO, in which words for places were forbidden. testA has people, testB all other objects.`;
    case "demo":
      return `${about} Scenes of coloured shapes and icons, drawn by cliprpn with sentences that are true by construction: to see a method learn within minutes, not to report figures on.`;
    case "own":
      return `${about} Fill in what the images show, who wrote the sentences, and what for.`;
  }
}

function preparation({ stats, command, sizes }: Portrait): RootContent[] {
  const { facts } = stats;
  const files = facts.annotation_files.map(
    ({ file, sha256 }): Inline => [code(file), " sha256 ", code(sha256)],
  );
  return [
    bullets([
      `Prepared on ${facts.prepared_at.slice(0, 10)} by cliprpn ${facts.cliprpn_version}; id ${facts.id}.`,
      `Annotations: ${layoutOf(facts.source)}.`,
      ...files,
      facts.images_dir === null
        ? "Without images."
        : ["Images: ", code(facts.images_dir), ", decoded once: ", sizes.join(", "), "."],
    ]),
    codeBlock("sh", command),
  ];
}

function layoutOf(source: AnnotationSource): string {
  return source.layout === "refcoco"
    ? "RefCOCO's own layout, instances.json and a refs file; boxes xywh in pixels"
    : `${source.format} rows; boxes ${source.box_format}`;
}

function counts({ stats, published }: Portrait): RootContent[] {
  const parts = ["pictures", "refs", "sentences"];
  const rows = stats.splits.map(({ split, num_images, num_refs, num_sentences }) => [
    split,
    ...[num_images, num_refs, num_sentences].flatMap((number, index) => {
      const wanted = published?.[split]?.[index];
      return published === undefined
        ? [count(number)]
        : [count(number), wanted === undefined ? noValue : count(wanted)];
    }),
  ]);
  const titles = parts.flatMap((part) => (published === undefined ? [part] : [part, "published"]));
  return [
    table(["split", ...titles], rows),
    ...(published === undefined ? [] : [paragraph(verdict(stats.facts))]),
  ];
}

function verdict({ deviations }: Portrait["stats"]["facts"]): string {
  return deviations.length === 0
    ? "Every count is the published one."
    : `${deviations.length} counts are not the published ones.`;
}

function splits({ stats }: Portrait): RootContent[] {
  const { facts, overlaps } = stats;
  return [
    paragraph(`Split by ${facts.split_by}: ${facts.split_rule}.`),
    ...(overlaps.length === 0
      ? []
      : [
          table(
            ["splits", "shared"],
            overlaps.map((each) => [`${each.first}, ${each.second}`, overlapLine(each)]),
            2,
          ),
        ]),
  ];
}

function figures({ stats }: Portrait): RootContent[] {
  const names = stats.splits.map(({ split }) => split);
  const note = tercileNote(stats);
  return [
    ...figureSections(stats)
      .filter(({ title }) => title !== "Counts")
      .map(({ title, rows }) =>
        table(
          [title, ...names],
          rows.map(({ label, of }) => [label, ...stats.splits.map(of)]),
        ),
      ),
    table(
      ["Sentences of so many words", ...names],
      stats.word_bins.map(({ min_words, max_words }, bin) => [
        max_words === null ? `${min_words} and more` : `${min_words} to ${max_words}`,
        ...stats.splits.map(({ word_histogram }) => count(word_histogram[bin] ?? 0)),
      ]),
    ),
    ...(note === undefined ? [] : [paragraph(note)]),
    ...stats.splits
      .filter(({ top_categories }) => top_categories.length > 0)
      .map(({ split, top_categories, num_categories }) =>
        paragraph(
          `Most frequent of ${count(num_categories)} categories in ${split}: ${top_categories
            .map(({ category, num_sentences }) => `${category} (${count(num_sentences)})`)
            .join(", ")}.`,
        ),
      ),
  ];
}
