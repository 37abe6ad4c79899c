import { changedFiles, codeHash, codeOf } from "../contract/code-identity.ts";
import type { CodeManifest, MetricName } from "../contract/generated/types.ts";
import { metricTitles } from "../report/figures.ts";
import { readCode } from "../store/code-manifests.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { type Difference, decidingKeys, differences } from "./settings.ts";
import { type ShownAttempt, type ShownTrial, showTrial } from "./show-trial.ts";

/** What `cliprpn diff` compares: a trial, and an attempt of it (by default the one that reports show, else the newest). */
export interface Side {
  trial: TrialStore;
  attempt: number | undefined;
}

/** The differences between two trials, a and b, or between two attempts of one. */
export interface TrialDiff {
  a: ComparedTrial;
  b: ComparedTrial;
  /** Settings, seed, dataset, weights and threads that differ, by the keys of an experiment. */
  settings: Difference[];
  code: CodeDiff;
  /** Software and hardware that differ; empty if an attempt is not complete. */
  environment: Difference[];
  /** On val, b minus a; empty if an attempt is not complete. */
  metrics: MetricDiff[];
}

export interface ComparedTrial {
  trial_id: string;
  label: string | null;
  attempt: number | null;
  state: ShownAttempt["state"] | "no attempt";
  num_sentences: number | null;
}

/** `unknown`: an attempt did not end, or no list of its files is known. Of two kinds of trials the code always differs. */
export type CodeDiff =
  | { state: "same" }
  | { state: "different"; changed: string[] }
  | { state: "other kind" }
  | { state: "unknown" };

export interface MetricDiff {
  metric: MetricName;
  a: number;
  b: number;
  difference: number;
}

/** @throws CliprpnError not_found; bad_input if a file of a trial is damaged. */
export function diffTrials(a: Side, b: Side): TrialDiff {
  const [shownA, shownB] = [showTrial(a.trial), showTrial(b.trial)];
  const [attemptA, attemptB] = [chosenAttempt(shownA, a.attempt), chosenAttempt(shownB, b.attempt)];
  const areComplete = attemptA?.state === "completed" && attemptB?.state === "completed";
  return {
    a: compared(shownA, attemptA),
    b: compared(shownB, attemptB),
    settings: differences(decidingKeys(shownA.identity), decidingKeys(shownB.identity)),
    code:
      shownA.identity.kind === shownB.identity.kind
        ? codeDiff(manifestOf(a.trial, shownA, attemptA), manifestOf(b.trial, shownB, attemptB))
        : { state: "other kind" },
    environment: areComplete ? differences(attemptA.environment, attemptB.environment) : [],
    metrics: areComplete ? metricDiffs(attemptA.metrics, attemptB.metrics) : [],
  };
}

function chosenAttempt(shown: ShownTrial, number: number | undefined): ShownAttempt | undefined {
  const { attempts, shown_attempt } = shown;
  const wanted = number ?? shown_attempt;
  return attempts.find((attempt) => attempt.number === wanted) ?? attempts[0];
}

function compared({ trial_id, sweeps }: ShownTrial, attempt: ShownAttempt | undefined): ComparedTrial {
  return {
    trial_id,
    label: sweeps[0]?.label ?? null,
    attempt: attempt?.number ?? null,
    state: attempt?.state ?? "no attempt",
    num_sentences: attempt?.state === "completed" ? attempt.metrics.num_sentences : null,
  };
}

/** The code of an attempt: the files, or their hash alone if no sweep here recorded them. */
function manifestOf(
  { runsDir }: TrialStore,
  { identity }: ShownTrial,
  attempt: ShownAttempt | undefined,
): { hash: string; manifest: CodeManifest | undefined } | undefined {
  if (attempt === undefined || attempt.code === null) return undefined;
  const { sources_sha256, is_current } = attempt.code;
  const manifest = is_current ? codeOf(identity.kind) : readCode(runsDir, sources_sha256);
  return { hash: manifest === undefined ? sources_sha256 : codeHash(manifest), manifest };
}

function codeDiff(a: ReturnType<typeof manifestOf>, b: ReturnType<typeof manifestOf>): CodeDiff {
  if (a === undefined || b === undefined) return { state: "unknown" };
  if (a.hash === b.hash) return { state: "same" };
  if (a.manifest === undefined || b.manifest === undefined) return { state: "unknown" };
  return { state: "different", changed: changedFiles(a.manifest, b.manifest) };
}

function metricDiffs(
  a: Record<MetricName, number | null>,
  b: Record<MetricName, number | null>,
): MetricDiff[] {
  return (Object.keys(metricTitles) as MetricName[]).flatMap((metric) => {
    const [value, other] = [a[metric], b[metric]];
    return value === null || other === null
      ? []
      : [{ metric, a: value, b: other, difference: other - value }];
  });
}
