import { join } from "node:path";
import { sizeOf } from "../../base/files.ts";
import type { CompletedOutcome, TrialIdentity, TrialSpec } from "../../contract/generated/types.ts";
import { trialIdentityOf } from "../../contract/trial-identity.ts";
import { modelsOf } from "../../store/attempt-files.ts";
import { predictionsFile } from "../../store/predictions.ts";
import { SweepStore } from "../../store/sweep-store.ts";
import { sweepsIn } from "../../store/sweeps.ts";
import { TrialStore } from "../../store/trial-store.ts";
import type { TrialStatus } from "../resume.ts";
import { type CostKeys, costKeys, type costKeysOf } from "./cost-keys.ts";
import type { DatasetCounts } from "./dataset-counts.ts";
import { kindOf } from "./device.ts";
import { type AtOnce, atOnceIn, isLike } from "./running-at-once.ts";

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
  /** How many trials ran at the same time; null if nobody knows. */
  at_once: number | null;
}

/** Where to look for earlier trials, and which of them count. */
export interface SeenSearch {
  runsDir: string;
  /** Name of the sweep. */
  name: string;
  /** Trials that it runs at the same time: earlier ones with as many count first. Undefined on other machines, for any number. */
  numSlots: number | undefined;
  /** Trials of the sweep, and what is known about them. */
  trials: readonly TrialSpec[];
  statuses: ReadonlyMap<string, TrialStatus>;
  /** cpu, cuda or mps. */
  deviceKind: string;
  /** Undefined if only Python knows it: then trials on the device of the newest one count. */
  deviceName: string | undefined;
  counts: DatasetCounts;
  keysOf: typeof costKeysOf;
}

/** Trials to read of each configuration: as many with the same number at the same time, and with another one. */
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
  const wanted = new Wanted(search.numSlots);
  const seen: SeenTrial[] = [];
  let { deviceName } = search;
  const add = (ran: Ran): void => {
    done.add(ran.trial.trial_id);
    const found = readSeen(search, ran);
    if (found === undefined || found.deviceKind !== search.deviceKind) return;
    deviceName ??= found.seen.device_name;
    if (found.seen.device_name !== deviceName) return;
    seen.push(found.seen);
    wanted.found(found.seen);
  };
  const atOnce = atOnceIn(new SweepStore(search.runsDir, search.name));
  /** Another sweep ran them, as a rule, and may be read later. */
  const unknown: Ran[] = [];
  const done = new Set<string>();
  for (const spec of trials) {
    const status = statuses.get(spec.trial_id);
    const keys = search.keysOf(spec);
    if (status?.state !== "completed") wanted.ask(keys);
    if (status?.state !== "completed" || status.accepted.origin !== null) continue;
    const { attempt } = status.accepted;
    const at_once = atOnce(spec.trial_id, attempt) ?? null;
    if (!wanted.needs(keys.same_trials, at_once)) continue;
    const ran = { trial: trialIdentityOf(spec), keys, dataset_root: spec.dataset.root, attempt, at_once };
    if (at_once === null) unknown.push(ran);
    else add(ran);
  }
  for (const other of otherTrials(search.runsDir)) {
    if (wanted.isSatisfied) break;
    const { trial_id } = other.trial;
    if (done.has(trial_id) || !wanted.asks(other.keys)) continue;
    const ran = { ...other, at_once: other.atOnce(trial_id, other.attempt) ?? null };
    if (ran.at_once === null) unknown.push(ran);
    else if (wanted.isAsked(ran)) add(ran);
  }
  for (const ran of unknown)
    if (!done.has(ran.trial.trial_id) && wanted.needs(ran.keys.same_trials, null)) add(ran);
  return seen;
}

/** How many trials of each key were found, and which keys are asked for. */
class Wanted {
  readonly #numSlots: number | undefined;
  readonly #numFound = new Map<string, number>();
  /** Exact keys of the trials that have to run, and all of their keys. */
  readonly #exact = new Set<string>();
  readonly #asked = new Set<string>();

  constructor(numSlots: number | undefined) {
    this.#numSlots = numSlots;
  }

  ask({ same_trials, other_data, other_settings }: CostKeys): void {
    this.#exact.add(same_trials);
    for (const key of [same_trials, other_data, other_settings]) this.#asked.add(key);
  }

  needs(key: string, at_once: number | null): boolean {
    return (this.#numFound.get(this.#keyOf(key, at_once)) ?? 0) < maxSeen;
  }

  asks({ same_trials, other_data, other_settings }: CostKeys): boolean {
    return [same_trials, other_data, other_settings].some((key) => this.#asked.has(key));
  }

  /** Whether it is asked for, and not enough like it were found. */
  isAsked({ keys: { same_trials, other_data, other_settings }, at_once }: AtOnceOf): boolean {
    return [same_trials, other_data, other_settings].some(
      (key) => this.#asked.has(key) && this.needs(key, at_once),
    );
  }

  /** Enough of those with the same number at the same time. */
  get isSatisfied(): boolean {
    return [...this.#exact].every((key) => !this.needs(key, this.#numSlots ?? null));
  }

  found({ keys: { same_trials, other_data, other_settings }, at_once }: AtOnceOf): void {
    for (const key of new Set([same_trials, other_data, other_settings])) {
      const counted = this.#keyOf(key, at_once);
      this.#numFound.set(counted, (this.#numFound.get(counted) ?? 0) + 1);
    }
  }

  #keyOf(key: string, at_once: number | null): string {
    const isSame = this.#numSlots === undefined || isLike(at_once, this.#numSlots);
    return isSame ? key : `${key} with others`;
  }
}

type AtOnceOf = Pick<SeenTrial, "keys" | "at_once">;

/** A trial that ran, and where its dataset lay. */
interface Ran extends AtOnceOf {
  trial: TrialIdentity;
  dataset_root: string;
  attempt: number;
}

/** The completed trials of the newest sweeps. */
function* otherTrials(runsDir: string): Generator<Omit<Ran, "at_once"> & { atOnce: AtOnce }> {
  let numRows = 0;
  for (const sweep of sweepsIn(runsDir).slice(0, maxSweeps)) {
    const { rows, dataset_root } = contentOf(sweep);
    const atOnce = atOnceIn(sweep);
    for (const { trial, preset, attempt } of rows) {
      if (attempt === null) continue;
      yield { trial, keys: costKeys(trial, preset), dataset_root, attempt, atOnce };
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
  { trial, keys, dataset_root, attempt, at_once }: Ran,
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
      at_once,
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
