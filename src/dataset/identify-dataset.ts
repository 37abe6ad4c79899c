import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { hashFile } from "../base/hash-file.ts";
import { CliprpnError } from "../contract/errors.ts";
import type { DatasetChoice, RefcocoSource, SplitBy, TrialDataset } from "../contract/generated/types.ts";
import { type DemoOptions, demoId, demoSizes } from "./demo/make-demo.ts";
import { isPrepared, readFacts } from "./prepare/prepared-folder.ts";
import { family } from "./prepare/published-counts.ts";
import { datasetId } from "./prepare/source-files.ts";

/** What a trial's data are: by content, and where they lie, or will once they are prepared. */
export interface DatasetIdentity extends TrialDataset {
  /** A folder in RefCOCOg's own layout that is prepared on first use; undefined for a set that a person prepared. */
  raw?: string;
  /** Set when it is the demo, which may not be drawn yet. */
  demo?: DemoOptions;
}

/** Where data sets are: those that `prepare` made, and the cache for those that are made on first use. */
export interface DataFolders {
  data: string;
  cache: string;
}

/**
 * A data set to train or to evaluate on.
 *
 * @throws CliprpnError not_found; data_invalid when annotations are missing, or it was prepared without images.
 */
export async function identifyDataset(choice: DatasetChoice, folders: DataFolders): Promise<DatasetIdentity> {
  const found = await findDataset(choice, folders);
  if (found.raw === undefined && readFacts(found.root).images_dir === null)
    throw new CliprpnError(
      "data_invalid",
      `${found.root}: expected a data set with images, found one that was prepared without; prepare it with --images`,
    );
  return found;
}

/**
 * A data set to look at; it may be without images.
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
    { sha256: await hashed(source.instances_file) },
    { sha256: await hashed(source.refs_file) },
  ]);
  return {
    id,
    // Another folder than the demo's own (`--set dataset.root=DIR`) is named after itself.
    name: name === undefined || name === "demo" ? basename(root) : name,
    root: autoFolder(folders, id),
    split_by: split_by ?? "umd",
    raw: root,
  };
}

/** The annotations of a folder in RefCOCOg's own layout. */
export function refcocoSource(root: string, split_by: string): RefcocoSource {
  const [instances_file = "", refs_file = ""] = ["instances.json", `refs(${split_by}).p`].map((file) =>
    join(root, "annotations", file),
  );
  return { layout: "refcoco", instances_file, refs_file };
}

/** Where a prepared data set of this name lies, or would: `refcocog` is `refcocog-umd` unless split otherwise. */
export function preparedFolder(name: string, split_by: SplitBy | undefined, data: string): string {
  const by = split_by ?? family[name]?.[0];
  const own = join(data, name);
  const full = join(data, `${name}-${by}`);
  return !isPrepared(own) && by !== undefined && isPrepared(full) ? full : own;
}

function preparedDataset(folder: string): DatasetIdentity {
  const { id, name, split_by } = readFacts(folder);
  return { id, name, root: folder, split_by };
}

function notPrepared(folder: string): CliprpnError {
  const name = basename(folder);
  const published = Object.keys(family).find((each) => name === each || name.startsWith(`${each}-`));
  const how = published === undefined ? `${name} --from FILE` : `${published} --root DIR`;
  return new CliprpnError(
    "not_found",
    `${folder}: expected a prepared data set, found none; \`cliprpn prepare ${how}\` makes one`,
  );
}

function autoFolder({ cache }: DataFolders, id: string): string {
  return join(cache, "prepared", id);
}

async function hashed(file: string): Promise<string> {
  if (existsSync(file)) return hashFile(file);
  throw new CliprpnError("data_invalid", `${file}: expected RefCOCOg's own layout, found no such file`);
}
