import { count, counted } from "../base/format.ts";
import type { DatasetIdentity } from "../dataset/identify-dataset.ts";
import type { ImageSize } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { ensureDataset, warnOfData } from "./datasets.ts";
import { checkTarget } from "./evaluation-targets.ts";
import { type EvaluationTarget, targetName } from "./predict-on.ts";
import type { RunContext } from "./run-context.ts";

/** Prepares the datasets to evaluate on, so that what is missing is found before any training. */
export async function prepareTargets(
  targets: readonly EvaluationTarget[],
  sizes: readonly ImageSize[],
  engine: Engine,
  run: RunContext,
): Promise<void> {
  for (const dataset of datasetsOf(targets)) {
    await ensureDataset(dataset, sizes, engine, run);
    warnOfData(dataset, run.terminal);
  }
  for (const target of targets) checkTarget(target, "evaluate_on");
}

/** Warns of evaluated images of other datasets that are also trained on, by the content of files and pixels. */
export async function warnOfSharedImages(
  trained: DatasetIdentity,
  targets: readonly EvaluationTarget[],
  engine: Engine,
  { terminal, signal }: RunContext,
): Promise<void> {
  const others = datasetsOf(targets).filter(({ id }) => id !== trained.id);
  if (others.length === 0) return;
  terminal.live(["comparing the images to evaluate on with those to train on"]);
  const roots = [trained, ...others].map(({ root }) => root);
  const { pairs } = await engine.call("compare_datasets", { roots }, { signal });
  for (const target of targets) {
    const second = others.findIndex(({ id }) => id === target.dataset.id) + 1;
    const pair = pairs.find(
      (each) =>
        each.first === 0 &&
        each.second === second &&
        each.first_split === "train" &&
        each.second_split === target.split,
    );
    const num = pair === undefined ? 0 : pair.num_same_file + pair.num_same_pixels;
    if (pair !== undefined && num > 0)
      terminal.warn(
        `${targetName(target)}: ${count(num)} of ${counted(pair.num_second, "image")} are also in the images to train on (${trained.name}:train); results on it are too good`,
      );
  }
}

function datasetsOf(targets: readonly EvaluationTarget[]): DatasetIdentity[] {
  return [...new Map(targets.map(({ dataset }) => [dataset.id, dataset])).values()];
}
