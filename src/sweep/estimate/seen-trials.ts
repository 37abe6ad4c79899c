import { join } from "node:path";
import { sizeOf } from "../../base/files.ts";
import type { CompletedOutcome, TrialIdentity, TrialSpec } from "../../contract/generated/types.ts";
import { trialIdentityOf } from "../../contract/trial-identity.ts";
import { modelsOf } from "../../store/attempt-files.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { sweepsIn } from "../../store/sweeps.ts";
import { predictionsFile, TrialStore } from "../../store/trial-store.ts";
import type { TrialStatus } from "../resume.ts";
import { type CostKeys, costKeys } from "./cost-keys.ts";
import type { DatasetCounts } from "./dataset-counts.ts";
import { kindOf } from "./device.ts";

/** What a completed trial took, and the sizes of its files. */
export interface SeenTrial {
  keys: CostKeys;
  device_name: string;
  /** Of one expression in one epoch, with the selection on val and the saving of models; null for a baseline. */
  training_ms: number | null;
  /** Of one val expression. */
  evaluation_ms: number;
  /** The whole trial; of a baseline, with its detections and embeddings. */
  total_ms: number;
  /** Size of one model; null if none was kept. */
  model_bytes: number | null;
  /** Of one expression. */
  prediction_bytes: number;
}

/** Where to look for earlier trials, and which of them count. */
export interface SeenSearch {
  runsDir: string;
  /** Trials of the sweep, and what is known about them. */
  trials: readonly TrialSpec[];
  statuses: ReadonlyMap<string, TrialStatus>;
  /** cpu, cuda or mps. */
  deviceKind: string;
  /** Undefined if only Python knows it: then trials on the device of the newest one count. */
  deviceName: string | undefined;
  counts: DatasetCounts;
}

/** Trials to read of each configuration. */
const maxSeen = 8;
/** The newest sweeps, and trials in them, that are looked at. */
const maxSweeps = 20;
const maxRows = 3000;

/**
 * Completed trials that ran on this device, of the configurations of a sweep first, then of those like them in other sweeps of the
 * runs folder. Imported ones and those of damaged sweeps are left out.
 */
export function seenTrials(search: SeenSearch): SeenTrial[] {
  const { trials, statuses } = search;
  const wanted = new Wanted();
  const seen: SeenTrial[] = [];
  let { deviceName } = search;
  const add = (spec: Ran, attempt: number): void => {
    const found = readSeen(search, spec, attempt);
    if (found === undefined || found.deviceKind !== search.deviceKind) return;
    deviceName ??= found.seen.device_name;
    if (found.seen.device_name !== deviceName) return;
    seen.push(found.seen);
    wanted.found(found.seen.keys);
  };
  const own = new Set<string>();
  const keysOf = new Map<string, CostKeys>(); // Trials of a configuration differ by their seed only.
  for (const spec of trials) {
    own.add(spec.trial_id);
    const status = statuses.get(spec.trial_id);
    const preset = spec.kind === "cliprpn" ? spec.preset : null;
    const keys = keysOf.get(spec.label) ?? costKeys(trialIdentityOf(spec), preset);
    keysOf.set(spec.label, keys);
    if (status?.state === "completed" && status.accepted.origin === null && wanted.needs(keys.same_trials))
      add({ trial: trialIdentityOf(spec), keys, dataset_root: spec.dataset.root }, status.accepted.attempt);
    if (status?.state !== "completed") wanted.ask(keys);
  }
  for (const ran of otherTrials(search.runsDir, own)) {
    if (wanted.isSatisfied) break;
    if (wanted.isAsked(ran.keys)) add(ran, ran.attempt);
  }
  return seen;
}

/** How many trials of each key were found, and which keys are asked for. */
class Wanted {
  readonly #numFound = new Map<string, number>();
  /** Exact keys of the trials that have to run, and all of their keys. */
  readonly #exact = new Set<string>();
  readonly #asked = new Set<string>();

