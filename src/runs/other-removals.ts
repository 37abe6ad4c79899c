import { statSync } from "node:fs";
import { join } from "node:path";
import { namesIn, sizeOf } from "../base/files.ts";
import { readOwner } from "../base/owner-lock.ts";
import type { StoredComparison } from "../contract/generated/types.ts";
import { answersFolders } from "../store/answers-store.ts";
import { allAudits, auditsFolder } from "../store/audit-store.ts";
import { allComparisons, comparisonsFolder } from "../store/comparison-store.ts";
import { removedTrials, stagingFilesIn } from "../store/remove.ts";
import type { ReportFolder } from "../store/report-folder.ts";
import { sweepsFolder } from "../store/sweep-store.ts";
import { allSweeps } from "../store/sweeps.ts";
import type { GcOptions, Removal } from "./removal.ts";

/** Old logs, and what killed processes left outside the trials. */
export function otherRemovals(runsDir: string, cache: string, { logsOlderThanDays }: GcOptions): Removal[] {
  const folders = [sweepsFolder, comparisonsFolder, auditsFolder].map((folder) => folder(runsDir));
  const staging = [...folders, join(runsDir, "code")].flatMap(stagingFilesIn);
  return [
    ...removedTrials(runsDir).map((path) => outside("leftover", path)),
    ...staging.filter(isOlderThanDays(1)).map((path) => outside("leftover", path)),
    ...oldLogs(cache, logsOlderThanDays).map((path) => outside("log", path)),
  ];
}

/** Reports whose writing was killed. Remove them with the lock of the reports. */
export function reportRemovals(runsDir: string): Map<ReportFolder, Removal[]> {
  return new Map(
    [...allSweeps(runsDir), ...allComparisons(runsDir), ...allAudits(runsDir)].flatMap(
      (owner): [ReportFolder, Removal[]][] => {
        const folders = owner.reportStagings();
        if (folders.length === 0 || readOwner(owner.reportLockFolder) !== undefined) return [];
        return [[owner, folders.map((path) => outside("leftover", path))]];
      },
    ),
  );
}

/** Converted files of answers that no comparison has, a day after they were converted; none while a comparison runs. */
export function answersRemovals(runsDir: string): { removals: Removal[]; problems: string[] } {
  const comparisons = allComparisons(runsDir);
  if (comparisons.some(({ reportLockFolder }) => readOwner(reportLockFolder) !== undefined))
    return { removals: [], problems: [] };
  try {
    const used = new Set(comparisons.flatMap((comparison) => keysOf(comparison.read())));
    const isOld = isOlderThanDays(1);
    const unused = answersFolders(runsDir).filter(({ key, folder }) => !used.has(key) && isOld(folder));
    return { removals: unused.map(({ folder }) => outside("answers", folder)), problems: [] };
  } catch (error) {
    // A comparison that cannot be read may have any of them.
    return { removals: [], problems: [error instanceof Error ? error.message : String(error)] };
  }
}

function keysOf(comparison: StoredComparison | undefined): string[] {
  return (comparison?.models ?? []).flatMap(({ answers }) => answers.flatMap(({ keys = [] }) => keys));
}

/** True for a file that was last written more than this number of days ago; a missing file is not old. */
export function isOlderThanDays(days: number): (path: string) => boolean {
  const limit = Date.now() - days * 24 * 3600 * 1000;
  return (path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY) < limit;
}

/** Log files of the cache that were last written more than this number of days ago. */
function oldLogs(cache: string, days: number): string[] {
  const logs = join(cache, "logs");
  const names = namesIn(logs).filter((name) => /^worker-.+\.log$/.test(name));
  return [...names.map((name) => join(logs, name)), join(cache, "errors.log")].filter(isOlderThanDays(days));
}

function outside(reason: "answers" | "leftover" | "log", path: string): Removal {
  return { reason, path, bytes: sizeOf(path), trial_id: null, attempt: null };
}
