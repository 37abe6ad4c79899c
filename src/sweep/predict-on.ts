import type {
  CompletedOutcome,
  EvaluateResult,
  Split,
  TrialDataset,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import type { ImageSize } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir } from "../environment/cache.ts";
import { imageSizeOf } from "../store/model-facts.ts";
import { neededModel } from "../store/needed-model.ts";
import { hasPredictions, predictionsFile, readMetrics } from "../store/predictions.ts";
import { isTest, recordLook } from "../store/test-looks.ts";
import type { TrialStore } from "../store/trial-store.ts";
import { ensureDataset } from "./datasets.ts";
import { distinctSizes, imageSizeFor } from "./image-sizes.ts";
import type { Context } from "./run-context.ts";
import { liveEvent } from "./view/phases.ts";

/** A completed trial, with the attempt that counts. */
export interface CompletedAttempt {
  spec: TrialSpec;
  outcome: CompletedOutcome;
  trial: TrialStore;
  attempt: number;
}

/** A split to evaluate on, of the trials' own dataset or of another one. */
export interface EvaluationTarget {
  dataset: DatasetIdentity;
  split: Split;
}

/** A split that answers are for; its dataset may be gone. */
export interface AnsweredSplit {
  dataset: Pick<TrialDataset, "id">;
  split: Split;
}

/** Where and for what answers are computed. */
export interface PredictOptions {
  /** Named in the looks at test; null if no sweep asks for the answers. */
  sweepName: string | null;
  runsDir: string;
  engine: Engine;
  context: Context;
  /** Targets at which this command has recorded a look. */
  looked?: readonly EvaluationTarget[];
}

/**
 * Evaluates the trials on the targets on which they have no answers yet. All models are found before the first one is evaluated;
 * new answers on a test split are a look at it, one for each target, recorded before.
 *
 * @returns how many evaluations ran.
 * @throws CliprpnError not_found if a trial has neither answers nor a model; data_invalid; interrupted.
 */
export async function predictOn(
  trials: readonly CompletedAttempt[],
  targets: readonly EvaluationTarget[],
  options: PredictOptions,
): Promise<number> {
  const missing = targets.map((target) => ({
    target,
    trials: trials
      .filter((trial) => !hasAnswersOn(trial, target))
      .map((trial) => ({
        trial,
        model: trial.spec.kind === "baseline" ? null : neededModel(trial.trial, trial.attempt),
      })),
  }));
  for (const { target, trials } of missing) if (trials.length > 0) await predictAll(trials, target, options);
  return missing.reduce((sum, each) => sum + each.trials.length, 0);
}

/** Folder of a trial's answers on a split, existing or not. */
export function answersDir(
  { spec, trial, attempt }: Pick<CompletedAttempt, "spec" | "trial" | "attempt">,
  { dataset, split }: AnsweredSplit,
): string {
  return trial.answersFolder(attempt, split, dataset.id === spec.dataset.id ? undefined : dataset.id);
}

export function hasAnswersOn(trial: CompletedAttempt, target: EvaluationTarget): boolean {
  return hasPredictions(answersDir(trial, target), target.split);
}

/** NAME:SPLIT, such as `refcoco-unc:testA`. */
export function targetName({ dataset, split }: EvaluationTarget): string {
  return `${dataset.name}:${split}`;
}

/** A model to evaluate, and where its answers go. */
export interface EvaluatedModel {
  /** The trial; null for a model file that no trial trained here. */
  spec: TrialSpec | null;
  /** Null for a baseline. */
  model: string | null;
  out_dir: string;
}

/** Evaluates one model. @param target its dataset is prepared; null for that of the trial, with its limits. */
export async function evaluateOn(
  { spec, model, out_dir }: EvaluatedModel,
  { dataset, split }: { dataset: TrialDataset | null; split: Split },
  { engine, context }: Pick<PredictOptions, "engine" | "context">,
  label = "",
): Promise<EvaluateResult> {
  const { env, terminal, signal } = context;
  const cache_dir = cacheDir(env);
  const params = {
    spec: spec === null ? null : { ...spec, cache_dir },
    model,
    split,
    dataset: dataset === null ? null : datasetOf(dataset),
    out_dir,
    cache_dir,
  };
  return engine.call("evaluate", params, { signal, onEvent: liveEvent(terminal, label) });
}

/** The image size that a model needs. */
export function neededSize({ spec, model }: Pick<EvaluatedModel, "spec" | "model">): ImageSize {
  return model === null && spec !== null ? imageSizeFor(spec) : imageSizeOf(model ?? "");
}

/** Records new answers on a test split, before their figures are known. */
export function recordTargetLook(
  { dataset: { id, name }, split }: { dataset: Pick<TrialDataset, "id" | "name">; split: Split },
  num_trials: number,
  { sweepName, runsDir, context }: Pick<PredictOptions, "sweepName" | "runsDir" | "context">,
): void {
  if (!isTest(split)) return;
  const command = context.commandLine;
  recordLook(runsDir, { dataset_id: id, dataset_name: name, split, command, sweep: sweepName, num_trials });
}

export function datasetOf({ id, name, root, split_by }: TrialDataset): TrialDataset {
  return { id, name, root, split_by };
}

/** A trial's metrics on a split where it has answers. */
export async function resultOn(
  trial: CompletedAttempt,
  target: EvaluationTarget,
  options: Pick<PredictOptions, "engine" | "context">,
): Promise<EvaluateResult> {
  const folder = answersDir(trial, target);
  const metrics = readMetrics(folder, target.split);
  if (metrics !== undefined) return { metrics, predictions_file: predictionsFile(folder, target.split) };
  // A process was killed between the answers and their metrics.
  const model = trial.spec.kind === "baseline" ? null : neededModel(trial.trial, trial.attempt);
  return evaluateTrial(trial, model, target, options);
}

async function predictAll(
  trials: readonly { trial: CompletedAttempt; model: string | null }[],
  target: EvaluationTarget,
  options: PredictOptions,
): Promise<void> {
  const { engine, context } = options;
  // A trial's own dataset was prepared for it; its images may be gone by now.
  const others = trials.filter(({ trial }) => trial.spec.dataset.id !== target.dataset.id);
  if (others.length > 0)
    await ensureDataset(
      target.dataset,
      distinctSizes(others.map(({ trial }) => trial.spec)),
      engine,
      context,
    );
  if (!options.looked?.includes(target)) recordTargetLook(target, trials.length, options);
  for (const [index, { trial, model }] of trials.entries()) {
    const label = `${targetName(target)}, trial ${index + 1} of ${trials.length}: `;
    await evaluateTrial(trial, model, target, options, label);
  }
  context.terminal.liveDone();
}

function evaluateTrial(
  trial: CompletedAttempt,
  model: string | null,
  { dataset, split }: EvaluationTarget,
  options: Pick<PredictOptions, "engine" | "context">,
  label = "",
): Promise<EvaluateResult> {
  const { spec } = trial;
  const isOwn = spec.dataset.id === dataset.id;
  const out_dir = answersDir(trial, { dataset, split });
  const { root } = dataset; // Where the trial's own dataset lies now.
  return isOwn
    ? evaluateOn(
        { spec: { ...spec, dataset: { ...spec.dataset, root } }, model, out_dir },
        { dataset: null, split },
        options,
        label,
      )
    : evaluateOn({ spec, model, out_dir }, { dataset, split }, options, label);
}
