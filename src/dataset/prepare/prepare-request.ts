import { join, resolve } from "node:path";
import { didYouMean } from "../../base/did-you-mean.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { SplitBy } from "../../contract/generated/types.ts";
import { version } from "../../package-root.ts";
import { downloadDataset } from "../download/download.ts";
import { progressLine } from "../download/progress.ts";
import { DEFAULT_MAX_PIXELS } from "../images/decode.ts";
import { type ImageSource, imageFolder } from "../images/image-source.ts";
import { annotationSource, locateAnnotations, locateImages, namedImages } from "./locate.ts";
import type { PrepareRequest } from "./preparation.ts";
import type { ImageSize, LockWaiting } from "./prepared-folder.ts";
import { publishedSplits } from "./published-counts.ts";
import { publishedSource } from "./published-source.ts";
import { type ReadingOptions, type RowsOptions, readingOptions, rowsSource } from "./rows-source.ts";

/** The arguments of `cliprpn prepare`, as typed. */
export interface PrepareArguments extends ImageSize, RowsOptions, ReadingOptions {
  name: string;
  root: string | undefined;
  split_by: SplitBy | undefined;
  download: boolean;
  sources: string | undefined;
  /** Folders, `SPLIT=FOLDER` or archives. */
  images: string[];
  without_images: boolean;
  max_pixels: number | undefined;
  follow_links: boolean;
  allow_missing: boolean;
  /** The published dataset to match the user's own annotations with. */
  match: string | undefined;
}

/** Folders and callbacks of a request. */
export interface RequestContext extends LockWaiting {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The folder of the prepared datasets. */
  data: string;
  /** Messages for the user, one line each. */
  onNote(text: string): void;
  signal: AbortSignal;
}

/**
 * Checks the arguments and locates annotations and images; with --download, fetches what is missing.
 *
 * @throws CliprpnError bad_input, not_found; data_invalid for a bad archive; no_network, no_space when downloading.
 */
export async function prepareRequest(
  args: PrepareArguments,
  context: RequestContext,
): Promise<PrepareRequest> {
  const { name, image_size_px, from } = args;
  if (!/^[a-z0-9][a-z0-9_.+-]{0,62}$/.test(name) || name === "demo")
    throw new CliprpnError(
      "bad_input",
      `${name}: expected a name of lower-case letters, digits, _ . + and -, other than demo`,
    );
  if (image_size_px % 32 !== 0 || image_size_px < 64 || image_size_px > 1024)
    throw new CliprpnError(
      "bad_input",
      `--image-size ${image_size_px}: expected a multiple of 32 from 64 to 1024`,
    );
  return from.length > 0 ? rowsRequest(args, context) : publishedRequest(args, context);
}

/** A published dataset. */
async function publishedRequest(args: PrepareArguments, context: RequestContext): Promise<PrepareRequest> {
  const { name, sources, images, without_images } = args;
  const { cwd, env, data, onPhase, onNote, signal } = context;
  const split_bys = publishedSplits[name];
  if (split_bys === undefined)
    throw new CliprpnError(
      "bad_input",
      `${name}: expected ${Object.keys(publishedSplits).join(", ")}, or your own data with --from FILE.${didYouMean(name, Object.keys(publishedSplits))}`,
    );
  const split_by = args.split_by ?? split_bys[0];
  if (!split_bys.includes(split_by))
    throw new CliprpnError(
      "bad_input",
      `--split-by ${split_by}: expected ${split_bys.join(" or ")}, the splits of ${name}`,
    );
  if (args.root === undefined)
    throw new CliprpnError(
      "bad_input",
      `--root: expected the folder with the annotations of ${name} and COCO's train2014, or the folder to --download them into`,
    );
  if (args.match !== undefined)
    throw new CliprpnError(
      "bad_input",
      "--match applies only to your own data; add --from FILE, or remove it",
    );
  const root = resolve(cwd, args.root);
  if (args.download)
    await downloadDataset(
      {
        ...{ dataset: name, split_by, root },
        needsImages: images.length === 0 && !without_images,
        sources_file: sources === undefined ? undefined : resolve(cwd, sources),
      },
      { onProgress: (progress) => onPhase(progressLine(progress)), onNote, signal, env },
    );
  const fullName = `${name}-${split_by}`;
  const folder = join(data, fullName);
  return {
    ...sharedOptions(args),
    folder,
    name: fullName,
    split_by,
    source: {
      ...(await annotationSource(locateAnnotations(root, name, split_by), split_by, folder, context)),
      ...readingOptions(args, context.cwd),
    },
    images: without_images
      ? null
      : images.length === 0
        ? locateImages(root)
        : withoutSplits(namedImages(images, cwd)),
  };
}

/** @throws CliprpnError bad_input: in the published datasets, all splits have images of one folder. */
function withoutSplits(images: ImageSource): ImageSource {
  const [first] = images.kind === "folders" ? images.folders.filter(({ split }) => split !== null) : [];
  if (first === undefined) return images;
  throw new CliprpnError(
    "bad_input",
    `--images ${first.split}=${first.folder}: expected a folder without a split, which only applies with --from`,
  );
}

/** The user's own annotations. */
function rowsRequest(args: PrepareArguments, { cwd, data }: RequestContext): PrepareRequest {
  const { name, images } = args;
  const options = { root: args.root, "split-by": args.split_by };
  for (const [option, value] of Object.entries(options))
    if (value !== undefined)
      throw new CliprpnError(
        "bad_input",
        `--${option} applies only to ${Object.keys(publishedSplits).join(", ")}; remove it or --from`,
      );
  if (args.download)
    throw new CliprpnError(
      "bad_input",
      `--download applies only to ${Object.keys(publishedSplits).join(", ")}; remove it or --from`,
    );
  const source = rowsSource(args, cwd);
  const folder = join(data, name);
  // Parquet may have the images inside.
  const images_inside = source.format === "parquet" && images.length === 0 && !args.without_images;
  if (images.length === 0 && !args.without_images && !images_inside)
    throw new CliprpnError(
      "bad_input",
      "--images: expected the folder (or .zip) of the images, or --without-images for annotations only",
    );
  return {
    ...sharedOptions(args),
    ...(images_inside ? { images_inside } : {}),
    folder,
    name,
    split_by: "own",
    source: {
      ...source,
      ...(args.match === undefined ? {} : { match: publishedSource(args.match, { cwd, data }) }),
      ...readingOptions(args, cwd),
    },
    images: images_inside
      ? imageFolder(join(folder, "images"))
      : images.length === 0
        ? null
        : namedImages(images, cwd),
  };
}

function sharedOptions(
  args: PrepareArguments,
): Pick<PrepareRequest, "sizes" | "max_pixels" | "follow_links" | "allow_missing" | "cliprpn_version"> {
  const { image_size_px, resize, max_pixels = DEFAULT_MAX_PIXELS, follow_links, allow_missing } = args;
  return {
    sizes: [{ image_size_px, resize }],
    max_pixels,
    follow_links,
    allow_missing,
    cliprpn_version: version,
  };
}
