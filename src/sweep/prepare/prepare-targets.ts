import { count, counted } from "../../base/format.ts";
import type { DatasetIdentity } from "../../dataset/identify-dataset.ts";
import { type ImageSize, isPrepared, readFacts } from "../../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../../engine/engine.ts";
import { cacheDir } from "../../environment/cache.ts";
import { ensureDataset, warnOfData } from "../datasets.ts";
import { checkTarget } from "../evaluation-targets.ts";
import { type EvaluationTarget, targetName } from "../predict-on.ts";
import type { Context, RunContext } from "../run-context.ts";

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

/**
 * Warns of evaluated images of other datasets that are also trained on, by the content of files and pixels. Splits whose images were
 * left out of a joint training set are not compared.
 *
 * @param trained the dataset of the trials, which may be gone.
 */
export async function warnOfSharedImages(
  trained: Pick<DatasetIdentity, "id" | "name" | "root">,
  targets: readonly EvaluationTarget[],
  engine: Engine,
  { terminal, signal, env }: Context,
): Promise<void> {
  const others = targets.filter(({ dataset: { id, root } }) => id !== trained.id && isPrepared(root));
  if (others.length === 0) return;
  if (!isPrepared(trained.root) || readFacts(trained.root).id !== trained.id) {
    terminal.warn(
      `${trained.root}: the dataset ${trained.name} (${trained.id}) is not there, so its images to train on were not compared with those to evaluate on`,
    );
    return;
  }
  const { joint } = readFacts(trained.root);
  const compared = others.filter(
    ({ dataset: { id }, split }) =>
      !joint?.excluded.some((excluded) => excluded.id === id && excluded.splits.includes(split)),
  );
  if (compared.length === 0) return;
  terminal.live(["comparing the images to evaluate on with those to train on"]);
  const datasets = [trained, ...datasetsOf(compared)];
  const params = { roots: datasets.map(({ root }) => root), cache_dir: cacheDir(env) };
  const result = await engine.call("compare_datasets", params, { signal });
  for (const [index, { name }] of datasets.entries()) {
    const num = Math.min(result.num_missing_files[index] ?? 0, result.num_without_pixels[index] ?? 0);
    if (num > 0)
      terminal.warn(
        `${name}: ${counted(num, "image")} cannot be read, and ${num === 1 ? "was" : "were"} not compared with others`,
      );
  }
  for (const target of compared) {
    const second = datasets.findIndex(({ id }) => id === target.dataset.id);
    const pair = result.pairs.find(
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
