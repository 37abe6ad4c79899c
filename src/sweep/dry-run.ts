import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { counted, joinWords } from "../base/format.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { BaselineSpec, Split, TrialSpec } from "../contract/generated/types.ts";
import { type DatasetIdentity, refcocoSource } from "../dataset/identify-dataset.ts";
import { datasetsOf, describeJoint, type JointDataset } from "../dataset/joint.ts";
import { joinParams } from "../dataset/prepare/prepare-joint.ts";
import { isPrepared, readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir } from "../environment/cache.ts";
import { isReadyToRun } from "../environment/is-ready.ts";
import { neededExtras } from "../experiment/detectors.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { isTest } from "../store/test-looks.ts";
import { adviseOnIdleCores, slotsFor, slotsOnCpu } from "./choose-slots.ts";
import { isUnprepared, warnOfData } from "./datasets.ts";
import { describePrecision } from "./describe-precision.ts";
import { spaceAdvice, spaceError } from "./estimate/disk-need.ts";
import { estimateSweep } from "./estimate/estimate-sweep.ts";
import { planText } from "./estimate/plan-text.ts";
import { type PlannedTrial, plannedTrials } from "./estimate/planned-trials.ts";
import { checkFormerThreads } from "./former-threads.ts";
import { checkRay, raySlots } from "./machines/ray-place.ts";
import { checkSlurm, slurmSlots, tellScript } from "./machines/slurm-place.ts";
import { trainingDevice } from "./machines/training-device.ts";
import { openEngine } from "./open-engine.ts";
import { targetName } from "./predict-on.ts";
import { warnOfSharedImages } from "./prepare/prepare-targets.ts";
import {
  checkCudaGraphs,
  checkFusions,
  checkSplits,
  openDetector,
  trains,
} from "./prepare/prepare-trials.ts";
import type { ReadPlan } from "./read-plan.ts";
import { acceptedNext, describeStale, sortTrials, trialStatuses } from "./resume.ts";
import { isElsewhere, type RunContext } from "./run-context.ts";
import { checkSweep } from "./run-sweep.ts";

/**
 * Checks what a run would check before its first trial: the sweep's folder, the dataset's splits, fusions, detectors and device.
 * Then prints the plan, what is done, and what the rest takes. Nothing is prepared, trained, installed or written below the runs
 * folder. What was left out is told.
 *
 * @param preflight the command that measures what is not known.
 * @throws CliprpnError that the run would throw; after the plan if stale trials or the disk are the reason.
 */
export async function dryRun(read: ReadPlan, run: RunContext, preflight: string): Promise<void> {
  const { plan, dataset, targets } = read;
  const { terminal, runsDir } = run;
  const store = new SweepStore(runsDir, plan.name);
  checkSweep(store, read);
  const statuses = trialStatuses(store, plan.trials, acceptedNext);
  const { waiting, stale } = sortTrials(plan.trials, statuses, run);
  const told = describeStale(stale, waiting.length, runsDir, run);
  if (told !== undefined && "text" in told) terminal[told.as](told.text);
  checkFormerThreads(read.experiment, plan.trials, waiting, store.runsDir);
  if (run.engine === "slurm" && waiting.length > 0) await tellSlurm(store, run);
  if (run.engine === "ray" && waiting.length > 0) await tellRay(waiting, run);
  const isReady = isPrepared(dataset.root);
  if (isReady) {
    checkSplits(dataset.root, splitsOf(dataset), plan.trials);
    warnOfData(dataset, terminal);
    const { joint } = readFacts(dataset.root);
    if (joint != null) terminal.info(describeJoint(joint));
  }
  const precision = describePrecision(waiting, trainingDevice(run) ?? run.device);
  if (precision !== undefined) terminal.info(precision);
  if (targets.length > 0)
    terminal.info(
      `Every completed trial will be evaluated on ${joinWords(targets.map(targetName))}${targets.some(({ split }) => isTest(split)) ? ", which is a look at the test splits" : ""}.`,
    );
  if (isUnprepared(dataset) && unpreparedParts(dataset).length > 0)
    terminal.info(
      `Not counted: the images to leave out of training. Datasets that are prepared on first use: ${unpreparedParts(dataset).join(", ")}.`,
    );
  const here = await checkPython(waiting, read, run);
  const slots = isElsewhere(run) ? slotsElsewhere(waiting, run) : here;
  const advice = adviseOnIdleCores(slots, waiting, plan.trials, run);
  if (advice !== undefined) terminal.info(advice);
  const planned = plannedTrials(store, plan.trials, waiting, statuses);
  const place = { runsDir, slots, isElsewhere: isElsewhere(run) };
  const estimate = await estimateSweep({ read, planned, statuses, ...place });
  terminal.result(
    run.json
      ? JSON.stringify({ ...plan, states: planned.map(stateOf), estimate }, null, 2)
      : planText({ plan, planned, estimate, slots, preflight }),
  );
  if (run.engine === "slurm" && !run.json && waiting.length > 0) await tellScript(waiting, store, run);
  if (told !== undefined && "error" in told) throw told.error;
  const full = spaceError(estimate.disk, spaceAdvice(plan.keep_models === "all"));
  if (full !== undefined) throw full;
}

