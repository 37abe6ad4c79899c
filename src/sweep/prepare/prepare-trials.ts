import { CliprpnError } from "../../contract/errors.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  Split,
  TrainedYoloDetector,
  TrialSpec,
} from "../../contract/generated/types.ts";
import type { DatasetIdentity } from "../../dataset/identify-dataset.ts";
import { describeJoint } from "../../dataset/joint.ts";
import { readFacts } from "../../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../../engine/engine.ts";
import { ensureDataset, warnOfData } from "../datasets.ts";
import { distinctSizes } from "../image-sizes.ts";
import { trainingDevice } from "../machines/training-device.ts";
import { openEngine } from "../open-engine.ts";
import type { EvaluationTarget } from "../predict-on.ts";
import type { RunContext } from "../run-context.ts";
import { liveEvent } from "../view/phases.ts";
import { prepareTargets, warnOfSharedImages } from "./prepare-targets.ts";

/**
 * Prepares the dataset and checks whatever would fail a trial, before the first one starts: weights, fusions, splits, detectors.
 * Trains the detectors that a trial asks for and that are not trained yet.
 *
 * @param waiting the trials that have to run.
 * @param targets other splits on which the trials are evaluated later.
 * @returns the size of one saved model of each waiting trial that trains one, in bytes, by trial id.
 * @throws CliprpnError data_invalid, bad_input, weights_missing, ...
 */
export async function prepareTrials(
  trials: readonly TrialSpec[],
  waiting: readonly TrialSpec[],
  dataset: DatasetIdentity,
  engine: Engine,
  run: RunContext,
  targets: readonly EvaluationTarget[] = [],
): Promise<Map<string, number>> {
  const trainsOn = trainingDevice(run);
  checkCudaGraphs(waiting, trainsOn);
  // First: wrong weights should not be found after hours of decoding images.
  run.terminal.live(["checking the weights and fusions"]);
  const checkpoints = await checkFusions(engine, waiting, trainsOn);
  const sizes = distinctSizes(trials);
  await ensureDataset(dataset, sizes, engine, run);
  const { root } = dataset;
  checkSplits(
    root,
    readFacts(root).splits.map(({ split }) => split),
    trials,
  );
  warnOfData(dataset, run.terminal);
  await prepareTargets(targets, sizes, engine, run);
  const { joint } = readFacts(root);
  if (joint != null) run.terminal.info(describeJoint(joint));
  if (waiting.some(trains)) await warnOfSharedImages(dataset, targets, engine, run);
  await prepareDetectors(waiting, engine, run);
  return checkpoints;
}

/**
 * @param where the dataset's folder.
 * @param existing its splits that have expressions.
 * @throws CliprpnError data_invalid if a split to train on, or to choose by, is empty.
 */
export function checkSplits(where: string, existing: readonly Split[], trials: readonly TrialSpec[]): void {
  const needed = trials.some(trains) ? (["train", "val"] as const) : (["val"] as const);
  const missing = needed.filter((split) => !existing.includes(split));
  if (missing.length > 0)
    throw new CliprpnError(
      "data_invalid",
      `${where}: expected expressions in ${needed.join(" and ")}, found none in ${missing.join(" and ")}; prepare the dataset with other splits`,
    );
}

/**
 * @param trainsOn as `trainingDevice`.
 * @throws CliprpnError bad_input if a trial's steps cannot be CUDA graphs, since its device is another one.
 */
export function checkCudaGraphs(trials: readonly TrialSpec[], trainsOn?: string | null): void {
  if (trainsOn === null) return; // Each worker checks its own.
  const found = trials.find(
    (spec) =>
      spec.kind === "cliprpn" &&
      spec.settings.training.cuda_graphs &&
      !(trainsOn ?? spec.device).startsWith("cuda"),
  );
  if (found !== undefined)
    throw new CliprpnError(
      "bad_input",
      `training.cuda_graphs: expected a CUDA device, found ${trainsOn ?? found.device}; choose --device cuda, or set training.cuda_graphs to false`,
    );
}

