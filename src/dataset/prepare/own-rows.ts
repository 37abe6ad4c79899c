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
export const boxFormats = ["xywh", "xyxy", "cxcywh_norm"] as const satisfies readonly BoxFormat[];

/** What a person says about their own files, as typed. */
export interface OwnFiles {
  /** `FILE`, or `SPLIT=FILE`. */
  from: string[];
  format?: string | undefined;
  box_format?: string | undefined;
  /** `image=file_name,sentence=caption`. */
  columns?: string | undefined;
  split_seed: number;
}

/**
 * A source of rows, its format and its boxes' format said by name: a wrong guess would cost a day.
 *
 * @throws CliprpnError bad_input.
 */
export function ownSource(own: OwnFiles, cwd: string): RowsSource {
  const [head, ...rest] = own.from.map((text) => rowsFile(text, cwd));
  if (head === undefined) throw new CliprpnError("bad_input", "--from: expected a file");
  const format = chosen("--format", own.format ?? formatOf(head.file), formats);
  const isFixed = format === "coco" || format === "mdetr";
  if (!isFixed && own.box_format === undefined)
    throw new CliprpnError(
      "bad_input",
      `--box-format: expected how the boxes are written: ${boxFormats.join(", ")}; it is not guessed`,
    );
  const box_format = chosen("--box-format", own.box_format ?? "xywh", boxFormats);
  if (isFixed && box_format !== "xywh")
    throw new CliprpnError("bad_input", `--box-format ${box_format}: boxes of ${format} files are xywh`);
  return {
    layout: "rows",
    format,
    files: [head, ...rest],
    box_format,
    columns: columnsOf(own.columns),
    split_seed: own.split_seed,
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
  const ending = extname(file).toLowerCase();
  if (ending === ".jsonl" || ending === ".csv") return ending.slice(1);
  throw new CliprpnError(
    "bad_input",
    `${file}: expected .jsonl or .csv, or the format of the file: --format ${formats.join(", ")}`,
  );
}

function chosen<T extends string>(option: string, value: string, among: readonly T[]): T {
  const found = among.find((each) => each === value);
  if (found === undefined)
    throw new CliprpnError("bad_input", `${option} ${value}: expected one of ${among.join(", ")}`);
  return found;
}

function columnsOf(text: string | undefined): Columns {
  const columns: Columns = { image: "image", sentence: "sentence", box: "box", split: "split" };
  for (const part of text === undefined ? [] : text.split(",")) {
    const [key = "", name = ""] = part.split(/=(.*)/s).map((each) => each.trim());
    if (!isColumn(key) || name === "")
      throw new CliprpnError(
        "bad_input",
        `--columns ${part}: expected KEY=NAME with KEY one of ${Object.keys(columns).join(", ")}, such as image=file_name,box=bbox`,
      );
    columns[key] = name;
  }
  return columns;

  function isColumn(key: string): key is keyof Columns {
    return Object.hasOwn(columns, key);
  }
}
