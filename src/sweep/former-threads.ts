import { counted } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Experiment, TrialSpec } from "../contract/generated/types.ts";
import { trialId } from "../contract/trial-id.ts";
import { defaultNumThreads, formerNumThreads } from "../experiment/presets.ts";
import { trialIds } from "../store/trial-ids.ts";
import { TrialStore } from "../store/trial-store.ts";

/**
 * Checks that no trial would be trained again only because the default of `num_threads` has changed.
 *
 * @param trials all trials of the sweep.
 * @param waiting those that have to run.
 * @throws CliprpnError bad_input if trials have completed with the former default, and the experiment does not choose.
 */
export function checkFormerThreads(
  { num_threads }: Pick<Experiment, "num_threads">,
  trials: readonly TrialSpec[],
  waiting: readonly TrialSpec[],
  runsDir: string,
): void {
  if (num_threads !== undefined || waiting.length === 0) return;
  const others = new Set(trialIds(runsDir));
  for (const { trial_id } of trials) others.delete(trial_id);
  if (others.size === 0) return; // Hashing 10,000 trials takes a second.
  const numDone = waiting
    .map(withFormerThreads)
    .filter((trial_id) => others.has(trial_id) && isCompleted(trial_id, runsDir)).length;
  if (numDone === 0) return;
  throw new CliprpnError(
    "bad_input",
    `${counted(numDone, "completed trial")} of this sweep used num_threads ${formerNumThreads}, the default of earlier versions; with ${defaultNumThreads}, today's default, ${numDone === 1 ? "it" : "they"} would run again as ${numDone === 1 ? "another trial" : "other trials"}, with other last digits. Nothing was started. Add "num_threads": ${formerNumThreads} to the experiment (or --set num_threads=${formerNumThreads}) to keep ${numDone === 1 ? "it" : "them"}, or "num_threads": ${defaultNumThreads} (--set num_threads=${defaultNumThreads}) to run all trials with ${defaultNumThreads}`,
  );
}

function withFormerThreads(spec: TrialSpec): string {
  return trialId({ ...spec, num_threads: formerNumThreads });
}

function isCompleted(trial_id: string, runsDir: string): boolean {
  return new TrialStore(runsDir, trial_id).accepted().length > 0;
}
