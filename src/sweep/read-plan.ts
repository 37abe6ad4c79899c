import { existsSync } from "node:fs";
import { normalize, resolve } from "node:path";
import { codeHashes } from "../contract/code-identity.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { Experiment } from "../contract/generated/types.ts";
import { type DatasetIdentity, identifyDataset } from "../dataset/identify-dataset.ts";
import { jointDataset } from "../dataset/joint.ts";
import { cacheDir } from "../environment/cache.ts";
import type { ReadExperiment, ReadOptions } from "../experiment/check-experiment.ts";
import { datasetNamed } from "../experiment/evaluation-rules.ts";
import { identifyBackbone } from "../experiment/identity.ts";
import { type Plan, planSweep } from "../experiment/plan.ts";
import { readExperiment } from "../experiment/read-experiment.ts";
import { packageRoot } from "../package-root.ts";
import { findModel, modelFile } from "../store/find-model.ts";
import { dataFolders } from "./datasets.ts";
import { experimentTargets, findSplits, isValOf } from "./evaluation-targets.ts";
import { currentCode } from "./locate-trial.ts";
import type { EvaluationTarget } from "./predict-on.ts";
import type { Context, RunContext } from "./run-context.ts";

/** The trials of a checked experiment and the dataset they use; nothing has started. */
export interface ReadPlan {
  experiment: Experiment;
  plan: Plan;
  dataset: DatasetIdentity;
  /** Other splits on which completed trials are evaluated. */
  targets: EvaluationTarget[];
}

/**
 * The plan of an experiment file.
 *
 * @param sets changes to its keys, as `--set` takes them.
 * @throws CliprpnError bad_input.
 */
export async function readPlan(file: string, sets: string[], run: RunContext): Promise<ReadPlan> {
  return planOf(readExperiment(experimentFile(file, run), sets, run.cwd, readOptions(run)), run);
}

/** Options for checking an experiment: folders of datasets, weights and models, and whether .pt files are trusted. */
export function readOptions(run: RunContext): ReadOptions {
  return {
    data: dataFolders(run).data,
    weights: run.env.CLIPRPN_WEIGHTS,
    trustWeights: run.trustWeights,
    findSplits: (choice) => findSplits(choice, run),
    findModel: (name) => modelFile(findModel(name, run, currentCode)),
  };
}

export async function planOf(read: ReadExperiment, run: RunContext): Promise<ReadPlan> {
  const cache_dir = cacheDir(run.env);
  const named = await experimentTargets(read.experiment, run);
  const dataset = await trainingSet(read.experiment, named, run);
  // A joint training set has the val split of the experiment's dataset, on which every trial is evaluated anyway.
  const targets = named.filter((target) => !isValOf(dataset, target));
  const backbone = await identifyBackbone(read.experiment.backbone ?? {});
  const facts = { dataset, backbone, sources_sha256: codeHashes(), device: "cpu", cache_dir };
  return { experiment: read.experiment, plan: planSweep(read, facts), dataset, targets };
}

/** The experiment's dataset, or the joint training set of `train_on`. */
async function trainingSet(
  { dataset = {}, train_on }: Experiment,
  targets: readonly EvaluationTarget[],
  run: RunContext,
): Promise<DatasetIdentity> {
  const folders = dataFolders(run);
  const own = await identifyDataset(dataset, folders);
  if (train_on === undefined) return own;
  const parts: DatasetIdentity[] = [];
  for (const name of train_on) {
    const part = await identifyDataset(
      datasetNamed(name, dataset, { cwd: run.cwd, data: folders.data }),
      folders,
    );
    if (parts.some(({ id }) => id === part.id))
      throw new CliprpnError("bad_input", `train_on: expected each dataset once, found ${part.name} again`);
    parts.push(part);
  }
  return jointDataset(parts, own, targets, folders);
}

/** The experiment file as typed; a missing `experiments/...` is replaced by the shipped experiment of that name. */
function experimentFile(typed: string, { cwd, terminal }: Context): string {
  const shipped = resolve(packageRoot, typed);
  const isShippedName = normalize(typed).startsWith("experiments/");
  if (existsSync(resolve(cwd, typed)) || !isShippedName || !existsSync(shipped)) return typed;
  terminal.info(`${typed} does not exist here; using the experiment shipped with cliprpn: ${shipped}`);
  return shipped;
}
