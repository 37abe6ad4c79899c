import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatasetStats, PreparedDataset } from "../../contract/generated/types.ts";
import type { DatasetIdentity } from "../identify-dataset.ts";
import { preparedSizes } from "../prepare/prepared-folder.ts";
import { publishedCounts } from "../prepare/published-counts.ts";
import { remakeCommand } from "../prepare-command.ts";

/** The content of the summary and the card of a dataset. */
export interface DatasetProfile {
  stats: DatasetStats;
  /** A published dataset, the demo, or the user's own. */
  kind: "refcocog" | "refcoco" | "refcoco+" | "demo" | "own";
  /** Folder of the prepared dataset. */
  folder: string;
  /** Prepared image sizes, such as `squash to 224 px`. */
  sizes: string[];
  /** The command that prepares it again. */
  command: string;
  /** Published numbers of images, refs and sentences per split. */
  published?: Record<string, readonly [number, number, number]> | undefined;
}

/** Collects the profile of a prepared dataset. */
export function profileDataset(dataset: DatasetIdentity, stats: DatasetStats): DatasetProfile {
  const { facts } = stats;
  return {
    stats,
    kind: kindOf(dataset, facts),
    folder: dataset.root,
    sizes: preparedSizes(dataset.root).map(({ resize, image_size_px }) => `${resize} to ${image_size_px} px`),
    command: remakeCommand(dataset, facts),
    published: publishedCounts(facts.name, facts.split_by),
  };
}

function kindOf({ demo, raw }: DatasetIdentity, { name, split_by }: PreparedDataset): DatasetProfile["kind"] {
  if (demo !== undefined || (raw !== undefined && existsSync(join(raw, "demo.json")))) return "demo";
  if (publishedCounts(name, split_by) === undefined) return "own";
  return name.startsWith("refcocog") ? "refcocog" : name.startsWith("refcoco+") ? "refcoco+" : "refcoco";
}

/** True if it is one of RefCOCO, RefCOCO+ and RefCOCOg. */
export function isRefcocoFamily({ kind }: DatasetProfile): boolean {
  return kind !== "demo" && kind !== "own";
}
