import type { RootContent } from "mdast";
import { count, counted, joinWords } from "../../base/format.ts";
import type { GalleryGroup, SettingSummary, Summary } from "../../contract/generated/types.ts";
import { bullets, heading, images, paragraph } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import type { ReportImage } from "../report-input.ts";
import { countRuns, runsOf } from "../wording.ts";

/** The drawn examples of the gallery. */
export interface Gallery {
  groups: DrawnSection[];
  /** Reasons for missing examples: a message for each image that cannot be read. */
  unreadable: string[];
}

interface DrawnSection extends Omit<GallerySection, "groups"> {
  images: ReportImage[];
}

/** Examples under one heading. */
export interface GallerySection {
  title: string;
  text: string;
  groups: GalleryGroup[];
}

export function gallery(summary: Summary, { groups, unreadable }: Gallery): RootContent[] {
  if (!summary.gallery.has_images)
    return [heading(2, "Gallery"), paragraph("The dataset has no images, so there are no examples.")];
  if (groups.length === 0 && unreadable.length === 0) return [];
  return [
    heading(2, "Gallery"),
    paragraph(introduction(summary)),
    ...groups.flatMap(({ title, text, images: drawn }) => [
      heading(3, title),
      paragraph(text),
      ...(drawn.length > 0 ? [images(drawn)] : []),
    ]),
    ...missingExamples(unreadable),
  ];
}

/** @param unreadable a message for each image that cannot be read. */
export function missingExamples(unreadable: string[]): RootContent[] {
  if (unreadable.length === 0) return [];
  return [paragraph("Examples whose image cannot be read are missing:"), bullets(unreadable)];
}

/** What A, B and the lines mean. */
function introduction({
  baseline,
  settings,
  gallery: { label, seed, against, against_seed },
}: Summary): string {
  const named = (name: string, first: number | null, line: string): string =>
    `${quoteLabel(name)} (${shownRun(settings, name, first)}${line})`;
  const best = `A is ${named(label, seed, "solid line")}`;
  const role = against === baseline ? "the baseline" : "the nearest rival";
  const other = against === null ? "" : `, B is ${named(against, against_seed, "double line")}, ${role}`;
  return `${best}${other}; the ground truth (GT) is dashed. An answer is right if its IoU is at least 0.5. The examples are selected by fixed rules, and no image is shown twice.`;
}

/** "seed 0, ", "the first decoding run, "; nothing for a fixed model. */
function shownRun(settings: SettingSummary[], label: string, seed: number | null): string {
  const setting = settings.find((each) => each.label === label);
  if (seed === null || setting === undefined) return "";
  const runs = runsOf(setting);
  if (setting.kind !== "results") return `seed ${seed}, `;
  return countRuns(runs) === undefined ? "" : "the first run, ";
}

/** The groups by heading, in the order of the report; without those that do not exist, such as minimal pairs. */
export function gallerySections({ gallery: { label, against, groups } }: Summary): GallerySection[] {
  const a = quoteLabel(label);
  const b = against === null ? null : quoteLabel(against);
  const of = (...kinds: GalleryGroup["kind"][]): GalleryGroup[] =>
    groups.filter(({ kind }) => kinds.includes(kind));
  const pairs = of("pair_wins", "pair_losses", "pair_failures");
  const random = of("random_failures");
  const sections = [
    { title: "Minimal pairs", text: describePairs(pairs, b !== null), groups: pairs },
    ...(b === null
      ? [
          withCount(`${a} is right`, of("wins"), "highest IoU"),
          withCount(`${a} is wrong`, of("joint_failures"), "highest score"),
        ]
      : [
          withCount(`Wins: only ${a} is right`, of("wins"), "largest gain in IoU"),
          withCount(`Losses: only ${b} is right`, of("losses"), "largest loss in IoU"),
          withCount("Joint failures: both are wrong", of("joint_failures"), "highest score of A"),
        ]),
    { title: `Random failures of ${a}`, text: describeRandom(random), groups: random },
  ];
  return sections.filter((section) => section.groups.length > 0);
}

function withCount(title: string, groups: GalleryGroup[], rule: string): GallerySection {
  const texts = groups.map((group) => {
    if (group.num_found === 0) return `None of ${count(group.num_total)} expressions.`;
    return `${count(group.num_found)} of ${count(group.num_total)} expressions; ${shown(group, rule)}.`;
  });
  return { title, text: texts.join(" "), groups };
}

/** "shown: the 4 with the largest gain in IoU". */
function shown({ examples, num_found }: GalleryGroup, rule: string): string {
  if (examples.length === 0) return "all their images are in other groups";
  if (examples.length === num_found) return num_found === 1 ? "shown" : "all shown";
  return `shown: ${examples.length === 1 ? "the one" : `the ${examples.length}`} with the ${rule}`;
}

/** The others are answered right by both. */
function describePairs(groups: GalleryGroup[], hasOther: boolean): string {
  const clauses = groups.map((group) => {
    const [who, rule] = (hasOther ? pairTexts : pairTextsAlone)[group.kind] ?? ["", ""];
    const { num_found } = group;
    return num_found === 0 ? `${who} in none` : `${who} in ${count(num_found)} (${shown(group, rule)})`;
  });
  const total = counted(groups[0]?.num_total ?? 0, "pair");
  return `Of ${total}, both expressions are answered right ${joinWords(clauses)}.`;
}

type PairTexts = Partial<Record<GalleryGroup["kind"], [who: string, rule: string]>>;

const pairTexts: PairTexts = {
  pair_wins: ["by A alone", "largest gain in IoU"],
  pair_losses: ["by B alone", "largest loss in IoU"],
  pair_failures: ["by neither", "highest score of A"],
};

const pairTextsAlone: PairTexts = {
  pair_wins: ["by A", "highest IoU"],
  pair_failures: ["not by A", "highest score"],
};

function describeRandom(groups: GalleryGroup[]): string {
  const sizes = groups.map((group) => {
    const { subset, num_found, num_total } = group;
    return `${subsetTitle(subset)} (${count(num_found)} of ${count(num_total)})`;
  });
  return `One random failure of each subset, the same in every report. Number of failures: ${joinWords(sizes)}.`;
}

/** "size or part". */
export function subsetTitle(subset: GalleryGroup["subset"]): string {
  return (subset?.group ?? "").replaceAll("_", " ");
}
