import { statSync } from "node:fs";
import { join } from "node:path";
import { namesIn, sizeOf } from "../base/files.ts";
import { readOwner } from "../base/owner-lock.ts";
import { removedTrials, stagingFilesIn } from "../store/remove.ts";
import { type SweepStore, sweepsFolder } from "../store/sweep-store.ts";
import { allSweeps } from "../store/sweeps.ts";
import type { GcOptions, Removal } from "./removal.ts";

/** Old logs, and what killed processes left outside the trials. */
export function otherRemovals(runsDir: string, cache: string, { logsOlderThanDays }: GcOptions): Removal[] {
  const staging = [sweepsFolder(runsDir), join(runsDir, "code")].flatMap(stagingFilesIn);
  return [
    ...removedTrials(runsDir).map((path) => outside("leftover", path)),
    ...staging.filter(isOlderThanDays(1)).map((path) => outside("leftover", path)),
    ...oldLogs(cache, logsOlderThanDays).map((path) => outside("log", path)),
  ];
}

/** Reports whose writing was killed. Remove them with the lock of the sweep's reports. */
export function reportRemovals(runsDir: string): Map<SweepStore, Removal[]> {
  return new Map(
    allSweeps(runsDir).flatMap((sweep): [SweepStore, Removal[]][] => {
      const folders = sweep.reportStagings();
      if (folders.length === 0 || readOwner(sweep.reportLockFolder) !== undefined) return [];
      return [[sweep, folders.map((path) => outside("leftover", path))]];
    }),
  );
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

function outside(reason: "leftover" | "log", path: string): Removal {
  return { reason, path, bytes: sizeOf(path), trial_id: null, attempt: null };
}
