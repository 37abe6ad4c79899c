import type { Split } from "../../../contract/generated/types.ts";

/** A place where images are looked up: folders, or the paths in an archive. Paths have `/` between their parts. */
export interface ImageTree {
  /** What the user named, for messages. */
  name: string;
  roots: ImageRoot[];
  /** True if a file has exactly this path. */
  has(path: string): boolean;
  /** The paths of all files. @throws CliprpnError bad_input if there are too many to look through. */
  paths(): string[];
  /** What the list of paths leaves out, such as links that lead out, for the message of a missing image. */
  leftOut(): string[];
}

/** One folder of several, or the only one. */
export interface ImageRoot {
  /** Its path in the tree with a `/` at its end; `""` for the only one. */
  prefix: string;
  /** The split whose images it has; null for any. */
  split: Split | null;
  /** Its absolute paths, as typed and without links; none for an archive. */
  folders: string[];
}
