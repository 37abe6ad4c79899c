import type { PreparedImage, WantedImage } from "../../contract/generated/types.ts";
import type { DecodeOptions } from "./decode.ts";

/** One image to be decoded into its row of a shard. */
export interface DecodeJob {
  /** The folder's real path. */
  images_dir: string;
  wanted: WantedImage;
  options: DecodeOptions;
  /** The shard's file, and where in it the row begins. */
  file: string;
  offset: number;
}

/** Replies come in the order of the jobs. */
export type FromDecoder =
  | { type: "ready" }
  | { type: "done"; picture: PreparedImage }
  | { type: "not_written"; code: string; message: string };
