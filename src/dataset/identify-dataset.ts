import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { hashFile } from "../base/hash-file.ts";
import { CliprpnError } from "../contract/errors.ts";
import type {
  AnnotationSource,
  DatasetChoice,
  RefcocoSource,
  SourceFile,
  Split,
  SplitBy,
  TrialDataset,
} from "../contract/generated/types.ts";
import { type DemoOptions, demoId, demoSizes } from "./demo/make-demo.ts";
import { isPrepared, readFacts } from "./prepare/prepared-folder.ts";
import { publishedSplits } from "./prepare/published-counts.ts";

/** The dataset of a trial: its content and the folder of its prepared form, which may not exist yet. */
export interface DatasetIdentity extends TrialDataset {
  /** A folder in RefCOCOg's layout that is prepared on first use; undefined for a dataset made by `cliprpn prepare`. */
  raw?: string;
  /** Set for the demo, which may not be drawn yet. */
  demo?: DemoOptions;
  /** Set for a joint training set, which may not be prepared yet. */
  joint?: JointTraining;
}

/** A training set of several datasets, without the images of evaluation splits. */
export interface JointTraining {
  /** The datasets whose train splits are joined. */
  parts: DatasetIdentity[];
  /** Its val split chooses the model. */
  val: DatasetIdentity;
  /** Splits whose images are left out of train. */
  excluded: ExcludedSplits[];
  /** The folder of its annotations, in RefCOCOg's layout. */
  folder: string;
}

export interface ExcludedSplits {
  dataset: DatasetIdentity;
  splits: Split[];
}

/** Folders of datasets: the ones made by `cliprpn prepare`, and the cache for those prepared on first use. */
export interface DataFolders {
  data: string;
  cache: string;
}

/**
 * Finds a dataset to train or evaluate on.
 *
 * @throws CliprpnError not_found; data_invalid when annotations are missing or it was prepared without images.
 */
export async function identifyDataset(choice: DatasetChoice, folders: DataFolders): Promise<DatasetIdentity> {
  const dataset = await findDataset(choice, folders);
  if (dataset.raw === undefined && readFacts(dataset.root).images_dir === null)
    throw new CliprpnError(
      "data_invalid",
      `${dataset.root}: expected a dataset with images, found one prepared without images; prepare it again with --images DIR`,
    );
  return dataset;
}

/**
 * Finds a dataset to inspect; it may have no images.
 *
 * @throws CliprpnError not_found; data_invalid when annotations are missing.
 */
export async function findDataset(
  { name, root, size, split_by }: DatasetChoice,
  folders: DataFolders,
): Promise<DatasetIdentity> {
  const prepared =
    root ??
    (name === undefined || name === "demo" ? undefined : preparedFolder(name, split_by, folders.data));
  if (prepared !== undefined && isPrepared(prepared)) return preparedDataset(prepared);
  if (root === undefined) {
    if (prepared !== undefined) throw notPrepared(prepared);
    const demo = demoSizes[size ?? "full"];
    const id = demoId(demo);
    const raw = join(folders.cache, "demo", id);
    return { id, name: "demo", root: autoFolder(folders, id), split_by: "umd", raw, demo };
  }
  const source = refcocoSource(root, split_by ?? "umd");
  const id = datasetId(source, [
    { sha256: await hashExisting(source.instances_file) },
    { sha256: await hashExisting(source.refs_file) },
  ]);
  return {
    id,
    // With `--set dataset.root=DIR`, the name is that of the folder.
    name: name === undefined || name === "demo" ? basename(root) : name,
    root: autoFolder(folders, id),
    split_by: split_by ?? "umd",
    raw: root,
  };
}

/** The folder of a prepared dataset with this id: the recorded one, or one in the data folders; undefined if there is none. */
export function findDatasetById(
  { id, root }: Pick<TrialDataset, "id" | "root">,
  { data, cache }: DataFolders,
): string | undefined {
  const others = existsSync(data) ? readdirSync(data).map((name) => join(data, name)) : [];
  return [root, autoFolder({ data, cache }, id), ...others].find((folder) => hasId(folder, id));
}

/** The annotations of a folder in RefCOCOg's layout. */
export function refcocoSource(root: string, split_by: string): RefcocoSource {
  const [instances_file = "", refs_file = ""] = ["instances.json", `refs(${split_by}).p`].map((file) =>
    join(root, "annotations", file),
  );
  return { layout: "refcoco", instances_file, refs_file };
}

/** The folder of a prepared dataset of this name, existing or not: `refcocog` means `refcocog-umd` by default. */
export function preparedFolder(name: string, split_by: SplitBy | undefined, data: string): string {
  const by = split_by ?? publishedSplits[name]?.[0];
  const folder = join(data, name);
  const withSplit = join(data, `${name}-${by}`);
  return !isPrepared(folder) && by !== undefined && isPrepared(withSplit) ? withSplit : folder;
}

function hasId(folder: string, id: string): boolean {
  try {
    return isPrepared(folder) && readFacts(folder).id === id;
  } catch (error) {
    if (error instanceof CliprpnError) return false; // A damaged folder is none.
    throw error;
  }
}

function preparedDataset(folder: string): DatasetIdentity {
  const { id, name, split_by } = readFacts(folder);
  return { id, name, root: folder, split_by };
}

function notPrepared(folder: string): CliprpnError {
  const name = basename(folder);
  const published = Object.keys(publishedSplits).find((key) => name === key || name.startsWith(`${key}-`));
  const args = published === undefined ? `${name} --from FILE` : `${published} --root DIR`;
  return new CliprpnError(
    "not_found",
    `${folder}: expected a prepared dataset, found none; prepare it with \`cliprpn prepare ${args}\``,
  );
}

function autoFolder({ cache }: DataFolders, id: string): string {
  return join(cache, "prepared", id);
}

async function hashExisting(file: string): Promise<string> {
  if (existsSync(file)) return hashFile(file);
  throw new CliprpnError(
    "data_invalid",
    `${file}: expected a folder in RefCOCOg's layout, found no such file`,
  );
}

/**
 * A dataset's id: a hash of its annotations and of how they are read, never of paths.
 *
 * @param pictures_sha256 hash of the images, if known: other images under the same names make another dataset.
 */
export function datasetId(
  source: AnnotationSource,
  files: readonly Pick<SourceFile, "sha256">[],
  pictures_sha256 = "",
): string {
  const hash = createHash("sha256");
  // An option that is not given is undefined and left out of the JSON, so a new one changes no id.
  const orientation = source.orientation ?? undefined;
  const clip_boxes = source.clip_boxes || undefined;
  const force_box_format = source.force_box_format || undefined;
  const allow_invalid = source.allow_invalid || undefined;
  // Contents of the files are hashed below.
  const only = source.only?.map(({ split }) => split);
  if (source.layout === "rows") {
    const { format, box_format, columns, split_seed } = source;
    const splits = source.files.map(({ split }) => split);
    const rows = source.rows ?? undefined;
    const match = source.match?.name;
    const first_box = source.first_box || undefined;
    hash.update(
      JSON.stringify({
        ...{ format, box_format, columns, split_seed, splits },
        ...{ rows, first_box, clip_boxes, allow_invalid, orientation, match, only, force_box_format },
      }),
    );
  } else {
    const options = JSON.stringify({ clip_boxes, allow_invalid, orientation, only, force_box_format });
    if (options !== "{}") hash.update(options);
  }
  for (const { sha256 } of files) hash.update(sha256);
  return hash.update(pictures_sha256).digest("hex").slice(0, 16);
}
