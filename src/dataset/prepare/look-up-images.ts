import { existsSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../../base/format.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { ImageNames, WantedImage } from "../../contract/generated/types.ts";
import { ArchiveTree, extractImages, extractionNames } from "../images/archive-tree.ts";
import type { Difference } from "../images/find/find-image.ts";
import { cleanPath, type FoundImages, findImages, splitTag } from "../images/find/find-images.ts";
import { FolderTree } from "../images/find/folder-tree.ts";
import { type ImageSource, imagesDir } from "../images/image-source.ts";
import { makeUnpackedFolder } from "../images/unpacked-folder.ts";

/** Names of images as the annotations give them, and what became of them. */
export interface LookedUpImages {
  /** The path below the image folder of each name that differs from it. */
  names: ImageNames["names"];
  /** Why a name has no file. */
  problems: ReadonlyMap<string, string>;
  /** How names and paths differ, one line for each kind. */
  notes: string[];
}

export interface LookUpRequest {
  /** The prepared dataset's folder. */
  folder: string;
  images: ImageSource;
  follow_links: boolean;
  written: readonly WantedImage[];
  /** The result of the last preparation with the same annotations. */
  previous: ImageNames["names"] | undefined;
}

/** The path of an image's file; its name is any text, also `constructor`. */
export function fileNameOf(names: ImageNames["names"], name: string): string {
  return Object.hasOwn(names, name) ? (names[name] ?? name) : name;
}

interface LookUpContext {
  onPhase(text: string): void;
  onProgress(done: number, total: number): void;
  signal?: AbortSignal;
}

/**
 * Finds the file of every image, and extracts the files of archives.
 *
 * @throws CliprpnError data_invalid if a folder does not exist or an archive is broken; no_space, interrupted.
 */
export async function lookUpImages(request: LookUpRequest, context: LookUpContext): Promise<LookedUpImages> {
  const { images } = request;
  return images.kind === "archives"
    ? inArchives(images.archives, request, context)
    : inFolders(images.folders, request);
}

function inFolders(
  folders: Extract<ImageSource, { kind: "folders" }>["folders"],
  { written, follow_links }: LookUpRequest,
): LookedUpImages {
  for (const { folder } of folders)
    if (!existsSync(folder))
      throw new CliprpnError("data_invalid", `${folder}: expected the folder of images, found none`);
  const found = findImages(written, new FolderTree(folders, follow_links));
  return named(found, (path) => path, folders.length === 1);
}

async function inArchives(
  archives: readonly string[],
  { folder, images, written, previous }: LookUpRequest,
  { onPhase, onProgress, signal }: LookUpContext,
): Promise<LookedUpImages> {
  const images_dir = imagesDir(folder, images);
  makeUnpackedFolder(archives, images_dir);
  const isExtracted = ({ file_name }: WantedImage): boolean =>
    existsSync(join(images_dir, fileNameOf(previous ?? {}, file_name)));
  if (previous !== undefined && written.every(isExtracted))
    return { names: previous, problems: new Map(), notes: [] };
  onPhase(`reading ${archives.join(" and ")}`);
  const tree = await ArchiveTree.open(archives, signal);
  const found = findImages(written, tree);
  const names = extractionNames(found.files.values(), tree, new Set(found.problems.keys()));
  const absent = new Map([...names].filter(([, file_name]) => !existsSync(join(images_dir, file_name))));
  if (absent.size > 0) onPhase(`extracting ${counted(absent.size, "image")} from ${archives.join(" and ")}`);
  const refused = await extractImages({ archives, files: absent, folder: images_dir, onProgress, signal });
  const looked = named(found, (path) => names.get(path) ?? path, archives.length === 1);
  const reasons = new Map(refused.map(({ file_name, problem }) => [file_name, problem]));
  const broken = [...found.files.keys()].flatMap((name): [string, string][] => {
    const problem = reasons.get(fileNameOf(looked.names, name));
    return problem === undefined ? [] : [[name, problem]];
  });
  return { ...looked, problems: new Map([...looked.problems, ...broken]) };
}

/**
 * @param fileOf the name of the file of a path in the tree.
 * @param keepsExact true if a name that is the path of its file is kept as it is written, such as `./a.jpg`.
 */
function named(
  { files, problems }: FoundImages,
  fileOf: (path: string) => string,
  keepsExact: boolean,
): LookedUpImages {
  const uses = new Map<string, number>();
  for (const { path } of files.values()) uses.set(cleanPath(path), (uses.get(cleanPath(path)) ?? 0) + 1);
  const names = new Map<string, string>();
  const differing = new Map<Difference, [name: string, file: string][]>();
  for (const [name, { path, difference }] of files) {
    const isOnly = uses.get(cleanPath(path)) === 1;
    const isKept = keepsExact && difference === undefined && isOnly;
    const file = isKept ? fileOf(name) : fileOf(path);
    const clean = isKept ? file : cleanPath(file);
    if (clean === name) continue;
    names.set(name, clean);
    if (difference === undefined) continue;
    const list = differing.get(difference) ?? [];
    list.push([splitTag(name).text, clean]);
    differing.set(difference, list);
  }
  nameUnfound(problems, names);
  return { names: Object.fromEntries(names), problems, notes: [...differing].map(noteOf) };
}

/** A name without a file keeps its text, unless that is the name of another file. */
function nameUnfound(problems: ReadonlyMap<string, string>, names: Map<string, string>): void {
  const taken = new Set(names.values());
  for (const name of problems.keys()) {
    let text = splitTag(name).text;
    while (taken.has(text)) text = `not found/${text}`;
    if (text !== name) names.set(name, text);
  }
}

function noteOf([difference, list]: [Difference, [name: string, file: string][]]): string {
  const [[name, file] = ["", ""]] = list;
  const what = `${counted(list.length, "image name")} differ${list.length === 1 ? "s" : ""} from the path of the file`;
  return `${what} (${difference}), such as ${JSON.stringify(name)} for ${JSON.stringify(file)}`;
}
