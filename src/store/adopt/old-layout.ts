import { check, findSchemaErrors } from "../../contract/check.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { StoredExperiment, TestLook, TrialOutcome, TrialSpec } from "../../contract/generated/types.ts";
import { trialId } from "../../contract/trial-id.ts";
import { withIdentityDefaults } from "../../contract/trial-identity.ts";
import { isTrialId } from "../trial-ids.ts";

/**
 * The files of cliprpn's first layout, and what they are now. There, a sweep was a folder `<name>-<hash>` with plan.json, which
 * contained a folder for each trial, named by an id of another form.
 */
export interface OldPlan {
  hash: string;
  experiment: StoredExperiment;
  trials: [OldTrial, ...OldTrial[]];
}

/** A trial by its old id, and its spec with today's id and values. */
export interface OldTrial {
  old_id: string;
  spec: TrialSpec;
}

/** @throws CliprpnError if the value is no plan of that layout. */
export function readOldPlan(value: unknown, where: string): OldPlan {
  const { name, hash, question, published, source, trials } = recordOf(value, where);
  if (typeof name !== "string" || typeof hash !== "string" || !Array.isArray(trials))
    throw invalid(where, "name, hash and trials", "other keys");
  const [first, ...others] = trials.map((trial, index) => upgradeTrial(trial, `${where}/trials/${index}`));
  if (first === undefined) throw invalid(where, "at least one trial", "none");
  const { id, name: dataset_name, split_by } = first.spec.dataset;
  const experiment = check(
    "StoredExperiment",
    {
      schema_version: 1,
      name,
      question,
      published,
      source,
      dataset: { id, name: dataset_name, split_by },
      keep_models: "all",
    },
    where,
  );
  return { hash, experiment, trials: [first, ...others] };
}

/** True for the sweep of a `train` command: one trial, by whose id the folder is named. */
export function isTrain({ hash, trials }: OldPlan): boolean {
  return trials.length === 1 && trials[0].old_id.startsWith(hash);
}

/** The outcome with today's keys and the trial's id of today; undefined if it is damaged. */
export function upgradeOutcome(value: unknown, trial_id: string): TrialOutcome | undefined {
  const outcome = { schema_version: 1, ...(isRecord(value) ? value : {}), trial_id };
  return findSchemaErrors("TrialOutcome", outcome).length === 0
    ? check("TrialOutcome", outcome, "an outcome")
    : undefined;
}

/** The JSON next to a model with today's keys; undefined if it has them already, or is damaged. */
export function upgradeModelFacts(value: unknown, where: string): object | undefined {
  if (!isRecord(value) || value.kind !== "cliprpn-model" || !("spec" in value)) return undefined;
  const spec = tryUpgrade(value.spec, where);
  if (spec?.kind !== "cliprpn") return undefined;
  const { kind, epoch, map_channels, pooled_dim, word_dim } = value;
  const { trial_id, seed, num_threads, backbone, settings } = spec;
  const { fusion } = settings;
  // The copy of its source next to the model.
  const stored =
    fusion.kind === "file" ? { ...fusion, file: `fusion.py:${fusion.file.split(":").at(-1)}` } : fusion;
  return {
    kind,
    schema_version: 1,
    trial_id,
    epoch,
    map_channels,
    pooled_dim,
    word_dim,
    seed,
    num_threads,
    backbone,
    settings: { ...settings, fusion: stored },
  };
}

/** A look at a test split, from a line of a journal of that layout. */
export function upgradeLook(line: unknown, sweep: string, { experiment, trials }: OldPlan): TestLook[] {
  if (!isRecord(line) || line.type !== "split_read" || !String(line.split).startsWith("test")) return [];
  const { at, split, command } = line;
  const { id, name } = experiment.dataset;
  const look = { dataset_id: id, dataset_name: name, split, command, sweep, num_trials: trials.length };
  const value = { schema_version: 1, at, ...look };
  return findSchemaErrors("TestLook", value).length === 0 ? [check("TestLook", value, "a look")] : [];
}

function tryUpgrade(value: unknown, where: string): TrialSpec | undefined {
  try {
    return upgradeTrial(value, where).spec;
  } catch (error) {
    if (error instanceof CliprpnError) return undefined;
    throw error;
  }
}

/** @throws CliprpnError if the spec cannot be read with the keys of today. */
function upgradeTrial(value: unknown, where: string): OldTrial {
  const old = recordOf(value, where);
  if (typeof old.trial_id !== "string" || !isTrialId(old.trial_id))
    throw invalid(where, "a trial_id", String(old.trial_id));
  const spec = check("TrialSpec", withIdentityDefaults(withNewValues(old)), where);
  return { old_id: old.trial_id, spec: { ...spec, trial_id: trialId(spec) } };
}

/** The word "picture" became "image". */
function withNewValues({ settings, baseline, ...spec }: Json): Json {
  return {
    ...spec,
    ...(settings === undefined ? {} : { settings: replaceValue(settings, "training", "batch_by") }),
    ...(baseline === undefined ? {} : { baseline: replaceValue(baseline, "detector", "kind") }),
  };
}

const newValues = new Map<unknown, string>([
  ["picture", "image"],
  ["whole_picture", "whole_image"],
]);

function replaceValue(parent: unknown, key: string, inner: string): unknown {
  const child = isRecord(parent) ? parent[key] : undefined;
  if (!isRecord(parent) || !isRecord(child)) return parent;
  const value = child[inner];
  return { ...parent, [key]: { ...child, [inner]: newValues.get(value) ?? value } };
}

type Json = Record<string, unknown>;

function recordOf(value: unknown, where: string): Json {
  if (isRecord(value)) return value;
  throw invalid(where, "a JSON object", "other content");
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(where: string, expected: string, found: string): CliprpnError {
  return new CliprpnError("bad_input", `${where}: expected ${expected}, found ${found}`);
}
