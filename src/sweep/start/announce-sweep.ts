import { counted } from "../../base/format.ts";
import type { Plan } from "../../experiment/plan.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { adviseOnIdleCores } from "../choose-slots.ts";
import { describeModels, type ModelRequest } from "../estimate/model-space.ts";
import type { Place } from "../machines/place.ts";
import type { TrialsToRun } from "../resume.ts";
import type { RunContext } from "../run-context.ts";

/** Says how many trials run, where, and the disk space of their models. */
export function announceSweep(
  { name, folder }: SweepStore,
  { trials }: Plan,
  { waiting, numFailed, numLater }: TrialsToRun,
  models: ModelRequest,
  { slots, description }: Place,
  run: RunContext,
): void {
  const { terminal } = run;
  const numDone = trials.length - waiting.length - numFailed - numLater;
  const counts = [
    counted(trials.length, "trial"),
    ...(numDone > 0 ? [`${numDone} already done`] : []),
    ...(numFailed > 0 ? [`${numFailed} failed earlier`] : []),
    ...(numLater > 0 ? [`${numLater} left out, which have not run`] : []),
  ];
  const where = waiting.length === 0 ? "" : `, ${description}`;
  terminal.info(`Sweep ${name}: ${counts.join(", ")}${where}, in ${folder}`);
  const advice = adviseOnIdleCores(slots, waiting, trials, run);
  if (advice !== undefined) terminal.info(advice);
  const described = describeModels(models);
  if (described !== undefined) terminal.info(described);
}
