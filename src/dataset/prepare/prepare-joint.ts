import type { JoinDatasetsParams, PreparedDataset } from "../../contract/generated/types.ts";
import { refcocoSource } from "../identify-dataset.ts";
import { type ImageSource, imagesDir } from "../images/image-source.ts";
import type { JointDataset } from "../joint.ts";
import type { PrepareContext } from "./preparation.ts";
import { prepareDataset } from "./prepare-dataset.ts";
import { type ImageSize, readFacts } from "./prepared-folder.ts";

/**
 * Prepares a joint training set in the cache: Python writes its annotations, and the images are decoded from the folders of the
 * datasets that it is made from, which are prepared.
 *
 * @throws CliprpnError data_invalid, no_space.
 */
export async function prepareJoint(
  dataset: JointDataset,
  sizes: readonly ImageSize[],
  cliprpn_version: string,
  context: PrepareContext,
): Promise<void> {
  const { joint, root, id, name, split_by } = dataset;
  context.onPhase("comparing the images to train on with those of evaluation splits");
  const { orientation, ...counts } = await context.call("join_datasets", joinParams(dataset, joint.folder));
  const facts = [...joint.parts, joint.val].map((part) => readFacts(part.root));
  await prepareDataset(
    {
      folder: root,
      id,
      name,
      split_by,
      source: { ...refcocoSource(joint.folder, split_by), orientation },
      images: jointImages(dataset),
      sizes,
      max_pixels: Math.max(...facts.map(({ max_pixels }) => max_pixels)),
      follow_links: facts.some(({ follow_links }) => follow_links),
      allow_missing: false,
      joint: { parts: joint.parts.map(nameOf), val: nameOf(joint.val), ...counts },
      cliprpn_version,
    },
    context,
  );
}

/** @param out_dir null to count only. */
export function joinParams(dataset: JointDataset, out_dir: string | null): JoinDatasetsParams {
  const { parts, val, excluded } = dataset.joint;
  const [first, ...others] = parts.map(({ root }) => root);
  if (first === undefined) throw new Error("expected a dataset to train on, found none");
  return {
    parts: [first, ...others],
    val: val.root,
    excluded: excluded.map(({ dataset: { root }, splits }) => ({ root, splits })),
    images_dir: imagesDir(dataset.root, jointImages(dataset)),
    out_dir,
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

function nameOf({ id, name }: { id: string; name: string }): NonNullable<PreparedDataset["joint"]>["val"] {
  return { id, name };
}
