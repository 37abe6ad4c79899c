import type { RootContent } from "mdast";
import { asSentence, count, counted, joinWords } from "../../base/format.ts";
import { confidenceOf } from "../figures.ts";
import { bullets, codeBlock, heading, type Inline, link, paragraph, strong } from "../markdown.ts";
import type { ReportImage } from "../report-input.ts";
import { answerLimitations, answers } from "../sections/answers.ts";
import { protocol } from "../sections/protocol.ts";
import { combinedVerdict } from "./combined-verdict.ts";
import type { OverviewInput } from "./overview-input.ts";
import { splitsSection } from "./splits-section.ts";
import { trainingBySplit } from "./training-by-split.ts";

/** The overview of a comparison from top to bottom: `main` has the result, `details` what it is based on. */
export function overviewBlocks(
  input: OverviewInput,
  chart: ReportImage | undefined,
): { main: RootContent[]; details: RootContent[] } {
  const { combined, comparison } = input;
  return {
    main: [
      heading(1, input.question),
      paragraph([strong(combinedVerdict(combined, comparison)), ...lookRemark(input)]),
      paragraph(basis(input)),
      ...overviewLimitations(input),
      ...splitsSection("Results by split", combined, comparison, chart),
      ...reportLinks(input),
      ...trainingBySplit(input),
      ...answers(comparison, dataNames(input)),
      ...protocol(comparison),
    ],
    details: [
      heading(2, "Reproduce"),
      paragraph(
        "Run this in the folder where the comparison was made. Files that have not changed are not read again.",
      ),
      codeBlock("sh", input.command),
      ...definitions(input),
    ],
  };
}

function lookRemark({ endpoints }: OverviewInput): string[] {
  const looks = endpoints.filter(({ numLooks }) => numLooks > 0);
  if (looks.length === 0) return [];
  return [
    ` This is look ${joinWords(looks.map(({ name, numLooks }) => `${numLooks} at ${name}`))} in this runs folder.`,
  ];
}

function basis({ name, combined, comparison }: OverviewInput): string {
  const { endpoints } = combined;
  const num_datasets = new Set(endpoints.map(({ dataset_name }) => dataset_name)).size;
  const num_sentences = endpoints.reduce((sum, each) => sum + each.num_sentences, 0);
  return [
    `Comparison ${name}: ${counted(comparison.models.length, "model")} on ${counted(endpoints.length, "split")} of ${counted(num_datasets, "dataset")}, with ${count(num_sentences)} referring expressions.`,
    `Values in parentheses are ${confidenceOf(combined)} confidence intervals (see Statistics).`,
    "A hit has IoU >= 0.5; Acc@0.5 is the fraction of expressions whose answer is a hit.",
  ].join(" ");
}

/** Limitations of the results. */
export function overviewLimitations(input: OverviewInput): RootContent[] {
  const warnings = input.endpoints.flatMap(({ name, dataset_warnings }) =>
    dataset_warnings.map((line): [string, string] => [line, name]),
  );
  const namesOf = new Map<string, string[]>();
  for (const [line, name] of warnings) namesOf.set(line, [...(namesOf.get(line) ?? []), name]);
  const lines: Inline[] = [
    ...[...namesOf].map(
      ([line, names]): Inline => [
        strong(`Warning about the data of ${joinWords(names)}:`),
        ` ${asSentence(line)}`,
      ],
    ),
    ...answerLimitations(input.comparison, dataNames(input)),
    ...(input.combined.endpoints.some(({ dataset_name }) => dataset_name === "demo")
      ? ["Results on the demo dataset do not predict results on RefCOCOg."]
      : []),
  ];
  return lines.length === 0 ? [] : [bullets(lines)];
}

function dataNames({ endpoints }: OverviewInput): string[] {
  return endpoints.map(({ name }) => name);
}

function reportLinks({ endpoints }: OverviewInput): RootContent[] {
  return [
    heading(2, "Reports"),
    paragraph("Each split has a report with all metrics, subsets, classes of errors and examples:"),
    bullets(
      endpoints.map(
        ({ name, files }): Inline => [
          `${name}: `,
          link(files.text),
          ", ",
          link(files.text.replace(/md$/, "html")),
        ],
      ),
    ),
  ];
}

function definitions({ combined }: OverviewInput): RootContent[] {
  const confidence = confidenceOf(combined);
  return [
    heading(2, "Statistics"),
    bullets([
      `Intervals are ${confidence} intervals of Student's t. The variance over images is linearized and clustered by image across the datasets, since the same COCO image may be in several. A model with several runs adds its own variance between runs, computed on each run's mean over the splits.`,
      "The primary endpoint is the unweighted mean over its splits, so that a large split does not decide alone. Splits outside it stand in columns of their own, and no claim is made about them.",
      "A difference is paired by image. One model outperforms all others if each of these comparisons on the primary endpoint is significant by itself; all other statements use p values adjusted by Holm's procedure. It is ahead on all splits if it is ahead on each at the unadjusted level, and on some of them by p values adjusted over the splits.",
      "The report of each split has the definitions of all metrics.",
    ]),
  ];
}
