import { basename, dirname } from "node:path";
import { quoteForShell } from "../base/format.ts";
import type { PreparedDataset, RowsFile } from "../contract/generated/types.ts";
import type { DatasetIdentity } from "./identify-dataset.ts";
import { DEFAULT_MAX_PIXELS } from "./images/decode.ts";
import { type ImageSize, preparedSizes } from "./prepare/prepared-folder.ts";

/** The command that makes a dataset again. A dataset in the cache is made again by any command that uses it. */
export function remakeCommand(
  { raw, demo, split_by, root }: DatasetIdentity,
  facts: PreparedDataset,
): string {
  if (demo !== undefined) return "cliprpn dataset show demo";
  if (raw === undefined) return prepareCommand(facts, preparedSizes(root)[0]);
  return `cliprpn dataset show ${quoteForShell(raw)}${split_by === "umd" ? "" : ` --split-by ${split_by}`}`;
}

/** The `cliprpn prepare` command that makes a dataset again from the same files, at this size. */
export function prepareCommand(facts: PreparedDataset, size?: ImageSize): string {
  const { source, name, split_by, images_dir, allow_missing, follow_links, max_pixels } = facts;
  const suffix = `-${split_by}`;
  const args =
    source.layout === "refcoco"
      ? [
          name.endsWith(suffix) ? name.slice(0, -suffix.length) : name,
          "--split-by",
          split_by,
          "--root",
          dirname(source.instances_file),
        ]
      : [
          name,
          ...fileArgs("--from", source.files),
          "--format",
          source.format,
          "--box-format",
          source.box_format,
          ...columnArgs(source.columns),
          ...(source.split_seed === 0 ? [] : ["--split-seed", `${source.split_seed}`]),
          ...(source.rows == null ? [] : ["--rows", source.rows]),
          ...(source.first_box === true ? ["--first-box"] : []),
          ...(source.instances == null ? [] : ["--instances", source.instances]),
          ...(source.match == null ? [] : ["--match", `${source.match.name}=${source.match.file}`]),
        ];
  const folders = facts.image_folders?.map(({ folder, split }) =>
    split === null ? folder : `${split}=${folder}`,
  );
  // Images inside the annotation files are written to the dataset's own folder, unlike those of --images.
  const isInside =
    source.layout === "rows" &&
    source.format === "parquet" &&
    images_dir !== null &&
    basename(images_dir) === "images" &&
    basename(dirname(images_dir)) === name;
  const images = isInside
    ? []
    : images_dir === null
      ? ["--without-images"]
      : (folders ?? [images_dir]).flatMap((folder) => ["--images", folder]);
  const flags = [
    ...(size === undefined || size.image_size_px === 224 ? [] : ["--image-size", `${size.image_size_px}`]),
    ...(size === undefined || size.resize === "squash" ? [] : ["--resize", size.resize]),
    ...(source.clip_boxes === true ? ["--clip-boxes"] : []),
    ...(source.force_box_format === true ? ["--force-box-format"] : []),
    ...(source.allow_invalid === true ? ["--allow-invalid"] : []),
    ...fileArgs("--only", source.only ?? []),
    ...(source.orientation == null ? [] : ["--orientation", source.orientation]),
    ...(allow_missing ? ["--allow-missing"] : []),
    ...(follow_links ? ["--follow-links"] : []),
    ...(max_pixels === DEFAULT_MAX_PIXELS ? [] : ["--max-pixels", `${max_pixels}`]),
  ];
  return ["cliprpn", "prepare", ...args, ...images, ...flags].map(quoteForShell).join(" ");
}

function fileArgs(option: string, files: readonly RowsFile[]): string[] {
  return files.flatMap(({ file, split }) => [option, split === null ? file : `${split}=${file}`]);
}

function columnArgs(columns: object): string[] {
  const renamed = Object.entries(columns).filter(([key, name]) => key !== name);
  return renamed.length === 0 ? [] : ["--columns", renamed.map(([key, name]) => `${key}=${name}`).join(",")];
}
