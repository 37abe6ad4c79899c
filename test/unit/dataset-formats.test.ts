import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RowsSource, SourceFile } from "../../src/contract/generated/types.ts";
import { describeFiles, hasChanged } from "../../src/dataset/annotation-files.ts";
import { datasetId } from "../../src/dataset/identify-dataset.ts";
import { type ReadingOptions, readingOptions, rowsSource } from "../../src/dataset/prepare/rows-source.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cliprpn-formats-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text = ""): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function source(from: string, options: object = {}): RowsSource {
  return rowsSource({ from: [from], split_seed: 0, ...options }, folder);
}

const odvg = '{"filename": "a.jpg", "grounding": {"caption": "a dog", "regions": []}}\n';

test.each<[string, string, string, string]>([
  ["a.jsonl", odvg, "odvg", "xyxy"],
  ["flickr_vg.json", odvg + odvg, "odvg", "xyxy"],
  ["mine.json", '{"images": [], "annotations": [{"tokens_positive": []}]}', "mdetr", "xywh"],
  ["mine.json", '{"images": [], "annotations": [{"bbox": []}]}', "coco", "xywh"],
  ["region_descriptions.json.zip", "", "visual_genome", "xywh"],
  ["region_descriptions.json", "[]", "visual_genome", "xywh"],
  ["grefs(unc).json", "[]", "grefcoco", "xywh"],
  ["d3_full_annotations.json", "{}", "dcube", "xywh"],
  ["finetune_refcocog_val.json", "{}", "mdetr", "xywh"],
  ["refcoco+_testA_reviewed.json", "{}", "mdetr", "xywh"],
])("%s tells its format and the format of its boxes", (name, text, format, box_format) => {
  expect(source(write(name, text))).toMatchObject({ format, box_format });
});

/** The end of a Parquet file is all that is read here: the names of the columns, their length, and the magic bytes. */
function parquetEnd(columns: readonly string[]): Buffer {
  const names = Buffer.from(columns.map((name) => `\x18${String.fromCharCode(name.length)}${name}`).join(""));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(names.length);
  return Buffer.concat([Buffer.from("PAR1"), names, length, Buffer.from("PAR1")]);
}

const lmms = ["question_id", "image", "question", "answer", "segmentation", "bbox", "iscrowd", "file_name"];
const ref_l4 = ["id", "caption", "bbox", "bbox_id", "ori_category_id", "image_id", "file_name", "is_rewrite"];
const ref_adv = ["row_idx", "image", "file_name", "normal_caption", "solution", "distractors"];

test.each([
  [lmms, "answer", "bbox", "xywh"],
  [ref_l4, "caption", "bbox", "xywh"],
  [ref_adv, "normal_caption", "solution", "xyxy"],
])("the columns of a published Parquet file tell its sentences and boxes: %j", (columns, sentence, box, box_format) => {
  writeFileSync(join(folder, "a.parquet"), parquetEnd(columns));
  expect(source("a.parquet")).toMatchObject({ box_format, columns: { sentence, box } });
  const chosen = source("a.parquet", { box_format: "xyxy_norm", columns: "sentence=question" });
  expect(chosen).toMatchObject({ box_format: "xyxy_norm", columns: { sentence: "question", box } });
});

test("another Parquet file needs a box format", () => {
  writeFileSync(join(folder, "a.parquet"), parquetEnd(["image", "sentence", "bbox"]));
  expect(() => source("a.parquet")).toThrow(/--box-format: expected/);
  write("a.parquet", "PAR1");
  expect(() => source("a.parquet")).toThrow(/--box-format: expected/);
});

test("a folder tells its format by what is in it", () => {
  write("voc/Annotations/a.xml");
  write("flat/a.xml");
  write("flickr/Annotations/a.xml");
  write("flickr/Sentences/a.txt");
  write("other/a.bin");
  expect(source("voc").format).toBe("voc");
  expect(source("flat").format).toBe("voc");
  expect(source("flickr").format).toBe("flickr30k");
  expect(() => source("other")).toThrow(/Pascal VOC .* Flickr30k Entities/);
});

