import { existsSync } from "node:fs";
import { counted, joinWords } from "../base/format.ts";
import { changedFiles, codeOf } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { AcceptedAttempt, ErrorCode, ErrorInfo, TrialSpec } from "../contract/generated/types.ts";
import { trialName } from "../report/names.ts";
import { acceptLeftovers, leftovers } from "../store/accept-leftovers.ts";
import { readCode } from "../store/code-manifests.ts";
import type { TrialEnd } from "../store/journal.ts";
import type { SweepStore } from "../store/sweep-store.ts";
import { trialIds } from "../store/trial-ids.ts";
import { TrialStore } from "../store/trial-store.ts";
import { failureClassOf } from "./failure-policy.ts";
import type { RunContext } from "./run-context.ts";

/** What is known about a trial of a sweep. */
export type TrialStatus =
  | { state: "completed"; accepted: AcceptedAttempt; isStale: boolean }
  | { state: "failed"; error: ErrorInfo; attempt: number }
  | { state: "waiting" };

/** A trial, and the hash of the current code for its kind. */
export type TrialOfCode = Pick<TrialSpec, "trial_id" | "sources_sha256">;

/**
 * The status of each trial, by id. A completed attempt counts in every sweep; a failure is a fact of this sweep, and of the code
 * that it ran with.
 */
export function trialStatuses(
  store: SweepStore,
  specs: readonly TrialOfCode[],
  find: FindAccepted = acceptedOf,
): Map<string, TrialStatus> {
  const ends = lastEnds(store.journal.ends());
  const existing = new Set(trialIds(store.runsDir)); // One look for the many trials that are new.
  return new Map(
    specs.map((spec) => {
      const accepted = existing.has(spec.trial_id)
        ? find(new TrialStore(store.runsDir, spec.trial_id), spec.sources_sha256)
        : undefined;
      return [spec.trial_id, statusOf(spec, accepted, ends)];
    }),
  );
}

type FindAccepted = (trial: TrialStore, sources_sha256: string) => AcceptedAttempt | undefined;

const acceptedOf: FindAccepted = (trial, sources_sha256) => trial.shown(sources_sha256);

/** The attempt that will count: one that a killed process did not accept is accepted by the next run. */
export const acceptedNext: FindAccepted = (trial, sources_sha256) => {
  const shown = trial.shown(sources_sha256);
  if (shown?.sources_sha256 === sources_sha256) return shown;
  const leftover = leftovers(trial).find((each) => each.sources_sha256 === sources_sha256);
  return leftover ?? shown ?? leftovers(trial)[0];
};

/** The trials of a sweep that have to run, and how many failed earlier and stay so. */
export interface TrialsToRun {
  waiting: TrialSpec[];
  numFailed: number;
  /** Trials that could run, and are left out. */
  numLater: number;
}

type ResumeChoices = Pick<
  RunContext,
  "acceptStale" | "rerunStale" | "retryFailed" | "retryClasses" | "retryOnly"
>;

/**
 * The trials that have to run. Finished trials stay as they are; failed ones run again with `retryFailed`, if their failure is of one
 * of the `retryClasses`; stale ones, which other code made, with `rerunStale`. With `retryOnly`, all others are left out.
 *
 * @throws CliprpnError bad_input if there are stale trials, others have to run, and the person has not chosen.
 */
export function trialsToRun(
  store: SweepStore,
  specs: readonly TrialSpec[],
  options: ResumeChoices & Pick<RunContext, "terminal">,
): TrialsToRun {
  for (const spec of specs) acceptEnded(new TrialStore(store.runsDir, spec.trial_id), spec);
  const { terminal } = options;
  const { waiting, failed, stale, later } = sortTrials(specs, trialStatuses(store, specs), options);
  for (const { spec, code } of options.retryOnly === undefined ? failed : [])
    terminal.info(
      `${trialName(spec)}: failed in an earlier run (${code}); use --retry-failed to run it again`,
    );
  const told = describeStale(stale, waiting.length, store.runsDir, options);
  if (told !== undefined && "error" in told) throw told.error;
  if (told !== undefined) terminal[told.as](told.text);
  return { waiting, numFailed: failed.length, numLater: later.length };
}

/** Trials by what happens to them. */
export interface SortedTrials {
  waiting: TrialSpec[];
  /** They stay so. */
  failed: { spec: TrialSpec; code: ErrorCode }[];
  /** Also those that run again. */
  stale: StaleTrial[];
  /** They could run, and are left out. */
  later: TrialSpec[];
}

