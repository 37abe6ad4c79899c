import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import type { RowsSource } from "../../src/contract/generated/types.ts";
import { formatOf } from "../../src/dataset/prepare/row-formats.ts";
import { rowsSource } from "../../src/dataset/prepare/rows-source.ts";
import { splitOfFile } from "../../src/dataset/prepare/split-names.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "cliprpn-rows-"));

function source(from: string[], cwd: string): RowsSource {
  return rowsSource({ from, split_seed: 0, box_format: "xywh" }, cwd);
}

const filesOf = (rows: RowsSource): [string, string | null][] =>
  rows.files.map(({ file, split }) => [basename(file), split]);

test.each([
  ["rows.json", "json"],
  ["rows.jsonl", "jsonl"],
  ["rows.ndjson", "jsonl"],
  ["rows.tsv", "csv"],
  ["ROWS.CSV", "csv"],
  ["rows.csv.gz", "csv"],
  ["rows.jsonl.tar.gz", "jsonl"],
  ["rows.json.zip", "json"],
  ["val.parquet", "parquet"],
])("the format of %s is %s", (name, format) => {
  expect(formatOf(join(folder(), name))).toBe(format);
});

test.each([
  ["rows.xlsx", "CSV UTF-8"],
  ["rows.arrow", "to_parquet"],
  ["rows.pkl", "to_parquet"],
  ["rows.yaml", "JSON"],
])("%s is refused with the way to convert it", (name, way) => {
  expect(() => formatOf(join(folder(), name))).toThrow(way);
});

test("COCO's JSON is known by its lists, a list of rows is not COCO's", () => {
  const cwd = folder();
  const coco = { images: [{ id: 1 }], annotations: [{ id: 1 }], categories: [] };
  const contents = {
    "coco.json": coco,
    "info.json": { info: { images: 3 }, ...coco },
    "rows.json": [{ image: "a.jpg" }],
    "other.json": { commands: [{ images: [], annotations: [] }] },
  };
  for (const [name, content] of Object.entries(contents))
    writeFileSync(join(cwd, name), JSON.stringify(content));
  expect(Object.keys(contents).map((name) => formatOf(join(cwd, name)))).toEqual([
    "coco",
    "coco",
    "json",
    "json",
  ]);
});

test("splits of --from may have other names, and a file of that name is a file", () => {
  const cwd = folder();
  expect(
    filesOf(source(["validation=a.jsonl", "Training=b.jsonl", "test_a=c.jsonl", "x=d.jsonl"], cwd)),
  ).toEqual([
    ["a.jsonl", "val"],
    ["b.jsonl", "train"],
    ["c.jsonl", "testA"],
    ["x=d.jsonl", null],
  ]);
  writeFileSync(join(cwd, "dev=e.jsonl"), "");
  expect(filesOf(source(["dev=e.jsonl"], cwd))).toEqual([["dev=e.jsonl", null]]);
});

test("a folder of Hugging Face's split files gives the split of each", () => {
  const cwd = folder();
  mkdirSync(join(cwd, "set", "data"), { recursive: true });
  const names = [
    "testA-00000-of-00001.parquet",
    "train-00000-of-00002.parquet",
    "train-00001-of-00002.parquet",
    "validation.parquet",
  ];
  for (const name of names) writeFileSync(join(cwd, "set", "data", name), "");
  const rows = source(["set"], cwd);
  expect(rows.format).toBe("parquet");
  expect(filesOf(rows)).toEqual([
    ["testA-00000-of-00001.parquet", "testA"],
    ["train-00000-of-00002.parquet", "train"],
    ["train-00001-of-00002.parquet", "train"],
    ["validation.parquet", "val"],
  ]);
  expect(filesOf(source(["set/data/train-00001-of-00002.parquet"], cwd))).toEqual([
    ["train-00001-of-00002.parquet", "train"],
  ]);
  writeFileSync(join(cwd, "set", "data", "part-00000-of-00001.parquet"), "");
  expect(() => source(["set"], cwd)).toThrow("expected the split in the name");
  expect(filesOf(source(["val=set"], cwd)).map(([, split]) => split)).toEqual([
    "val",
    "val",
    "val",
    "val",
    "val",
  ]);
});

test.each([
  ["val.parquet", "val"],
  ["test_B-00000-of-00003.parquet", "testB"],
  ["minival_0001.parquet", "val"],
  ["rows.parquet", undefined],
  ["training-set.parquet", undefined],
])("the split of the file %s is %s", (name, split) => {
  expect(splitOfFile(name)).toBe(split);
});