/** The script can be read on a machine without SLURM, too. @throws CliprpnError bad_input. */
async function tellSlurm(store: SweepStore, run: RunContext): Promise<void> {
  try {
    await checkSlurm(store, run);
  } catch (error) {
    if (!(error instanceof CliprpnError && error.code === "environment_broken")) throw error;
    run.terminal.warn(`not checked by SLURM: ${error.message}`);
  }
}

/** Nothing is installed for it. @throws CliprpnError bad_input. */
async function tellRay(waiting: readonly TrialSpec[], run: RunContext): Promise<void> {
  if (run.ray?.python === undefined && !isReadyToRun(run, ["ray"])) {
    run.terminal.info(
      "Not checked: the Ray cluster, since Ray is missing here; run `cliprpn setup --extra ray`",
    );
    return;
  }
  try {
    run.terminal.info(await checkRay(waiting, run));
  } catch (error) {
    if (!(error instanceof CliprpnError && error.code === "environment_broken")) throw error;
    run.terminal.warn(error.message);
  }
}

/** Of workers that join, nobody knows how many there will be. */
function slotsElsewhere(waiting: readonly TrialSpec[], run: RunContext): string[] {
  if (waiting.length === 0) return [];
  return run.engine === "slurm"
    ? slurmSlots(waiting, run)
    : run.engine === "ray"
      ? raySlots(waiting, run)
      : [];
}

function stateOf({ spec: { trial_id }, ...state }: PlannedTrial): object {
  return { trial_id, ...state };
}

/** Has Python check what only it can. @returns the device of each slot; none if it is not known without Python. */
async function checkPython(
  waiting: readonly TrialSpec[],
  read: ReadPlan,
  run: RunContext,
): Promise<string[]> {
  const slots = mayHaveGpu(run) ? [] : slotsOnCpu(waiting, run);
  const needs = pythonNeeds(waiting, read, run);
  if (needs.all.length === 0) return waiting.length === 0 ? [] : slots;
  if (isReadyToRun(run, neededExtras(needs.detectors))) return checkWithPython(read, needs, run);
  run.terminal.info(
    `Not checked: ${joinWords(needs.all)}, since packages of Python are missing here; run \`cliprpn setup\``,
  );
  return slots;
}

/** False if trials run on the CPU for sure, which needs no Python to tell. */
function mayHaveGpu({ device, devices }: Pick<RunContext, "device" | "devices">): boolean {
  if (devices !== undefined || !["auto", "cpu"].includes(device)) return true;
  if (device === "cpu") return false;
  return process.platform === "darwin" || gpuFiles.some((file) => existsSync(file));
}

/** Of the drivers of NVIDIA (also in WSL) and AMD. */
const gpuFiles = ["/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd"];

/** What only Python can check. */
interface PythonNeeds {
  waiting: readonly TrialSpec[];
  /** Trials with a fusion, or weights of CLIP, from a file. */
  models: TrialSpec[];
  /** A trial of each detector that has to be opened. */
  detectors: BaselineSpec[];
  hasRawDataset: boolean;
  /** True if the images to train on can be compared with those of other datasets to evaluate on. */
  hasImages: boolean;
  /** True if the images to leave out of a joint training set can be counted. */
  hasJoint: boolean;
  /** All of it, in words. */
  all: string[];
}

