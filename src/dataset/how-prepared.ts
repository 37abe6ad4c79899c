import { dirname } from "node:path";
import { shellQuoted } from "../base/shell-quote.ts";
import type { PreparedDataset } from "../contract/generated/types.ts";
import { DEFAULT_MAX_PIXELS } from "./images/decode.ts";
import type { ImageSize } from "./prepare/prepared-folder.ts";

/** The command that makes this data set again from the same files, at this size. */
export function prepareCommand(facts: PreparedDataset, size?: ImageSize): string {
  const { source, name, split_by, images_dir, allow_missing, follow_links, max_pixels } = facts;
  const suffix = `-${split_by}`;
  const words =
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
          ...source.files.flatMap(({ file, split }) => [
            "--from",
            split === null ? file : `${split}=${file}`,
          ]),
          "--format",
          source.format,
          "--box-format",
          source.box_format,
          ...columnsOf(source.columns),
          ...(source.split_seed === 0 ? [] : ["--split-seed", `${source.split_seed}`]),
        ];
  const images = images_dir === null ? ["--without-pictures"] : ["--images", images_dir];
  const flags = [
    ...(size === undefined || size.image_size_px === 224 ? [] : ["--image-size", `${size.image_size_px}`]),
    ...(size === undefined || size.resize === "squash" ? [] : ["--resize", size.resize]),
    ...(allow_missing ? ["--allow-missing"] : []),
    ...(follow_links ? ["--follow-links"] : []),
    ...(max_pixels === DEFAULT_MAX_PIXELS ? [] : ["--max-pixels", `${max_pixels}`]),
  ];
  return ["cliprpn", "prepare", ...words, ...images, ...flags].map(shellQuoted).join(" ");
}

function columnsOf(columns: object): string[] {
  const other = Object.entries(columns).filter(([key, name]) => key !== name);
  return other.length === 0 ? [] : ["--columns", other.map(([key, name]) => `${key}=${name}`).join(",")];
}