export function sortTrials(
  specs: readonly TrialSpec[],
  statuses: ReadonlyMap<string, TrialStatus>,
  { retryFailed, retryClasses, retryOnly, rerunStale }: ResumeChoices,
): SortedTrials {
  const sorted: SortedTrials = { waiting: [], failed: [], stale: [], later: [] };
  for (const spec of specs) {
    const status = statuses.get(spec.trial_id);
    const isStale = status?.state === "completed" && status.isStale;
    if (isStale) sorted.stale.push({ spec, accepted: status.accepted });
    const isLeftOut = retryOnly !== undefined && !retryOnly.has(spec.trial_id);
    const isRetried = (code: ErrorCode): boolean =>
      retryFailed && !isLeftOut && (retryClasses?.includes(failureClassOf(code)) ?? true);
    if (status?.state === "failed" && !isRetried(status.error.code))
      sorted.failed.push({ spec, code: status.error.code });
    else if (isStale && rerunStale) sorted.waiting.push(spec);
    else if (status?.state !== "completed") (isLeftOut ? sorted.later : sorted.waiting).push(spec);
  }
  return sorted;
}

/** What happens to stale trials, or the error that asks for it; undefined without any. */
export function describeStale(
  stale: readonly StaleTrial[],
  numWaiting: number,
  runsDir: string,
  { acceptStale, rerunStale }: ResumeChoices,
): { as: "info" | "warn"; text: string } | { error: CliprpnError } | undefined {
  if (stale.length === 0) return undefined;
  const what = `${counted(stale.length, "finished trial")} ${stale.length === 1 ? "is" : "are"} stale: made by other code (${describeChanges(stale, runsDir)})`;
  if (rerunStale)
    return {
      as: "info",
      text: `${what}; running ${stale.length === 1 ? "it" : "them"} again as new attempts. The old attempts and their models are kept.`,
    };
  if (acceptStale || numWaiting === 0) return { as: "warn", text: `${what}; kept, and marked in the report` };
  return {
    error: new CliprpnError(
      "bad_input",
      `${what}, and ${counted(numWaiting, "trial")} must still run. Nothing was started. Add --rerun-stale to run the stale trials again (the old attempts and their models are kept), or --accept-stale to keep them and mark them in the report`,
    ),
  };
}

/** Attempts that a killed process did not accept are finished trials too, also if the code was edited since. */
function acceptEnded(trial: TrialStore, { sources_sha256 }: TrialOfCode): void {
  if (!existsSync(trial.acceptedFile(sources_sha256))) acceptLeftovers(trial);
}

/** A finished trial that other code made. */
export interface StaleTrial {
  spec: TrialSpec;
  accepted: AcceptedAttempt;
}

/** Ends of attempts that leave the trial waiting. */
const leavesWaiting: ReadonlySet<TrialEnd["state"]> = new Set(["interrupted", "retried", "preempted"]);

/** The last end of each trial that does not leave it waiting. */
export function lastEnds(ends: readonly TrialEnd[]): Map<string, TrialEnd> {
  return new Map(ends.filter(({ state }) => !leavesWaiting.has(state)).map((end) => [end.trial_id, end]));
}

function statusOf(
  spec: TrialOfCode,
  accepted: AcceptedAttempt | undefined,
  ends: Map<string, TrialEnd>,
): TrialStatus {
  if (accepted !== undefined)
    return { state: "completed", accepted, isStale: accepted.sources_sha256 !== spec.sources_sha256 };
  const end = ends.get(spec.trial_id);
  if (end !== undefined && end.error !== null && end.sources_sha256 === spec.sources_sha256)
    return { state: "failed", error: end.error, attempt: end.attempt };
  return { state: "waiting" };
}

/** The files and packages that changed since stale trials ran: "models/rpn.py, torch 2.13.0 -> 2.14.0 and 3 more". */
function describeChanges(stale: readonly StaleTrial[], runsDir: string): string {
  const changes = new Set<string>();
  const unknown = new Set<string>();
  const codes = new Map(stale.map((trial) => [trial.accepted.sources_sha256, trial]));
  for (const [sources_sha256, { spec, accepted }] of codes) {
    const manifest = readCode(runsDir, sources_sha256);
    if (manifest !== undefined)
      for (const file of changedFiles(manifest, codeOf(spec.kind))) changes.add(file);
    else
      unknown.add(
        accepted.origin === null
          ? `code ${sources_sha256.slice(0, 8)}`
          : `${accepted.origin.kind === "import" ? "imported from" : "an earlier cliprpn, in"} ${accepted.origin.from}`,
      );
  }
  const shown = [...changes].slice(0, maxChanges);
  const more = changes.size - shown.length;
  const parts = [
    ...(shown.length === 0
      ? []
      : [`changed: ${joinWords([...shown, ...(more > 0 ? [`${more} more`] : [])])}`]),
    ...unknown,
  ];
  return parts.join("; ");
}

const maxChanges = 5;
