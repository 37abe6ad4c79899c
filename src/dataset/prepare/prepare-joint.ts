import type { JoinDatasetsParams } from "../../contract/generated/types.ts";
import { type DatasetIdentity, refcocoSource } from "../identify-dataset.ts";
import { type ImageSource, imagesDir } from "../images/image-source.ts";
import type { JointDataset, JointFacts } from "../joint.ts";
import type { PrepareContext } from "./preparation.ts";
import { prepareDataset } from "./prepare-dataset.ts";
import { type ImageSize, isPrepared, readFacts } from "./prepared-folder.ts";

/**
 * Prepares a joint training set in the cache: Python writes its annotations, and the images are decoded from the folders of the
 * datasets that it is made from, which are prepared. A process that is killed leaves no `dataset.json`, and the next one does it again.
 *
 * @throws CliprpnError data_invalid, no_space.
 */
export async function prepareJoint(
  dataset: JointDataset,
  sizes: readonly ImageSize[],
  { cliprpn_version, cache_dir }: { cliprpn_version: string; cache_dir: string },
  context: PrepareContext,
): Promise<void> {
  const { joint, root, id, name, split_by } = dataset;
  context.onPhase("comparing the images to train on with those of evaluation splits");
  const params = joinParams(dataset, joint.folder, cache_dir);
  const { orientation, ...counts } = await context.call("join_datasets", params);
  const facts = [...joint.parts, joint.val].map((part) => readFacts(part.root));
  await prepareDataset(
    {
      folder: root,
      id,
      name,
      split_by,
      // The format of the boxes is known, as they were checked in their datasets.
      source: { ...refcocoSource(joint.folder, split_by), orientation, force_box_format: true },
      images: jointImages(dataset),
      sizes,
      max_pixels: Math.max(...facts.map(({ max_pixels }) => max_pixels)),
      follow_links: facts.some(({ follow_links }) => follow_links),
      allow_missing: false,
      joint: {
        parts: joint.parts.map(nameOf),
        val: nameOf(joint.val),
        excluded: joint.excluded.map(({ dataset: part, splits }) => ({
          ...nameOf(part),
          splits,
          pictures_sha256: readFacts(part.root).pictures_sha256,
        })),
        ...counts,
      },
      cliprpn_version,
    },
    context,
  );
}

/** True for a joint training set that is not prepared yet, or whose datasets have other images by now. */
export function mustBeJoined({ root, joint }: JointDataset): boolean {
  const made = isPrepared(root) ? readFacts(root).joint : undefined;
  if (made == null) return true;
  const before = new Map(made.excluded.map(({ id, pictures_sha256 }) => [id, pictures_sha256]));
  return joint.excluded.some(
    ({ dataset }) => readFacts(dataset.root).pictures_sha256 !== before.get(dataset.id),
  );
}

/** @param out_dir null to count only. */
export function joinParams(
  dataset: JointDataset,
  out_dir: string | null,
  cache_dir: string,
): JoinDatasetsParams {
  const { parts, val, excluded } = dataset.joint;
  const [first, ...others] = parts.map(folderOf);
  if (first === undefined) throw new Error("expected a dataset to train on, found none");
  return {
    parts: [first, ...others],
    val: folderOf(val),
    excluded: excluded.map(({ dataset: part, splits }) => ({ dataset: folderOf(part), splits })),
    images_dir: imagesDir(dataset.root, jointImages(dataset)),
    out_dir,
    cache_dir,
  };
}

/** The image folders of the datasets that are trained on and validated on. */
function jointImages({ joint: { parts, val } }: JointDataset): ImageSource {
  const folders = [...parts, val].flatMap(({ root }) => {
    const { images_dir, image_folders } = readFacts(root);
    return (image_folders ?? []).length > 0
      ? (image_folders ?? []).map(({ folder }) => folder)
      : images_dir === null
        ? []
        : [images_dir];
  });
  return { kind: "folders", folders: [...new Set(folders)].map((folder) => ({ folder, split: null })) };
}

function folderOf({ id, root }: DatasetIdentity): JoinDatasetsParams["val"] {
  return { id, root };
}

function nameOf({ id, name }: DatasetIdentity): JointFacts["val"] {
  return { id, name };
}
