/**
 * `npm run cases -- roads`: brings real images in by many roads. Each gives the same expressions, splits and boxes; where a
 * format rounds, within half a pixel.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { groupBy } from "../../src/base/group-by.ts";
import { packageRoot } from "../../src/package-root.ts";

interface Road {
  name: string;
  args: string[];
  /** The largest difference of a coordinate, in pixels. */
  tolerance_px: number;
}

interface Exported {
  image: string;
  sentence: string;
  split: string;
  box: [number, number, number, number];
}

/** The cliprpn command, in the folder of the datasets. */
type Run = (args: string[]) => Promise<{ exitCode?: number; all: string }>;

const exact = 1e-6;
const half = 0.5;

function roads(photos: string): Road[] {
  const images = ["--images", photos];
  const bySplit = (pattern: string): string[] =>
    ["train", "val", "test"].flatMap((split) => ["--from", `${split}=roads/${pattern.replace("*", split)}`]);
  return [
    road("JSON Lines", ["--from", "all.jsonl", "--box-format", "xywh", ...images], exact),
    road("COCO JSON", ["--from", "all.json", "--format", "coco", ...images], exact),
    road("four columns of CSV, names found", fourColumns(images), exact),
    road(
      "nested JSON, boxes as objects",
      [
        ...["--from", "roads/nested.json", "--rows", "data.items", "--box-format", "xywh", ...images],
        ...["--columns", "image=img.file,sentence=text.en,box=target.box,split=subset"],
      ],
      exact,
    ),
    road(
      "Parquet with the images inside",
      ["--from", "roads/inside.parquet", "--box-format", "xywh", "--columns", "sentence=answer,box=bbox"],
      exact,
    ),
    road("MDETR", [...bySplit("mdetr_*.json"), "--format", "mdetr", ...images], exact),
    road(
      "TransVG, boxes as NumPy arrays",
      [...bySplit("transvg_*.pth"), "--format", "transvg", "--box-format", "xywh", ...images],
      exact,
    ),
    road("ODVG", [...bySplit("odvg_*.jsonl"), "--format", "odvg", ...images], exact),
    road(
      "Visual Genome regions",
      [...bySplit("regions_*/region_descriptions.json"), "--format", "visual_genome", ...images],
      half,
    ),
    road(
      "boxes from 0 to 1000, images in a zip",
      ["--from", "roads/vlm.jsonl", "--box-format", "xyxy_1000", "--images", "roads/images.zip"],
      half,
    ),
    road(
      "normalized boxes, .gz, images in a tar.gz",
      [
        ...["--from", "roads/norm.jsonl.gz", "--box-format", "xywh_norm"],
        ...["--images", "roads/images.tar.gz"],
      ],
      exact,
    ),
  ];
}

function road(name: string, args: string[], tolerance_px: number): Road {
  return { name, args, tolerance_px };
}

function fourColumns(images: string[]): string[] {
  const columns = "image=File,sentence=Caption,box=xmin+ymin+xmax+ymax,split=Split";
  return ["--from", "roads/four.csv", "--columns", columns, "--box-format", "xyxy", ...images];
}

/**
 * @param root a folder in RefCOCOg's layout.
 * @param cwd an empty folder, in which `run` works.
 * @returns the number of roads that give something else.
 */
export async function compareRoads(root: string, cwd: string, python: string, run: Run): Promise<number> {
  const photos = join(root, "images");
  await must(run, ["prepare", "refcocog", "--root", root]);
  await must(run, ["dataset", "export", "refcocog-umd", "--format", "coco", "--out", "all.json"]);
  const wanted = await exportRows(run, "refcocog-umd", join(cwd, "all.jsonl"));
  const script = join(packageRoot, "test/cases/write_roads.py");
  await execa(python, [script, "all.jsonl", photos, "roads"], { cwd });
  process.stdout.write("| road | expressions | other | largest difference of a box, px |\n|-|-|-|-|\n");
  let num_wrong = 0;
  for (const [number, { name, args, tolerance_px }] of roads(photos).entries()) {
    const cells = await travel(run, `road-${number}`, args, wanted, join(cwd, `road-${number}.jsonl`));
    const right = cells.num_other === 0 && cells.difference_px <= tolerance_px;
    num_wrong += right ? 0 : 1;
    process.stdout.write(
      `| ${name} | ${cells.num_rows} | ${cells.num_other} | ${cells.difference_px.toFixed(3)}${right ? "" : ` **wrong** ${cells.error}`} |\n`,
    );
  }
  return num_wrong;
}

async function travel(run: Run, name: string, args: string[], wanted: Exported[], out: string) {
  const { exitCode, all } = await run(["prepare", name, ...args]);
  if (exitCode !== 0)
    return { num_rows: 0, num_other: wanted.length, difference_px: 0, error: all.slice(0, 300) };
  const rows = await exportRows(run, name, out);
  return { num_rows: rows.length, ...compare(rows, wanted), error: "" };
}

/** Compares the boxes of each expression of an image in order; the same words may be said of several objects. */
function compare(rows: Exported[], wanted: Exported[]): { num_other: number; difference_px: number } {
  const byKey = groupBy(rows, keyOf);
  let num_other = Math.max(0, rows.length - wanted.length);
  let difference_px = 0;
  for (const [key, expected] of groupBy(wanted, keyOf)) {
    const found = byKey.get(key) ?? [];
    num_other += Math.abs(expected.length - found.length);
    for (const row of expected) {
      const differences = found.map(({ box }) =>
        Math.max(...edges(box).map((value, i) => Math.abs(value - (edges(row.box)[i] ?? 0)))),
      );
      difference_px = Math.max(difference_px, Math.min(...differences, Number.POSITIVE_INFINITY));
    }
  }
  return { num_other, difference_px };
}

function keyOf({ image, sentence, split }: Exported): string {
  return JSON.stringify([image.split("/").at(-1), sentence, split]);
}

function edges([x, y, width, height]: Exported["box"]): number[] {
  return [x, y, x + width, y + height];
}

async function exportRows(run: Run, name: string, out: string): Promise<Exported[]> {
  await must(run, ["dataset", "export", name, "--format", "jsonl", "--box-format", "xywh", "--out", out]);
  return readFileSync(out, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function must(run: Run, args: string[]): Promise<void> {
  const { exitCode, all } = await run(args);
  if (exitCode !== 0) throw new Error(`cliprpn ${args.join(" ")}: exit ${exitCode}: ${all}`);
}
