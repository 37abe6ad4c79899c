import type { AnnotationSource, BridgeMethods, PreparedDataset } from "../../contract/generated/types.ts";
import type { ImageSource } from "../images/image-source.ts";
import type { JointFacts } from "../joint.ts";
import type { ImageSize, LockWaiting } from "./prepared-folder.ts";

/** The dataset to prepare and the options of the preparation. */
export interface PrepareRequest {
  /** The folder to write. */
  folder: string;
  /** The dataset id if it is already known; by default a hash of the annotations and of the images. */
  id?: string;
  name: string;
  split_by: PreparedDataset["split_by"];
  source: AnnotationSource;
  /** Null for annotations without images. */
  images: ImageSource | null;
  /** True if the images are inside the annotation files, from which Python writes them to the folder of `images`. */
  images_inside?: boolean;
  sizes: readonly ImageSize[];
  max_pixels: number;
  follow_links: boolean;
  allow_missing: boolean;
  /** Of a joint training set: what it is made from. */
  joint?: JointFacts;
  cliprpn_version: string;
}

/** Callbacks of a preparation. */
export interface PrepareContext extends LockWaiting {
  /** Calls Python, which is started on the first call. */
  call<M extends "read_annotations" | "index_dataset" | "join_datasets">(
    method: M,
    params: BridgeMethods[M]["params"],
  ): Promise<BridgeMethods[M]["result"]>;
  onProgress(done: number, total: number): void;
  /** Called when a different dataset of the same name was replaced; trials on it can no longer be evaluated. */
  onReplaced(previous: PreparedDataset): void;
}
