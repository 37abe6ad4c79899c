import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import type { BoxFormat, Columns, RowsSource } from "../../contract/generated/types.ts";
import { publishedTable } from "./published-tables.ts";
import { formatNames, formatOf, rowFormats } from "./row-formats.ts";
import { splitFiles } from "./split-files.ts";
import { splitNamed } from "./split-names.ts";

export const boxFormats = [
  "xywh",
  "xyxy",
  "cxcywh_norm",
  "xywh_norm",
  "xyxy_norm",
  "xywh_1000",
  "xyxy_1000",
] as const satisfies readonly BoxFormat[];

/** The options of `cliprpn prepare` for the user's own annotation files, as typed. */
export interface RowsOptions {
  /** `FILE`, or `SPLIT=FILE`. */
  from: string[];
  format?: string | undefined;
  box_format?: string | undefined;
  /** `image=file_name,sentence=caption`. */
  columns?: string | undefined;
  split_seed: number;
  /** Dotted key of the list of rows. */
  rows?: string | undefined;
  first_box?: boolean;
  /** COCO's instances.json, for gRefCOCO. */
  instances?: string | undefined;
}

/** The options of `cliprpn prepare` for annotations of every layout. */
export interface ReadingOptions {
  clip_boxes: boolean;
  force_box_format: boolean;
  allow_invalid: boolean;
  orientation: string | undefined;
  /** Files with the ids of the expressions to keep: `FILE`, or `SPLIT=FILE`. */
  only: string[];
}

/** The options that were given; the others are left out, so that they do not enter the dataset's id. */
export function readingOptions(
  { clip_boxes, force_box_format, allow_invalid, orientation, only }: ReadingOptions,
  cwd: string,
): Pick<RowsSource, "clip_boxes" | "force_box_format" | "allow_invalid" | "orientation" | "only"> {
  const [first, ...rest] = only.map((text) => rowsFile(text, cwd));
  return {
    ...(clip_boxes ? { clip_boxes } : {}),
    ...(force_box_format ? { force_box_format } : {}),
    ...(allow_invalid ? { allow_invalid } : {}),
    ...(orientation === undefined ? {} : { orientation: choose("--orientation", orientation, orientations) }),
    ...(first === undefined ? {} : { only: [first, ...rest] }),
  };
}

const orientations = ["upright", "stored"] as const satisfies readonly RowsSource["orientation"][];

/**
 * A source of annotation rows. The box format has no default: a wrong one would silently corrupt the training data.
 *
 * @throws CliprpnError bad_input.
 */
export function rowsSource(options: RowsOptions, cwd: string): RowsSource {
  const [head, ...rest] = options.from
    .map((text) => rowsFile(text, cwd))
    .flatMap((file) => splitFiles(file) ?? [file]);
  if (head === undefined) throw new CliprpnError("bad_input", "--from: expected a file");
  const format =
    options.format === undefined ? formatOf(head.file) : choose("--format", options.format, formatNames);
  if (options.instances !== undefined && format !== "grefcoco")
    throw new CliprpnError("bad_input", `--instances applies only to --format grefcoco, found ${format}`);
  if (options.rows !== undefined && format !== "json" && format !== "jsonl")
    throw new CliprpnError("bad_input", `--rows applies only to --format json and jsonl, found ${format}`);
  const published = format === "parquet" ? publishedTable(head.file) : undefined;
  return {
    layout: "rows",
    format,
    files: [head, ...rest],
    box_format: chooseBoxFormat(format, options.box_format ?? published?.box_format),
    columns: columnsOf(options.columns, published?.columns),
    split_seed: options.split_seed,
    ...(options.rows === undefined ? {} : { rows: options.rows }),
    ...(options.first_box === true ? { first_box: true } : {}),
    ...(options.instances === undefined ? {} : { instances: resolve(cwd, options.instances) }),
  };
}

function rowsFile(text: string, cwd: string): RowsSource["files"][number] {
  const [before = "", after] = text.split(/=(.*)/s);
  const split = splitNamed(before);
  return split === undefined || after === undefined || existsSync(resolve(cwd, text))
    ? { file: resolve(cwd, text), split: null }
    : { file: resolve(cwd, after), split };
}

/** The given box format, or that of the format of the files. */
function chooseBoxFormat(format: RowsSource["format"], given: string | undefined): BoxFormat {
  const { box_format: usual, is_fixed } = rowFormats[format];
  if (given === undefined && usual === undefined)
    throw new CliprpnError(
      "bad_input",
      `--box-format: expected the format of the boxes (${boxFormats.join(", ")}), found nothing; this option has no default`,
    );
  const box_format = choose("--box-format", given ?? usual ?? "", boxFormats);
  if (is_fixed === true && usual !== undefined && !box_format.startsWith(usual))
    throw new CliprpnError(
      "bad_input",
      `--box-format ${box_format}: expected ${usual}, the box format of all ${format} files; remove the option`,
    );
  return box_format;
}

function choose<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined)
    throw new CliprpnError("bad_input", `${option} ${value}: expected one of ${choices.join(", ")}`);
  return choice;
}

/** @param usual names of the columns that `text` does not name. */
function columnsOf(text: string | undefined, usual: Partial<Columns> = {}): Columns {
  const columns: Columns = { image: "image", sentence: "sentence", box: "box", split: "split", ...usual };
  const keys = [
    ...Object.keys(columns),
    ...["width", "height", "category", "image_id", "ann_id", "ref_id", "sent_id"],
  ];
  for (const part of text === undefined ? [] : text.split(",")) {
    const [key = "", name = ""] = part.split(/=(.*)/s).map((word) => word.trim());
    if (!isColumn(key) || name === "")
      throw new CliprpnError(
        "bad_input",
        `--columns ${part}: expected KEY=NAME with KEY one of ${keys.join(", ")}, such as image=file_name,box=bbox`,
      );
    columns[key] = name;
  }
  return columns;

  function isColumn(key: string): key is keyof Columns {
    return keys.includes(key);
  }
}
