import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import type { BoxFormat, RowsSource } from "../../contract/generated/types.ts";

type FormatName = RowsSource["format"];

/** What is known about a format of annotations without reading a file. */
interface RowFormat {
  /** How files of the format store boxes unless --box-format says otherwise; undefined if there is no rule. */
  box_format?: Extract<BoxFormat, "xywh" | "xyxy">;
  /** True if the boxes of all files have this shape, in whatever unit. */
  is_fixed?: true;
  extensions?: readonly string[];
  /** True if a file is of this format by its name. */
  hasName?(name: string): boolean;
  /** True if a folder has the files of this format. */
  hasFolder?(folder: string): boolean;
  /** Files beside the named one that are read, too. */
  besides?: readonly string[];
}

export const rowFormats: Record<FormatName, RowFormat> = {
  jsonl: { extensions: [".jsonl", ".ndjson"] },
  csv: { extensions: [".csv", ".tsv"] },
  json: { extensions: [".json"] },
  parquet: { extensions: [".parquet"] },
  // COCO's and MDETR's own boxes are xywh; their layout is also used for boxes of other formats.
  coco: { box_format: "xywh" },
  mdetr: {
    box_format: "xywh",
    hasName: (name) => /^finetune_.*\.json$|_reviewed\.json$/.test(name),
  },
  transvg: {},
  odvg: { box_format: "xyxy", is_fixed: true },
  visual_genome: {
    box_format: "xywh",
    is_fixed: true,
    hasName: (name) => /^region_descriptions.*\.json$/.test(name),
    besides: ["image_data.json"],
  },
  voc: { box_format: "xyxy", is_fixed: true, hasFolder: hasXml },
  grefcoco: {
    box_format: "xywh",
    is_fixed: true,
    hasName: (name) => /^grefs\(.*\)\.json$/.test(name),
    besides: ["instances.json", "instances_train2014.json"],
  },
  flickr30k: {
    box_format: "xyxy",
    is_fixed: true,
    hasFolder: (folder) => ["Sentences", "Annotations"].every((name) => existsSync(join(folder, name))),
  },
  dcube: {
    box_format: "xywh",
    is_fixed: true,
    hasName: (name) => /^d3_.*annotations\.json$/.test(name),
  },
};

export const formatNames = Object.keys(rowFormats) as FormatName[];

/**
 * The format of a file or folder by its name, or of JSON Lines by the first line.
 *
 * @throws CliprpnError bad_input when it cannot be known.
 */
export function formatOf(file: string): FormatName {
  if (isFolder(file)) {
    // Flickr30k Entities has XML, too.
    const found = (["flickr30k", "voc"] as const).find((name) => rowFormats[name].hasFolder?.(file));
    if (found !== undefined) return found;
    throw new CliprpnError(
      "bad_input",
      `${file}: expected a file, or a folder of Pascal VOC (Annotations/*.xml) or Flickr30k Entities (Sentences/, Annotations/); found another folder${existsSync(join(file, "sentences.pkl")) ? "; D-cube is read from its d3_full_annotations.json" : ""}`,
    );
  }
  const name = basename(file).replace(PACKED, "");
  const extension = extname(name).toLowerCase();
  const found =
    formatNames.find((format) => rowFormats[format].hasName?.(name) === true) ??
    formatNames.find((format) => rowFormats[format].extensions?.includes(extension) === true);
  // Converters to ODVG write JSON Lines into .json files.
  if ((found === "jsonl" || found === "json") && isOdvg(file)) return "odvg";
  if (found === "json") return cocoFormat(file) ?? found;
  if (found !== undefined) return found;
  const hint = conversions[extension];
  throw new CliprpnError(
    "bad_input",
    `${file}: expected a .jsonl, .json, .csv, .tsv or .parquet file (also as .gz, .tar or .zip), or a --format: ${formatNames.join(", ")}${hint === undefined ? "" : `; ${hint}`}`,
  );
}

/** What packs annotations: `rows.csv.gz`, `rows.jsonl.tar.gz`. */
const PACKED = /\.(gz|tar|tar\.gz|tgz|tar\.bz2|tar\.xz|zip)$/i;

/** How to turn files of other programs into rows. */
const conversions: Record<string, string> = {
  ".xlsx": "save the sheet as `CSV UTF-8`",
  ".xls": "save the sheet as `CSV UTF-8`",
  ".ods": "save the sheet as CSV in UTF-8",
  ".arrow": "with the datasets package: load_from_disk(FOLDER).to_parquet(FILE)",
  ".feather": "with pandas: read_feather(FILE).to_parquet(FILE)",
  ".pkl":
    "with pandas: read_pickle(FILE).to_parquet(FILE), if you trust the file, as loading it may run code",
  ".pth": "use --format transvg for TransVG's index files",
  ".yaml": "convert it to JSON",
  ".yml": "convert it to JSON",
};

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function hasXml(folder: string): boolean {
  return existsSync(join(folder, "Annotations")) || readdirSync(folder).some((name) => name.endsWith(".xml"));
}

/** COCO if the first key is one of its keys, and the start or end of the file has both lists; MDETR if it has its spans. */
function cocoFormat(file: string): "coco" | "mdetr" | undefined {
  if (!existsSync(file)) return undefined;
  const size = statSync(file).size;
  const text = `${readPart(file, 0)}${readPart(file, Math.max(0, size - PART_BYTES))}`;
  const isCoco =
    /^\uFEFF?\s*\{\s*"(info|licenses|images|annotations|categories|type)"\s*:/.test(text) &&
    /"images"\s*:\s*\[/.test(text) &&
    /"annotations"\s*:\s*\[/.test(text);
  if (!isCoco) return undefined;
  return /"tokens_(positive|negative)"\s*:/.test(text) ? "mdetr" : "coco";
}

const PART_BYTES = 1 << 20;

function readPart(file: string, start: number): string {
  const bytes = Buffer.alloc(PART_BYTES);
  const handle = openSync(file, "r");
  try {
    return bytes.toString("utf8", 0, readSync(handle, bytes, 0, PART_BYTES, start));
  } finally {
    closeSync(handle);
  }
}

const ODVG_KEYS = ["grounding", "detection", "referring"];

/** True if the first line has ODVG's keys. */
function isOdvg(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const [line = ""] = readPart(file, 0).split("\n");
    const row: unknown = JSON.parse(line.replace(/^\uFEFF/, ""));
    return typeof row === "object" && row !== null && ODVG_KEYS.some((key) => key in row);
  } catch {
    return false; // The reader of JSON Lines says what is wrong.
  }
}