  ask({ same_trials, other_data, other_settings }: CostKeys): void {
    this.#exact.add(same_trials);
    for (const key of [same_trials, other_data, other_settings]) this.#asked.add(key);
  }

  needs(key: string): boolean {
    return (this.#numFound.get(key) ?? 0) < maxSeen;
  }

  isAsked({ same_trials, other_data, other_settings }: CostKeys): boolean {
    return [same_trials, other_data, other_settings].some((key) => this.#asked.has(key) && this.needs(key));
  }

  get isSatisfied(): boolean {
    return [...this.#exact].every((key) => !this.needs(key));
  }

  found({ same_trials, other_data, other_settings }: CostKeys): void {
    for (const key of new Set([same_trials, other_data, other_settings]))
      this.#numFound.set(key, (this.#numFound.get(key) ?? 0) + 1);
  }
}

/** A trial that ran, and where its dataset lay. */
interface Ran {
  trial: TrialIdentity;
  keys: CostKeys;
  dataset_root: string;
}

/** The completed trials of the newest sweeps. */
function* otherTrials(runsDir: string, own: ReadonlySet<string>): Generator<Ran & { attempt: number }> {
  let numRows = 0;
  const read = new Set(own);
  for (const sweep of sweepsIn(runsDir).slice(0, maxSweeps)) {
    const { rows, dataset_root } = contentOf(sweep);
    for (const { trial, preset, attempt } of rows) {
      if (attempt === null || read.has(trial.trial_id)) continue;
      read.add(trial.trial_id);
      yield { trial, keys: costKeys(trial, preset), dataset_root, attempt };
    }
    numRows += rows.length;
    if (numRows > maxRows) return;
  }
}

/** Nothing for a sweep whose files are damaged: `cliprpn list` names it. */
function contentOf(sweep: SweepStore): {
  rows: NonNullable<ReturnType<SweepStore["rows"]>>;
  dataset_root: string;
} {
  try {
    return { rows: sweep.rows() ?? [], dataset_root: sweep.places()?.dataset_root ?? "" };
  } catch {
    return { rows: [], dataset_root: "" };
  }
}

function readSeen(
  { runsDir, counts }: SeenSearch,
  { trial, keys, dataset_root }: Ran,
  attempt: number,
): { seen: SeenTrial; deviceKind: string } | undefined {
  const store = new TrialStore(runsDir, trial.trial_id);
  if (store.importedFrom(attempt) !== null) return undefined;
  const outcome = completedOutcome(store, attempt);
  if (outcome === undefined) return undefined;
  const { durations_ms, metrics, environment } = outcome;
  const numVal = Math.max(1, metrics.num_sentences);
  const numTrained = trial.kind === "cliprpn" ? trainedExpressions(trial, dataset_root, counts) : null;
  if (numTrained === undefined) return undefined;
  return {
    deviceKind: kindOf(environment.device),
    seen: {
      keys,
      device_name: environment.device_name,
      training_ms: numTrained === null ? null : durations_ms.training / numTrained,
      evaluation_ms: durations_ms.evaluation / numVal,
      total_ms: durations_ms.total,
      model_bytes: modelsOf(store, attempt)[0]?.bytes ?? null,
      prediction_bytes: sizeOf(predictionsFile(join(store.attempt(attempt).folder), "val")) / numVal,
    },
  };
}

/** Expressions of all epochs; undefined if the dataset is gone. */
function trainedExpressions(
  { settings }: Extract<TrialIdentity, { kind: "cliprpn" }>,
  dataset_root: string,
  counts: DatasetCounts,
): number | undefined {
  const num = counts.expressions(dataset_root, "train", settings.limits.train);
  return num === undefined || num === 0 ? undefined : num * settings.training.num_epochs;
}

function completedOutcome(store: TrialStore, attempt: number): CompletedOutcome | undefined {
  try {
    const outcome = store.outcome(attempt);
    return outcome?.state === "completed" ? outcome : undefined;
  } catch {
    return undefined; // Damaged: a report says so.
  }
}
