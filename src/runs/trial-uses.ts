import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { codeHashes } from "../contract/code-identity.ts";
import type { CodeHashes } from "../contract/generated/types.ts";
import { leftTrials } from "../store/adopt/adopt.ts";
import { allSweeps } from "../store/sweeps.ts";
import type { TrialStore } from "../store/trial-store.ts";

/** How the sweeps of a runs folder use its trials, and the code that they run with now. */
export interface TrialUses {
  code: CodeHashes;
  /** Names of the sweeps that list a trial, by its id. */
  sweeps: Map<string, string[]>;
  /** Ids of the trials that the current version of an experiment asks for, or that a sweep has which was not adopted yet. */
  asked: Set<string>;
  /** Attempts that failed by the decision of a controller, which only a journal records: `<trial id>/<attempt>`. */
  failures: Set<string>;
  /** Model files of trials that baselines of a sweep take their boxes from. */
  detectors: string[];
  /** Why some sweeps cannot be read. They may use any trial. */
  problems: string[];
}

export function trialUses(runsDir: string): TrialUses {
  const uses: TrialUses = {
    code: codeHashes(),
    sweeps: new Map(),
    asked: new Set(leftTrials(runsDir).keys()),
    failures: new Set(),
    detectors: [],
    problems: [],
  };
  for (const sweep of allSweeps(runsDir)) {
    try {
      for (const { trial, asked } of sweep.rows() ?? []) {
        uses.sweeps.set(trial.trial_id, [...(uses.sweeps.get(trial.trial_id) ?? []), sweep.name]);
        if (asked) uses.asked.add(trial.trial_id);
      }
      for (const entry of sweep.journal.entries())
        if (entry.type === "trial_finished" && entry.error !== null)
          uses.failures.add(`${entry.trial_id}/${entry.attempt}`);
      const files = Object.values(sweep.places()?.detector_files ?? {});
      uses.detectors.push(...files.flatMap((file) => (file === undefined ? [] : [realPath(file)])));
    } catch (error) {
      uses.problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return uses;
}

/** True if a sweep asks for the trial, or may do so: not every sweep can be read. */
export function isAsked({ asked, problems }: TrialUses, { trial_id }: TrialStore): boolean {
  return problems.length > 0 || asked.has(trial_id);
}

/** True if a baseline of a sweep takes its boxes from a model in the folder. */
export function isDetector({ detectors }: TrialUses, folder: string): boolean {
  return detectors.length > 0 && detectors.some((file) => file.startsWith(join(realPath(folder), sep)));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // It is gone.
  }
}
