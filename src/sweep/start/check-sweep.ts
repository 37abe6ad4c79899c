import { slug } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { StoredExperiment } from "../../contract/generated/types.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { checkNotLeft } from "../adopt-runs.ts";
import type { ReadPlan } from "../read-plan.ts";

/** Checks what needs no lock. @throws CliprpnError locked, bad_input. */
export function checkSweep(store: SweepStore, request: Pick<ReadPlan, "plan" | "dataset">): void {
  checkNotLeft(store.runsDir, request.plan.trials);
  checkSameData(store, request);
}

/** @throws CliprpnError bad_input if the sweep of this name uses other data: a report compares results on one dataset. */
export function checkSameData(
  store: SweepStore,
  { plan, dataset }: Pick<ReadPlan, "plan" | "dataset">,
): void {
  const before = store.experiment()?.dataset;
  if (before === undefined || (before.id === dataset.id && before.split_by === dataset.split_by)) return;
  const describe = ({ name, id, split_by }: StoredExperiment["dataset"]): string =>
    `${name} (${id}, ${split_by} split)`;
  throw new CliprpnError(
    "bad_input",
    `${store.folder}: expected the dataset of this sweep, ${describe(before)}, found ${describe(dataset)}. Give the experiment another name, for example --set name=${slug(`${plan.name}-${dataset.name}`)}, or use another --runs-dir`,
  );
}
