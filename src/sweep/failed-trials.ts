import { joinWords } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { ErrorCode, TrialSpec } from "../contract/generated/types.ts";
import { trialName } from "../report/names.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { type FailureClass, failureClassOf } from "./failure-policy.ts";
import { lastEnds, trialStatuses } from "./resume.ts";

/** Which failed trials are meant. */
export interface FailedChoice {
  /** Labels, or starts of ids; none for all. */
  trials: readonly string[];
  /** Undefined for all. */
  classes: readonly FailureClass[] | undefined;
}

/**
 * The trials of a sweep that have failed, also with an earlier code, and have no result since.
 *
 * @throws CliprpnError bad_input if a name is that of no trial, or of one that has not failed.
 */
export function failedTrials(
  store: SweepStore,
  specs: readonly TrialSpec[],
  { trials, classes }: FailedChoice,
): TrialSpec[] {
  const codes = failureCodes(store, specs);
  const named = new Set(trials.flatMap((name) => namedTrials(name, specs, codes)));
  return specs.filter((spec) => {
    const code = codes.get(spec.trial_id);
    if (code === undefined || (trials.length > 0 && !named.has(spec.trial_id))) return false;
    return classes === undefined || classes.includes(failureClassOf(code));
  });
}

function failureCodes(store: SweepStore, specs: readonly TrialSpec[]): Map<string, ErrorCode> {
  const statuses = trialStatuses(store, specs);
  const ends = [...lastEnds(store.journal.ends()).values()];
  return new Map(
    ends.flatMap(({ trial_id, error }) =>
      error === null || statuses.get(trial_id)?.state === "completed" ? [] : [[trial_id, error.code]],
    ),
  );
}

/** Ids of the failed trials that a text names. */
function namedTrials(
  name: string,
  specs: readonly TrialSpec[],
  codes: ReadonlyMap<string, ErrorCode>,
): string[] {
  const found = specs.filter(({ label, trial_id }) => label === name || trial_id.startsWith(name));
  const failed = found.filter(({ trial_id }) => codes.has(trial_id));
  if (failed.length > 0) return failed.map(({ trial_id }) => trial_id);
  const [first] = found;
  const all = specs.filter(({ trial_id }) => codes.has(trial_id));
  const which = all.length === 0 ? "none has failed" : listed(all);
  throw new CliprpnError(
    "bad_input",
    `${name}: expected the label, or the start of the id, of a failed trial (${which}), found ${first === undefined ? "none of this name" : `${trialName(first)}, which has not failed`}`,
  );
}

function listed(specs: readonly TrialSpec[]): string {
  const names = specs.slice(0, maxListed).map((spec) => `${spec.trial_id.slice(0, 8)} ${trialName(spec)}`);
  const more = specs.length - names.length;
  return joinWords([...names, ...(more > 0 ? [`${more} more`] : [])]);
}

const maxListed = 5;