function pythonNeeds(
  waiting: readonly TrialSpec[],
  { dataset, targets }: ReadPlan,
  run: RunContext,
): PythonNeeds {
  const models = waiting.filter(
    (spec) =>
      spec.kind === "cliprpn" &&
      (spec.settings.fusion.kind === "file" ||
        !["shipped", "openai"].includes(spec.backbone.weights) ||
        (spec.settings.training.precision === "bf16" && run.device !== "cpu")),
  );
  const isPreparedHere = isPrepared(dataset.root);
  const detectors = isPreparedHere ? detectorsToOpen(waiting) : [];
  const hasRawDataset = !isPreparedHere && dataset.raw !== undefined && dataset.demo === undefined;
  const others = targets.filter((target) => target.dataset.id !== dataset.id);
  const hasImages =
    others.length > 0 &&
    dataset.joint === undefined &&
    waiting.some(trains) &&
    [{ dataset }, ...others].every((each) => isPrepared(each.dataset.root));
  const hasJoint = isUnprepared(dataset) && unpreparedParts(dataset).length === 0;
  const usesDevice =
    (waiting.length > 0 && mayHaveGpu(run)) ||
    waiting.some((spec) => spec.kind === "cliprpn" && spec.settings.training.cuda_graphs);
  const all = [
    ...(hasRawDataset ? ["the splits of the dataset"] : []),
    ...(models.length > 0 ? ["the fusions"] : []),
    ...(detectors.length > 0 ? [counted(detectors.length, "detector")] : []),
    ...(hasJoint ? ["the images that are trained and evaluated on"] : []),
    ...(hasImages ? ["images that are trained and evaluated on"] : []),
    ...(usesDevice ? [`the device ${run.device}`] : []),
  ];
  return { waiting, models, detectors, hasRawDataset, hasImages, hasJoint, all };
}

/** A YOLO to train may not exist yet; annotations need no opening. */
function detectorsToOpen(waiting: readonly TrialSpec[]): BaselineSpec[] {
  const specs = waiting.flatMap((spec) => (spec.kind === "baseline" ? [spec] : []));
  const opened = specs.filter(
    ({ baseline: { detector } }) => !["trained_yolo", "gt_boxes", "whole_image"].includes(detector.kind),
  );
  return [...new Map(opened.map((spec) => [JSON.stringify(spec.baseline.detector), spec])).values()];
}

async function checkWithPython(
  { plan, dataset, targets }: ReadPlan,
  { waiting, models, detectors, hasRawDataset, hasImages, hasJoint, all }: PythonNeeds,
  run: RunContext,
): Promise<string[]> {
  const engine = await openEngine(run, plan.trials, neededExtras(detectors));
  let slots: string[] = [];
  try {
    run.terminal.live([`checking ${joinWords(all)}`]);
    const device = await engine.device();
    const trainsOn = trainingDevice(run);
    checkCudaGraphs(
      waiting.map((spec) => ({ ...spec, device })),
      trainsOn,
    );
    if (hasRawDataset) checkSplits(dataset.raw ?? "", await rawSplits(dataset, engine, run), plan.trials);
    await checkFusions(
      engine,
      models.map((spec) => ({ ...spec, device })),
      trainsOn,
    );
    if (isUnprepared(dataset) && hasJoint) await countJoint(dataset, engine, run);
    if (hasImages) await warnOfSharedImages(dataset, targets, engine, run);
    for (const spec of detectors) await openDetector({ ...spec, device }, engine, run);
    if (waiting.length > 0) slots = await slotsFor(waiting, engine, run);
  } finally {
    run.terminal.liveDone();
    await engine.close();
  }
  run.terminal.info(`Checked ${joinWords(all)}.`);
  return slots;
}

/** Names of the datasets of a joint training set that are prepared on first use. */
function unpreparedParts({ joint }: JointDataset): string[] {
  return datasetsOf(joint).flatMap(({ root, name }) => (isPrepared(root) ? [] : [name]));
}

/** Counts what is left out of a joint training set; nothing is written. */
async function countJoint(
  dataset: JointDataset,
  engine: Engine,
  { terminal, signal, env }: RunContext,
): Promise<void> {
  const { parts, val } = dataset.joint;
  const params = joinParams(dataset, null, cacheDir(env));
  const { orientation: _, ...counts } = await engine.call("join_datasets", params, { signal });
  terminal.info(describeJoint({ parts, val, ...counts }));
}

function splitsOf({ root }: DatasetIdentity): Split[] {
  return readFacts(root).splits.map(({ split }) => split);
}

/** The splits of a folder in RefCOCOg's layout that is not prepared yet. */
async function rawSplits(
  { raw = "", split_by }: DatasetIdentity,
  engine: Engine,
  { signal }: RunContext,
): Promise<Split[]> {
  const folder = await mkdtemp(join(tmpdir(), "cliprpn-dry-run-"));
  try {
    const out_file = join(folder, "pictures.json");
    const source = refcocoSource(raw, split_by);
    const { splits } = await engine.call("read_annotations", { source, out_file }, { signal });
    return splits.map(({ split }) => split);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
