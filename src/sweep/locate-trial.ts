import { join } from "node:path";
import { codeHashes } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { TrialDataset, TrialIdentity, TrialPlaces, TrialSpec } from "../contract/generated/types.ts";
import { findDatasetById } from "../dataset/identify-dataset.ts";
import { cacheDir } from "../environment/cache.ts";
import { composeSpec } from "../store/compose-spec.ts";
import { sweepsIn } from "../store/sweeps.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { dataFolders } from "./datasets.ts";
import type { Context } from "./run-context.ts";

/**
 * The full spec of a trial: where its data, weights and detectors lie, from the newest sweep that asks for it.
 *
 * @throws CliprpnError not_found if it has no spec.json.
 */
export function specOf(trial: TrialStore): TrialSpec {
  for (const sweep of sweepsIn(trial.runsDir)) {
    const spec = sweep.specOf(trial.trial_id);
    if (spec !== undefined) return spec;
  }
  const identity = trial.identity();
  if (identity === undefined)
    throw new CliprpnError("not_found", `${trial.folder}: expected a trial, found no spec.json`);
  const { kind, trial_id, backbone, dataset } = identity;
  // The folders are replaced by `locateTrials`.
  const places = unknownPlaces(dataset.id, backbone, trial.folder, trial.folder);
  return composeSpec(
    identity,
    { label: trial_id.slice(0, 8), preset: null, seed: kind === "cliprpn" ? identity.seed : 0 },
    places,
    { sources_sha256: codeHashes()[kind], fusion_source: trial.fusionFile },
  );
}

/**
 * Where the trials of an imported sweep run and find their files on this machine. A dataset that is not here yet is expected in the
 * data folder.
 */
export function placesHere(
  dataset: Pick<TrialDataset, "id" | "name">,
  backbone: TrialIdentity["backbone"],
  context: Context,
): TrialPlaces {
  const folders = dataFolders(context);
  const expected = join(folders.data, dataset.name);
  const root = findDatasetById({ id: dataset.id, root: expected }, folders) ?? expected;
  return unknownPlaces(dataset.name, backbone, root, cacheDir(context.env));
}

function unknownPlaces(
  dataset_name: string,
  backbone: TrialIdentity["backbone"],
  dataset_root: string,
  cache_dir: string,
): TrialPlaces {
  return {
    schema_version: 1,
    device: "cpu",
    cache_dir,
    dataset_root,
    dataset_name,
    backbone_weights: backbone.name === "cliprpn-tiny" ? "shipped" : backbone.weights_id,
    detector_files: {},
  };
}

/** Hash of the current code for a trial's kind. */
export function currentCode(trial: TrialStore): string {
  return codeHashes()[trial.identity()?.kind ?? "cliprpn"];
}

/**
 * The trials with the folder in which their dataset lies now: the recorded one, or one of the data folders.
 *
 * @throws CliprpnError not_found if it lies in none of them.
 */
export function locateTrials<Trial extends { spec: TrialSpec }>(
  trials: readonly Trial[],
  context: Context,
): Trial[] {
  const located = new Map<string, TrialDataset>();
  const cache_dir = cacheDir(context.env);
  return trials.map((trial) => {
    const { dataset } = trial.spec;
    const key = `${dataset.id} ${dataset.root}`;
    const found = located.get(key) ?? locateDataset(dataset, context);
    located.set(key, found);
    return { ...trial, spec: { ...trial.spec, dataset: found, cache_dir } };
  });
}

function locateDataset(dataset: TrialDataset, context: Context): TrialDataset {
  const folders = dataFolders(context);
  const root = findDatasetById(dataset, folders);
  if (root !== undefined) return { ...dataset, root };
  throw new CliprpnError(
    "not_found",
    `${dataset.root}: expected the dataset ${dataset.name} (${dataset.id}), found it neither there nor in ${folders.data} or ${folders.cache}; prepare it again, or set CLIPRPN_DATA to the folder that contains it`,
  );
}
