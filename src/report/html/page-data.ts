import type { Explorer, ExplorerImages } from "../../contract/generated/types.ts";
import type { RowNoun } from "../wording.ts";

/** What the page's script shows, embedded in the page as JSON. */
export interface PageData extends Omit<Explorer, "schema_version" | "images_dir" | "images"> {
  /** What a row is called. */
  noun: RowNoun;
  images: ExplorerImages & {
    /** A data URI per image; null where the image is left out. */
    thumbnail: (string | null)[];
  };
}

/** Largest side of a thumbnail, in pixels. */
export const thumbnailSize = 256;

/** Ids of elements that the page's script looks for. */
export const ids = { data: "explorer-data", explorer: "explorer" } as const;
