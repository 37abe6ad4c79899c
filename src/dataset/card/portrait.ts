import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatasetStats, PreparedDataset } from "../../contract/generated/types.ts";
import type { DatasetIdentity } from "../identify-dataset.ts";
import { preparedSizes } from "../prepare/prepared-folder.ts";
import { publishedCounts } from "../prepare/published-counts.ts";
import { remakeCommand } from "../prepare-command.ts";

/** Everything that is told of a data set. */
export interface Portrait {
  stats: DatasetStats;
  /** Which of the field's it is. */
  kind: "refcocog" | "refcoco" | "refcoco+" | "demo" | "own";
  /** Of the prepared data set. */
  folder: string;
  /** That its images are prepared at: `squash to 224 px`. */
  sizes: string[];
  /** What makes it again. */
  command: string;
  /** Images, refs and sentences by split, where somebody has published them. */
  published?: Record<string, readonly [number, number, number]> | undefined;
}

/** Collects what the summary and the card of a dataset show. */
export function portraitOf(dataset: DatasetIdentity, stats: DatasetStats): Portrait {
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

function kindOf({ demo, raw }: DatasetIdentity, { name, split_by }: PreparedDataset): Portrait["kind"] {
  if (demo !== undefined || (raw !== undefined && existsSync(join(raw, "demo.json")))) return "demo";
  if (publishedCounts(name, split_by) === undefined) return "own";
  return name.startsWith("refcocog") ? "refcocog" : name.startsWith("refcoco+") ? "refcoco+" : "refcoco";
}

/** Whether it is one of RefCOCO, RefCOCO+ and RefCOCOg. */
export function isRefcocoFamily({ kind }: Portrait): boolean {
  return kind !== "demo" && kind !== "own";
}
