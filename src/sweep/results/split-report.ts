import { join } from "node:path";
import type { Split, SummarizeParams } from "../../contract/generated/types.ts";
import { describeJoint } from "../../dataset/joint.ts";
import { readFacts } from "../../dataset/prepare/prepared-folder.ts";
import { describeSplit } from "../../dataset/prepare/summary-lines.ts";
import type { Engine } from "../../engine/engine.ts";
import { cacheDir } from "../../environment/cache.ts";
import { presets } from "../../experiment/presets.ts";
import { version } from "../../package-root.ts";
import type { ReportInput } from "../../report/report-input.ts";
import type { Staging } from "../../report/staging.ts";
import { countLooks, isTest } from "../../store/test-looks.ts";
import type { Context } from "../run-context.ts";

/** What a report on a split is made from, besides its figures and the facts about the dataset. */
export interface SplitReport {
  runsDir: string;
  params: Omit<SummarizeParams, "out_dir" | "cache_dir">;
  input: Omit<ReportInput, ComputedHere>;
}

type ComputedHere =
  | "cliprpn_version"
  | "summary"
  | "numTestLooks"
  | "numLooks"
  | "split_description"
  | "training_set"
  | "dataset_warnings"
  | "presets";

/** Has the figures of a split computed. @param staging receives the images and tables that Python writes. */
export async function summarizeSplit(
  { runsDir, params, input }: SplitReport,
  staging: Staging,
  engine: Engine,
  { signal, env }: Context,
): Promise<ReportInput> {
  const { split, dataset } = params;
  const summary = await engine.call(
    "summarize",
    { ...params, out_dir: join(staging.folder, staging.place), cache_dir: cacheDir(env) },
    { signal },
  );
  const facts = readFacts(dataset.root);
  return {
    ...input,
    cliprpn_version: version,
    summary,
    // A joint training set has no test split; that of its val is meant.
    numTestLooks: countAllLooks(runsDir, facts.joint?.val.id ?? dataset.id),
    numLooks: isTest(split) ? countLooks(runsDir, dataset.id, split) : 0,
    split_description: describeSplit(facts, split),
    ...(facts.joint == null ? {} : { training_set: describeJoint(facts.joint) }),
    dataset_warnings: facts.warnings ?? [],
    presets,
  };
}

/** Number of looks at all test splits of a dataset. */
function countAllLooks(runsDir: string, dataset_id: string): number {
  const splits = ["test", "testA", "testB"] as const satisfies readonly Split[];
  return splits.reduce((sum, split) => sum + countLooks(runsDir, dataset_id, split), 0);
}
