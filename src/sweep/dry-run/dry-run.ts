import { joinWords } from "../../base/format.ts";
import type { Split } from "../../contract/generated/types.ts";
import type { DatasetIdentity } from "../../dataset/identify-dataset.ts";
import { describeJoint } from "../../dataset/joint.ts";
import { isPrepared, readFacts } from "../../dataset/prepare/prepared-folder.ts";
import { SweepStore } from "../../store/sweep-store.ts";
import { isTest } from "../../store/test-looks.ts";
import { adviseOnIdleCores } from "../choose-slots.ts";
import { isUnprepared, unpreparedParts, warnOfData } from "../datasets.ts";
import { describePrecision } from "../describe-precision.ts";
import { spaceAdvice, spaceError } from "../estimate/disk-need.ts";
import { estimateSweep } from "../estimate/estimate-sweep.ts";
import { planText } from "../estimate/plan-text.ts";
import { type PlannedTrial, plannedTrials } from "../estimate/planned-trials.ts";
import { checkFormerThreads } from "../former-threads.ts";
import { tellScript } from "../machines/slurm-place.ts";
import { trainingDevice } from "../machines/training-device.ts";
import { targetName } from "../predict-on.ts";
import { checkSplits } from "../prepare/prepare-trials.ts";
import type { ReadPlan } from "../read-plan.ts";
import { acceptedNext, describeStale, sortTrials, trialStatuses } from "../resume.ts";
import { isElsewhere, type RunContext } from "../run-context.ts";
import { checkSweep } from "../start/check-sweep.ts";
import { refusalOfSlurm, slotsElsewhere, tellRay } from "./check-cluster.ts";
import { checkPython } from "./check-with-python.ts";

/**
 * Checks what a run would check before its first trial: the sweep's folder, the dataset's splits, fusions, detectors and device.
 * Then prints the plan, what is done, and what the rest takes. Nothing is prepared, trained, installed or written below the runs
 * folder. What was left out is told.
 *
 * @param preflight the command that measures what is not known.
 * @throws CliprpnError that the run would throw; after the plan if stale trials, SLURM or the disk are the reason.
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
  const refused = run.engine === "slurm" && waiting.length > 0 ? await refusalOfSlurm(store, run) : undefined;
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
  if (refused !== undefined) throw refused;
  if (told !== undefined && "error" in told) throw told.error;
  const full = spaceError(estimate.disk, spaceAdvice(plan.keep_models === "all"));
  if (full !== undefined) throw full;
}

function stateOf({ spec: { trial_id }, ...state }: PlannedTrial): object {
  return { trial_id, ...state };
}

function splitsOf({ root }: DatasetIdentity): Split[] {
  return readFacts(root).splits.map(({ split }) => split);
}
