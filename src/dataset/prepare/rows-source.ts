import { extname, resolve } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import type { BoxFormat, Columns, RowsSource, Split } from "../../contract/generated/types.ts";

const splits = ["train", "val", "test", "testA", "testB"] as const satisfies readonly Split[];
const formats = [
  "jsonl",
  "csv",
  "coco",
  "mdetr",
  "transvg",
] as const satisfies readonly RowsSource["format"][];
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
  /** A file with the ids of the expressions to keep. */
  only?: string | undefined;
}

/** The options of `cliprpn prepare` for annotations of every layout. */
export interface ReadingOptions {
  clip_boxes: boolean;
  allow_invalid: boolean;
  orientation: string | undefined;
}

/** The options that were given; the others are left out, so that they do not enter the dataset's id. */
export function readingOptions({
  clip_boxes,
  allow_invalid,
  orientation,
}: ReadingOptions): Pick<RowsSource, "clip_boxes" | "allow_invalid" | "orientation"> {
  return {
    ...(clip_boxes ? { clip_boxes } : {}),
    ...(allow_invalid ? { allow_invalid } : {}),
    ...(orientation === undefined ? {} : { orientation: choose("--orientation", orientation, orientations) }),
  };
}

const orientations = ["upright", "stored"] as const satisfies readonly RowsSource["orientation"][];

/**
 * A source of annotation rows. The box format has no default: a wrong one would silently corrupt the training data.
 *
 * @throws CliprpnError bad_input.
 */
export function rowsSource(options: RowsOptions, cwd: string): RowsSource {
  const [head, ...rest] = options.from.map((text) => rowsFile(text, cwd));
  if (head === undefined) throw new CliprpnError("bad_input", "--from: expected a file");
  const format = choose("--format", options.format ?? formatOf(head.file), formats);
  // COCO's and MDETR's own boxes are xywh; their layout is also used for boxes of other formats.
  const default_format = format === "coco" || format === "mdetr" ? "xywh" : undefined;
  const box_format = options.box_format ?? default_format;
  if (box_format === undefined)
    throw new CliprpnError(
      "bad_input",
      `--box-format: expected the format of the boxes (${boxFormats.join(", ")}), found nothing; this option has no default`,
    );
  return {
    layout: "rows",
    format,
    files: [head, ...rest],
    box_format: choose("--box-format", box_format, boxFormats),
    columns: columnsOf(options.columns),
    split_seed: options.split_seed,
    ...(options.rows === undefined ? {} : { rows: options.rows }),
    ...(options.first_box === true ? { first_box: true } : {}),
    ...(options.only === undefined ? {} : { only: resolve(cwd, options.only) }),
  };
}

function rowsFile(text: string, cwd: string): RowsSource["files"][number] {
  const [before = "", after] = text.split(/=(.*)/s);
  const split = splits.find((name) => name === before);
  return split === undefined || after === undefined
    ? { file: resolve(cwd, text), split: null }
    : { file: resolve(cwd, after), split };
}

function formatOf(file: string): string {
  const extension = extname(file).toLowerCase();
  if (extension === ".jsonl" || extension === ".csv") return extension.slice(1);
  throw new CliprpnError(
    "bad_input",
    `${file}: expected a .jsonl or .csv file, or a --format: ${formats.join(", ")}`,
  );
}

function choose<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined)
    throw new CliprpnError("bad_input", `${option} ${value}: expected one of ${choices.join(", ")}`);
  return choice;
}

function columnsOf(text: string | undefined): Columns {
  const columns: Columns = { image: "image", sentence: "sentence", box: "box", split: "split" };
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
