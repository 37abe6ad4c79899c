import { join } from "node:path";
import { namesIn, sizeOf } from "../base/files.ts";
import { readOwner } from "../base/owner-lock.ts";
import { jointFolders } from "../dataset/joint.ts";
import { prepareLockFolder } from "../dataset/prepare/prepared-folder.ts";
import { isRemovedFolder } from "../store/remove.ts";
import { allSweeps } from "../store/sweeps.ts";
import { trialIds } from "../store/trial-ids.ts";
import { TrialStore } from "../store/trial-store.ts";
import type { Reason, Removal } from "./removal.ts";
import { runningSweeps } from "./sweep-locks.ts";

/**
 * Joint training sets of the cache that no sweep and no trial of the runs folder has. A sweep that runs may begin to use one, and a
 * sweep or a trial that cannot be read may have any of them: then there is none.
 */
export function jointRemovals(runsDir: string, cache: string): Removal[] {
  const left = namesIn(join(cache, "prepared")).filter(isRemovedFolder);
  const removals = left.map((name) => removal("leftover", join(cache, "prepared", name)));
  if (runningSweeps(runsDir).size > 0) return removals;
  const used = usedDatasets(runsDir);
  if (used === undefined) return removals;
  const unused = namesIn(join(cache, "joint"))
    .filter((id) => !used.has(id))
    .map((id) => jointFolders(cache, id))
    .filter(({ root }) => readOwner(prepareLockFolder(root)) === undefined);
  // The annotations last: without them, a later run would not know that the rest is of a joint training set.
  return [
    ...removals,
    ...unused.flatMap(({ root, folder }) => [root, folder]).map((path) => removal("joint", path)),
  ];
}

/** Ids of the datasets of all sweeps and trials; undefined if one of them cannot be read. */
function usedDatasets(runsDir: string): Set<string> | undefined {
  try {
    const ofSweeps = allSweeps(runsDir).map((sweep) => sweep.experiment()?.dataset.id);
    const ofTrials = trialIds(runsDir).map((id) => new TrialStore(runsDir, id).identity()?.dataset.id);
    return new Set([...ofSweeps, ...ofTrials].filter((id) => id !== undefined));
  } catch {
    return undefined; // Its problem is reported by the plan for trials.
  }
}

function removal(reason: Reason, path: string): Removal {
  return { reason, path, bytes: sizeOf(path), trial_id: null, attempt: null };
}
