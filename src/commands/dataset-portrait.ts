import { existsSync } from "node:fs";
import { join } from "node:path";
import { shellQuoted } from "../base/shell-quote.ts";
import type { DatasetStats, PreparedDataset } from "../contract/generated/types.ts";
import type { Portrait } from "../dataset/card/portrait.ts";
import { prepareCommand } from "../dataset/how-prepared.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import { preparedSizes } from "../dataset/prepare/prepared-folder.ts";
import { publishedCounts } from "../dataset/prepare/published-counts.ts";

/** What the report room is told of a data set. */
export function portraitOf(dataset: DatasetIdentity, stats: DatasetStats): Portrait {
  const { facts } = stats;
  return {
    stats,
    kind: kindOf(dataset, facts),
    folder: dataset.root,
    sizes: preparedSizes(dataset.root).map(({ resize, image_size_px }) => `${resize} to ${image_size_px} px`),
    command: commandOf(dataset, facts),
    published: publishedCounts(facts.name, facts.split_by),
  };
}

/** What makes the data set again; one in the cache is made again by whatever asks for it. */
export function commandOf({ raw, demo, split_by, root }: DatasetIdentity, facts: PreparedDataset): string {
  if (demo !== undefined) return "cliprpn dataset show demo";
  if (raw === undefined) return prepareCommand(facts, preparedSizes(root)[0]);
  return `cliprpn dataset show ${shellQuoted(raw)}${split_by === "umd" ? "" : ` --split-by ${split_by}`}`;
}

function kindOf({ demo, raw }: DatasetIdentity, { name, split_by }: PreparedDataset): Portrait["kind"] {
  if (demo !== undefined || (raw !== undefined && existsSync(join(raw, "demo.json")))) return "demo";
  if (publishedCounts(name, split_by) === undefined) return "own";
  return name.startsWith("refcocog") ? "refcocog" : name.startsWith("refcoco+") ? "refcoco+" : "refcoco";
}
