import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { joinWords } from "../../base/format.ts";
import type { Split, TrialSpec } from "../../contract/generated/types.ts";
import { type DatasetIdentity, refcocoSource } from "../../dataset/identify-dataset.ts";
import { describeJoint, type JointDataset } from "../../dataset/joint.ts";
import { joinParams } from "../../dataset/prepare/prepare-joint.ts";
import type { Engine } from "../../engine/engine.ts";
import { cacheDir } from "../../environment/cache.ts";
import { isReadyToRun } from "../../environment/is-ready.ts";
import { neededExtras } from "../../experiment/detectors.ts";
import { slotsFor, slotsOnCpu } from "../choose-slots.ts";
import { isUnprepared } from "../datasets.ts";
import { trainingDevice } from "../machines/training-device.ts";
import { openEngine } from "../open-engine.ts";
import { warnOfSharedImages } from "../prepare/prepare-targets.ts";
import { checkCudaGraphs, checkFusions, checkSplits, openDetector } from "../prepare/prepare-trials.ts";
import type { ReadPlan } from "../read-plan.ts";
import type { RunContext } from "../run-context.ts";
import { mayHaveGpu, type PythonNeeds, pythonNeeds } from "./python-needs.ts";

/** Has Python check what only it can. @returns the device of each slot; none if it is not known without Python. */
export async function checkPython(
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