test("a box format that contradicts the format of the files is refused; another unit is not", () => {
  write("a.jsonl", odvg);
  expect(() => source("a.jsonl", { box_format: "xywh" })).toThrow(/expected xyxy, .* odvg/);
  expect(source("a.jsonl", { box_format: "xyxy_norm" }).box_format).toBe("xyxy_norm");
  expect(() => source("a.jsonl", { instances: "i.json" })).toThrow(/--instances .* grefcoco/);
  expect(() => source("a.parquet", { rows: "objects" })).toThrow(/--rows .* json and jsonl, found parquet/);
});

async function describe(from: RowsSource, known: readonly SourceFile[] = []): Promise<SourceFile[]> {
  return describeFiles(from, known);
}

test("a folder is one entry, which changes with names and contents of its files and nothing else", async () => {
  write("voc/Annotations/b.xml", "<b/>");
  write("voc/Annotations/a.xml", "<a/>");
  write("voc/JPEGImages/a.jpg", "pixels");
  const voc = source("voc");
  const [before] = await describe(voc);
  if (before === undefined) throw new Error("expected an entry");
  expect(await describe(voc)).toEqual([before]);
  expect(before).toMatchObject({ file: join(folder, "voc"), bytes: 8 });
  write("voc/JPEGImages/a.jpg", "other pixels");
  expect(await hasChanged(before)).toBe(false);
  utimesSync(join(folder, "voc/Annotations/a.xml"), 1, 1);
  expect(await hasChanged(before)).toBe(false); // Read again: the content is the same.
  write("voc/Annotations/a.xml", "<c/>");
  expect(await hasChanged(before)).toBe(true);
  write("voc/Annotations/a.xml", "<a/>");
  expect(await hasChanged(before)).toBe(false);
  renameSync(join(folder, "voc/Annotations/a.xml"), join(folder, "voc/Annotations/c.xml"));
  expect(await hasChanged(before)).toBe(true);
});

test("what lies beside a file is part of the dataset, and may lie elsewhere", async () => {
  write("grefs(unc).json", "[]");
  const beside = write("instances.json", "{}");
  const id = datasetId(source("grefs(unc).json"), await describe(source("grefs(unc).json")));
  mkdirSync(join(folder, "coco"));
  renameSync(beside, join(folder, "coco/instances.json"));
  expect(await describe(source("grefs(unc).json"))).toHaveLength(1);
  const named = source("grefs(unc).json", { instances: "coco/instances.json" });
  expect(datasetId(named, await describe(named))).toBe(id);
  write("coco/instances.json", "{ }");
  expect(datasetId(named, await describe(named))).not.toBe(id);
});

const noOptions: ReadingOptions = {
  clip_boxes: false,
  force_box_format: false,
  allow_invalid: false,
  orientation: undefined,
  only: [],
};

test("options for imperfect annotations enter the id only if they are given", async () => {
  write("a.csv", "image,sentence,box\n");
  const base = source("a.csv", { box_format: "xyxy" });
  const files = await describe(base);
  const refcoco = { layout: "refcoco", instances_file: "a.csv", refs_file: "a.csv" } as const;
  for (const plain of [base, refcoco]) {
    const idOf = (changes: Partial<ReadingOptions>): string =>
      datasetId({ ...plain, ...readingOptions({ ...noOptions, ...changes }, folder) }, files);
    const options = ["clip_boxes", "force_box_format", "allow_invalid"] as const;
    const ids = options.map((option) => idOf({ [option]: true }));
    expect(idOf({})).toBe(datasetId(plain, files));
    expect(new Set([idOf({}), ...ids]).size).toBe(4);
  }
});

test("a list of expressions to keep enters the id by its content and split, not by its path", async () => {
  write("a.csv", "image,sentence,box\n");
  const base = source("a.csv", { box_format: "xyxy" });
  const idOf = async (...only: string[]): Promise<string> => {
    const with_only = { ...base, ...readingOptions({ ...noOptions, only }, folder) };
    return datasetId(with_only, await describe(with_only));
  };
  write("only.txt", "sent_id\n1\n");
  write("sub/copy.txt", "sent_id\n1\n");
  write("other.txt", "sent_id\n2\n");
  expect(readingOptions(noOptions, folder)).toEqual({});
  const ids = [await idOf(), await idOf("only.txt"), await idOf("val=only.txt"), await idOf("other.txt")];
  expect(new Set(ids).size).toBe(4);
  expect(await idOf("sub/copy.txt")).toBe(ids[1]);
  await expect(idOf("none.txt")).rejects.toThrow(/none\.txt/);
});
