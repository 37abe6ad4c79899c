import { existsSync, renameSync, rmSync } from "node:fs";
import { replaceFile } from "../../base/replace-file.ts";
import type { ImageNames, Split, WantedImage } from "../../contract/generated/types.ts";
import type { NamedFolder } from "../images/find/folder-tree.ts";
import { imagesDir, recordedFolders } from "../images/image-source.ts";
import { fileNameOf, type LookedUpImages, lookUpImages } from "./look-up-images.ts";
import type { PrepareContext, PrepareRequest } from "./preparation.ts";
import { imageNamesFile, readImageNames, readWanted, wantedFile, writeWanted } from "./prepared-folder.ts";

/** The images of a dataset. */
export interface ImageList {
  wanted: WantedImage[];
  /** Where the list lies until the preparation succeeds. */
  wanted_file: string;
  /** The names that differ from the annotations'; undefined if none does. */
  names_file: string | undefined;
  notes: string[];
}

/**
 * Reads which images the annotations name, looks them up, and reads the annotations again if files have other names.
 * New lists are written beside the current ones until the preparation succeeds: if it fails, the previous dataset
 * stays usable.
 *
 * @param unchanged true if the annotations are those of the current lists.
 */
export async function listImages(
  request: PrepareRequest,
  unchanged: boolean,
  context: PrepareContext,
): Promise<ImageList> {
  const { folder, images, follow_links } = request;
  const by_split = splitsOf(recordedFolders(images));
  const isWritten =
    request.images_inside !== true || images === null || existsSync(imagesDir(folder, images));
  const current = unchanged && isWritten ? currentNames(folder, by_split) : undefined;
  const written =
    current?.written ?? (await readAnnotations(request, { by_split, names: {}, isFirst: true }, context));
  const none: LookedUpImages = { names: {}, problems: new Map(), notes: [] };
  const found =
    images === null
      ? none
      : await lookUpImages({ folder, images, follow_links, written, previous: current?.names }, context);
  const isCurrent = current !== undefined && isEqual(current.names, found.names);
  const hasNames = by_split.length > 0 || Object.keys(found.names).length > 0;
  const names_file = hasNames ? imageNamesFile(folder) : undefined;
  if (isCurrent) {
    const wanted = withProblems(readWanted(wantedFile(folder)), found);
    return { wanted, wanted_file: wantedFile(folder), names_file, notes: found.notes };
  }
  const renamed = hasNames
    ? await readAnnotations(request, { by_split, names: found.names, written }, context)
    : written;
  const wanted = withProblems(renamed, found);
  const wanted_file = newFile(wantedFile(folder));
  writeWanted(wanted_file, wanted);
  return {
    wanted,
    wanted_file,
    names_file: hasNames ? newFile(imageNamesFile(folder)) : undefined,
    notes: found.notes,
  };
}

/** Makes new lists the current ones. */
export function keepImages(folder: string, { wanted, wanted_file, names_file }: ImageList): void {
  if (wanted_file !== wantedFile(folder)) renameSync(wanted_file, wantedFile(folder));
  else if (!isEqual(readWanted(wanted_file), wanted)) writeWanted(wanted_file, wanted);
  const current = imageNamesFile(folder);
  if (names_file === undefined) rmSync(current, { force: true });
  else if (names_file !== current) renameSync(names_file, current);
}

/** Splits with image folders of their own. */
export function splitsOf(folders: readonly NamedFolder[] | undefined): Split[] {
  return [...new Set((folders ?? []).flatMap(({ split }) => split ?? []))].sort();
}

/** The names of the last preparation; undefined if they are damaged. */
function currentNames(folder: string, by_split: Split[]): ImageNames | undefined {
  try {
    return readImageNames(folder) ?? { by_split, names: {}, written: readWanted(wantedFile(folder)) };
  } catch {
    return undefined; // Read again.
  }
}

/** The names that the images get, and whether this is the first reading. */
type Reading = Omit<ImageNames, "written"> & { written?: readonly WantedImage[]; isFirst?: boolean };

/** Has Python read the annotations. @returns their images, with the names given. */
async function readAnnotations(
  { folder, source, images, images_inside }: PrepareRequest,
  { by_split, names, written = [], isFirst = false }: Reading,
  { call, onPhase }: PrepareContext,
): Promise<WantedImage[]> {
  onPhase("reading the annotations");
  const out_file = newFile(wantedFile(folder));
  const needsNames = by_split.length > 0 || Object.keys(names).length > 0;
  const image_names_file = newFile(imageNamesFile(folder));
  if (needsNames) replaceFile(image_names_file, `${JSON.stringify({ by_split, names, written })}\n`);
  await call("read_annotations", {
    ...{ source, out_file },
    ...(needsNames ? { image_names_file } : {}),
    // The second reading finds the files there.
    ...(isFirst && images_inside === true && images !== null
      ? { images_folder: imagesDir(folder, images) }
      : {}),
  });
  return readWanted(out_file);
}

function withProblems(wanted: readonly WantedImage[], { names, problems }: LookedUpImages): WantedImage[] {
  const byFile = new Map([...problems].map(([name, problem]) => [fileNameOf(names, name), problem]));
  return wanted.map(({ problem: _, ...image }) => {
    const problem = byFile.get(image.file_name);
    return problem === undefined ? image : { ...image, problem };
  });
}

function newFile(file: string): string {
  return `${file}.new`;
}

function isEqual(first: unknown, second: unknown): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}
