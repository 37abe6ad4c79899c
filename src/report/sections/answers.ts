import type { RootContent } from "mdast";
import { asSentence, count, counted, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import { shortLine } from "../../base/plain-text.ts";
import type {
  AnswersReport,
  ComparedModel,
  Coordinates,
  StoredComparison,
} from "../../contract/generated/types.ts";
import { bullets, code, heading, type Inline, longTable, paragraph, strong } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { points } from "../points.ts";

/** The file of answers of a model on a split. */
interface AnswerFile {
  label: string;
  /** NAME:SPLIT. */
  data: string;
  report: AnswersReport;
}

/**
 * What was found in the files of answers: how they were read and matched, and what is missing.
 *
 * @param data NAME:SPLIT of the splits that are shown.
 */
export function answers(comparison: StoredComparison | undefined, data: readonly string[]): RootContent[] {
  const files = filesOf(comparison, data);
  if (files.length === 0) return [];
  const several = data.length > 1;
  const names = fileNames(files);
  const shown = columns.filter(({ isShown }) => isShown === undefined || files.some(isShown));
  return [
    heading(2, "Answers"),
    paragraph(
      `What was found in the files of answers, by number of expressions. A missing or unparsed answer is a miss. Of several answers to an expression, the first counts. Strangers are rows that match no expression${several ? " of the split" : ""}.`,
    ),
    ...longTable(
      ["model", ...(several ? ["split"] : []), ...shown.map(({ title }) => title)],
      files.map((file) => [
        file.label,
        ...(several ? [file.data] : []),
        ...shown.map(({ cell }) => cell(file.report, names)),
      ]),
      several ? 5 : 4,
    ),
    ...notes(files, several),
    // The report of each split has its own.
    ...(several ? [] : examples(files)),
  ];
}

/**
 * Limitations by missing and unparsed answers, and the warnings of the reader.
 *
 * @param data NAME:SPLIT of the splits that are shown.
 */
export function answerLimitations(
  comparison: StoredComparison | undefined,
  data: readonly string[],
): Inline[] {
  const files = filesOf(comparison, data);
  const several = data.length > 1;
  const warnings = groupBy(
    files.flatMap((file) => file.report.warnings.map((warning) => ({ file, warning }))),
    ({ file, warning }) => JSON.stringify([file.label, warning]),
  );
  return [
    ...[...warnings.values()].map((group): Inline => {
      const names = [...new Set(group.map(({ file }) => file.data))];
      const where = several ? ` on ${joinWords(names)}` : "";
      const [{ file, warning }] = group;
      return [
        strong(`Warning about the answers of ${quoteLabel(file.label)}${where}:`),
        ` ${asSentence(warning)}`,
      ];
    }),
    ...[...groupBy(files, ({ label }) => label).values()].flatMap((group) => missingLine(group, several)),
  ];
}

/** "40 of 4,896 answers of qwen are missing, and count as misses", of all files of a model. */
function missingLine(files: [AnswerFile, ...AnswerFile[]], several: boolean): string[] {
  const sum = (read: (report: AnswersReport) => number): number =>
    files.reduce((total, { report }) => total + read(report), 0);
  const num_missing = sum((report) => report.num_missing);
  const num_unparsed = sum((report) => report.num_unparsed);
  const fractions = files.map(({ report }) => missingFraction(report));
  const most = Math.max(...fractions);
  if (most < smallestShown) return [];
  const kinds = [
    ...(num_missing > 0 ? ["missing"] : []),
    ...(num_unparsed > 0 ? ["without a box that can be read"] : []),
  ];
  const inFiles = files.length > 1 ? `, in ${counted(files.length, "file")},` : "";
  const mean = fractions.reduce((a, b) => a + b, 0) / files.length;
  const higher = several ? `up to ${points(most)} points higher on a split` : `${points(mean)} points higher`;
  return [
    `${count(num_missing + num_unparsed)} of ${count(sum((report) => report.num_expressions))} answers of ${quoteLabel(files[0].label)}${inFiles} are ${joinWords(kinds, "or")}, and count as misses. With all of them right, its Acc@0.5 would be ${higher}.`,
  ];
}

/** Fraction of the expressions of a split without an answer, the mean over the files of a model. */
export function missingAnswers(
  comparison: StoredComparison | undefined,
  label: string,
  data: readonly string[],
): number {
  const files = filesOf(comparison, data).filter((file) => file.label === label);
  const sum = files.reduce((total, { report }) => total + missingFraction(report), 0);
  return sum / Math.max(1, files.length);
}

function missingFraction({ num_missing, num_unparsed, num_expressions }: AnswersReport): number {
  return (num_missing + num_unparsed) / Math.max(1, num_expressions);
}

/** 0.05 points: the last digit that is shown. */
const smallestShown = 0.0005;

function filesOf(comparison: StoredComparison | undefined, data: readonly string[]): AnswerFile[] {
  return (comparison?.models ?? []).flatMap(({ label, answers: all }: ComparedModel) =>
    all
      .filter((each) => data.includes(each.data))
      .flatMap((each) => each.reports.map((report) => ({ label, data: each.data, report }))),
  );
}

/** The names of the files without their folders, unless two have the same. */
function fileNames(files: AnswerFile[]): Map<string, string> {
  const paths = [...new Set(files.map(({ report }) => report.file))];
  const names = paths.map((path) => path.split(/[\\/]/).at(-1) ?? path);
  const areUnique = new Set(names).size === names.length;
  return new Map(paths.map((path, index) => [path, areUnique ? (names[index] ?? path) : path]));
}

interface Column {
  title: string;
  cell: (report: AnswersReport, names: Map<string, string>) => Inline;
  /** Absent: always. */
  isShown?: (file: AnswerFile) => boolean;
}

const columns: Column[] = [
  { title: "file", cell: ({ file }, names) => code(shortLine(names.get(file) ?? file, 60)) },
  { title: "format", cell: ({ format }) => formatNames[format] },
  { title: "coordinates", cell: ({ coordinates }) => coordinatesText(coordinates) },
  {
    title: "answered",
    cell: (report) => `${count(report.num_answered)} of ${count(report.num_expressions)}`,
  },
  { title: "missing", cell: ({ num_missing }) => count(num_missing) },
  { title: "unparsed", cell: ({ num_unparsed }) => count(num_unparsed) },
  {
    title: "duplicates",
    cell: ({ num_duplicates }) => count(num_duplicates),
    isShown: ({ report }) => report.num_duplicates > 0,
  },
  {
    title: "strangers",
    cell: ({ num_strangers }) => count(num_strangers),
    isShown: ({ report }) => report.num_strangers > 0,
  },
  {
    title: "other ground truth",
    cell: (report) =>
      report.num_ground_truth === 0
        ? "not in the file"
        : `${count(report.num_other_ground_truth)} of ${count(report.num_ground_truth)}`,
    isShown: ({ report }) => report.num_ground_truth > 0,
  },
];

const formatNames: Record<AnswersReport["format"], string> = {
  table: "table",
  coco: "COCO results",
  mdetr: "MDETR",
  transvg: "TransVG",
  lmms_eval: "lmms-eval",
  vlmevalkit: "VLMEvalKit",
  internvl: "InternVL",
  qwen: "Qwen-VL",
  vlm_r1: "VLM-R1",
};

/** As it is typed: "xyxy_1000", "xyxy@long:1024". */
export function coordinatesText({ box_format, frame }: Coordinates): string {
  switch (frame.kind) {
    case "original":
      return box_format;
    case "fixed":
      return `${box_format}@${frame.width}x${frame.height}`;
    case "long_side":
      return `${box_format}@long:${frame.length}`;
    case "short_side":
      return `${box_format}@short:${frame.length}${frame.max_length === null ? "" : `:${frame.max_length}`}`;
    case "smart_resize":
      return `${box_format}@smart:${frame.factor}:${frame.min_pixels}:${frame.max_pixels}`;
    case "columns":
      return `${box_format}@columns`;
    case "padded":
      return [
        `${box_format}@padded`,
        ...(frame.length === null ? [] : [frame.length]),
        ...(frame.align === "center" ? [] : [frame.align]),
      ].join(":");
  }
}

/** How the rows were matched, and what the reader decided; a note that all files share is written once. */
function notes(files: AnswerFile[], several: boolean): RootContent[] {
  const filesOfNote = new Map<string, string[]>();
  for (const file of files)
    for (const note of [matchedBy(file.report), ...file.report.notes])
      filesOfNote.set(note, [...(filesOfNote.get(note) ?? []), nameOf(file, several)]);
  const lines = [...filesOfNote].map(([note, names]) => {
    const unique = [...new Set(names)];
    return names.length === files.length && unique.length > 1
      ? `All: ${asSentence(note)}`
      : `${joinWords(unique)}: ${asSentence(note)}`;
  });
  const num_left = lines.length - maxNotes;
  return [
    bullets([
      ...lines.slice(0, maxNotes),
      ...(num_left > 0 ? [`And ${count(num_left)} more, in the JSON file beside this report.`] : []),
    ]),
  ];
}

const maxNotes = 20;

/** "matched by sent_id". */
function matchedBy(report: AnswersReport): string {
  const ways = [
    [report.num_by_sent_id, "sent_id"],
    [report.num_by_text, "image and expression"],
    [report.num_by_normalized_text, "image and normalized expression"],
    [report.num_by_image ?? 0, "image"],
    [report.num_by_position ?? 0, "the order of the rows"],
  ] as const;
  const used = ways.filter(([num]) => num > 0);
  if (used.length === 0) return "no expression was matched";
  if (used.length === 1) return `matched by ${used[0]?.[1]}`;
  return `matched ${joinWords(used.map(([num, by]) => `${count(num)} by ${by}`))}`;
}

function examples(files: AnswerFile[]): RootContent[] {
  const rows = files.flatMap((file) =>
    file.report.examples.map(({ kind, where, text }) => [
      file.label,
      exampleNames[kind],
      shortLine(where, 80),
      shortLine(text, 160),
    ]),
  );
  if (rows.length === 0) return [];
  return [
    paragraph(`The first of each kind of problem (${counted(rows.length, "example")}):`),
    ...longTable(["model", "problem", "where", "found"], rows, 4),
  ];
}

const exampleNames: Record<AnswersReport["examples"][number]["kind"], string> = {
  missing: "missing",
  unparsed: "unparsed",
  duplicate: "duplicate",
  stranger: "stranger",
  other_ground_truth: "other ground truth",
};

function nameOf({ label, data }: AnswerFile, several: boolean): string {
  return several ? `${quoteLabel(label)} on ${data}` : quoteLabel(label);
}
