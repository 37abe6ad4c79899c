import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { count } from "../base/format.ts";
import type { DatasetChoice, SplitBy } from "../contract/generated/types.ts";
import { makeDemo } from "../dataset/demo/make-demo.ts";
import { type DataFolders, type DatasetIdentity, preparedFolder } from "../dataset/identify-dataset.ts";
import { datasetsOf, type JointDataset } from "../dataset/joint.ts";
import { ensurePrepared } from "../dataset/prepare/ensure-prepared.ts";
import type { PrepareContext } from "../dataset/prepare/preparation.ts";
import { mustBeJoined, prepareJoint } from "../dataset/prepare/prepare-joint.ts";
import { type ImageSize, isPrepared, preparedSizes, readFacts } from "../dataset/prepare/prepared-folder.ts";
import type { Engine } from "../engine/engine.ts";
import { cacheDir, layeredCache } from "../environment/cache.ts";
import { presets } from "../experiment/presets.ts";
import { version } from "../package-root.ts";
import type { Context } from "./run-context.ts";
import { leftMs, wholeSeconds } from "./view/eta.ts";

/** Folders of the datasets: `data/` in the current folder, or CLIPRPN_DATA; and the cache. */
export function dataFolders({ cwd, env, terminal }: Context): DataFolders {
  return { data: resolve(cwd, env.CLIPRPN_DATA ?? "data"), cache: layeredCache(env, terminal).own };
}

/**
 * The dataset that the user named: `demo`, the name of a prepared one (`refcocog` means `refcocog-umd`), or a folder.
 *
 * @param folder that a path is relative to; the current one by default.
 */
export function namedDataset(
  name: string,
  split_by: SplitBy | undefined,
  context: Context,
  folder = context.cwd,
): DatasetChoice {
  if (name === "demo") return {};
  const by = split_by === undefined ? {} : { split_by };
  if (!name.includes("/") && existsSync(preparedFolder(name, split_by, dataFolders(context).data)))
    return { name, ...by };
  const root = resolve(folder, name);
  return { name: basename(root), root, ...by };
}

/**
 * Prepares the dataset; draws the demo if it does not exist yet.
 *
 * @param sizes of the images that are needed; empty if none of a certain size are.
 */
export async function ensureDataset(
  dataset: DatasetIdentity,
  sizes: readonly ImageSize[],
  engine: Engine,
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  const { demo, raw } = dataset;
  if (demo !== undefined && raw !== undefined && !existsSync(join(raw, "demo.json"))) {
    terminal.info("Generating the demo dataset (only once; takes up to two minutes).");
    await makeDemo(raw, demo, (done, total) => terminal.live([`  ${done} of ${total} images`]), signal);
  }
  const prepare = prepareContext(engine.call.bind(engine), context);
  if (isJoint(dataset)) {
    // Those made by `cliprpn prepare` have all that is needed; others are prepared on first use, and checked for changes.
    for (const part of datasetsOf(dataset.joint))
      await ensureDataset(part, part.raw === undefined ? [] : sizes, engine, context);
    if (mustBeJoined(dataset)) {
      const facts = { cliprpn_version: version, cache_dir: cacheDir(context.env) };
      await prepareJoint(dataset, sizes, facts, prepare);
    }
  }
  await ensurePrepared(dataset, sizes.length > 0 ? sizes : existingSizes(dataset), version, prepare);
  terminal.liveDone();
}

/**
 * Sizes of a dataset that is prepared on first use: the existing ones, or the default. Without any, its tables would name no images,
 * which trials need. Other datasets already have theirs.
 */
export function existingSizes({ raw, root }: Pick<DatasetIdentity, "raw" | "root">): ImageSize[] {
  if (raw === undefined) return [];
  const { image_size_px, resize } = presets.default;
  const sizes = preparedSizes(root);
  return sizes.length > 0 ? sizes : [{ image_size_px, resize }];
}

function isJoint(dataset: DatasetIdentity): dataset is JointDataset {
  return dataset.joint !== undefined;
}

/** True for a joint training set that is not prepared yet. */
export function isUnprepared(dataset: DatasetIdentity): dataset is JointDataset {
  return isJoint(dataset) && !isPrepared(dataset.root);
}

/** Tells what may make results on a prepared dataset wrong, as recorded when it was prepared. */
export function warnOfData(
  { root, name }: Pick<DatasetIdentity, "root" | "name">,
  terminal: Context["terminal"],
): void {
  for (const line of readFacts(root).warnings ?? []) terminal.warn(`${name}: ${line}`);
}

/** Calls and progress of preparing a dataset, shown on the terminal. */
export function prepareContext(call: PrepareContext["call"], { terminal, signal }: Context): PrepareContext {
  let phase = "";
  let start: { ms: number; done: number } | undefined;
  return {
    call,
    signal,
    onPhase: (text) => {
      phase = text;
      start = undefined;
      terminal.live([phase]);
    },
    onReplaced: ({ id, prepared_at, splits }) => {
      const num_sentences = splits.reduce((sum, split) => sum + split.num_sentences, 0);
      terminal.warn(
        `this replaces another dataset of the same name (${id}, ${count(num_sentences)} expressions, prepared ${prepared_at.slice(0, 10)}); trials on that dataset can no longer be evaluated`,
      );
    },
    onProgress: (done, total) => {
      start ??= { ms: Date.now(), done };
      const left = leftMs(Date.now() - start.ms, done - start.done, total - done);
      const eta = left === undefined ? "" : `, about ${wholeSeconds(left)} left`;
      terminal.live([`${phase}: ${count(done)} of ${count(total)}${eta}`]);
    },
  };
}

/** Names of the datasets of a joint training set that are prepared on first use. */
export function unpreparedParts({ joint }: JointDataset): string[] {
  return datasetsOf(joint).flatMap(({ root, name }) => (isPrepared(root) ? [] : [name]));
}