/** True if a trial learns from the train split. */
export function trains(spec: TrialSpec): boolean {
  return spec.kind === "cliprpn" || spec.baseline.detector.kind === "trained_yolo";
}

/**
 * @param trainsOn as `trainingDevice`.
 * @returns the size of one saved model of each trial that trains one, in bytes, by trial id.
 * @throws CliprpnError bad_input, fusion_invalid, weights_*.
 */
export async function checkFusions(
  engine: Engine,
  trials: readonly TrialSpec[],
  trainsOn?: string | null,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const checkpoints = new Map<string, number>();
  for (const spec of trials.filter(isClipRpn)) {
    const { fusion, neck_channels, training } = spec.settings;
    // Not every device trains with every precision.
    const key = JSON.stringify([fusion, neck_channels, training.precision]);
    const bytes = sizes.get(key) ?? (await checkFusion(engine, spec, trainsOn)).checkpoint_bytes;
    sizes.set(key, bytes);
    checkpoints.set(spec.trial_id, bytes);
  }
  return checkpoints;
}

/** @throws CliprpnError fusion_invalid, also if the fusion ends Python. */
async function checkFusion(
  engine: Engine,
  spec: ClipRpnSpec,
  trainsOn: string | null | undefined,
): Promise<{ checkpoint_bytes: number }> {
  try {
    return await engine.call("check_fusion", {
      spec,
      ...(trainsOn === undefined ? {} : { trains_on: trainsOn }),
    });
  } catch (error) {
    const { fusion } = spec.settings;
    if (!(error instanceof CliprpnError && error.code === "worker_died" && fusion.kind === "file"))
      throw error;
    const message = error.message.includes(fusion.file.replace(/:[^:]*$/, ":"))
      ? error.message
      : `${fusion.file}: ${error.message}`;
    throw new CliprpnError("fusion_invalid", message, { cause: error });
  }
}

async function prepareDetectors(
  trials: readonly TrialSpec[],
  engine: Engine,
  run: RunContext,
): Promise<void> {
  const baselines = trials.filter(isBaseline);
  const distinct = new Map(baselines.map((spec) => [JSON.stringify(spec.baseline.detector), spec]));
  for (const spec of distinct.values()) {
    const { dataset, cache_dir, baseline } = spec;
    const { detector } = baseline;
    if (detector.kind !== "trained_yolo") await openDetector(spec, engine, run);
    else
      await openDetector(spec, engine, run).catch(async (error) => {
        if (!(error instanceof CliprpnError && error.code === "weights_missing")) throw error;
        await trainDetector({ detector, dataset, cache_dir }, run);
        await openDetector(spec, engine, run);
      });
  }
}

/** @throws CliprpnError weights_*, data_invalid, not_found, package_missing. */
export async function openDetector(spec: BaselineSpec, engine: Engine, run: RunContext): Promise<void> {
  run.terminal.live(["opening the detectors"]);
  const { dataset, cache_dir, baseline } = spec;
  await engine.call(
    "check_detector",
    { settings: baseline, dataset, cache_dir },
    { onEvent: liveEvent(run.terminal) },
  );
}

type DetectorTraining = { detector: TrainedYoloDetector } & Pick<BaselineSpec, "dataset" | "cache_dir">;

/** Trains in a separate process, so that the one that runs trials keeps none of its state. */
async function trainDetector(training: DetectorTraining, run: RunContext): Promise<void> {
  const { terminal, signal } = run;
  const { architecture, num_epochs } = training.detector;
  terminal.info(
    `Training a small YOLO (${architecture}, ${num_epochs} epochs) on the boxes of ${training.dataset.name}'s train split (only once).`,
  );
  const engine = await openEngine(run, [], ["yolo"]);
  try {
    await engine.call("train_detector", training, { signal, onEvent: liveEvent(terminal) });
  } finally {
    terminal.liveDone();
    await engine.close();
  }
}

function isClipRpn(spec: TrialSpec): spec is ClipRpnSpec {
  return spec.kind === "cliprpn";
}

function isBaseline(spec: TrialSpec): spec is BaselineSpec {
  return spec.kind === "baseline";
}
