import type { DatasetStats } from "../../contract/generated/types.ts";

/** Everything that is told of a data set. */
export interface Portrait {
  stats: DatasetStats;
  /** Which of the field's it is. */
  kind: "refcocog" | "refcoco" | "refcoco+" | "demo" | "own";
  /** Of the prepared data set. */
  folder: string;
  /** That its images are prepared at: `squash to 224 px`. */
  sizes: string[];
  /** What makes it again. */
  command: string;
  /** Images, refs and sentences by split, where somebody has published them. */
  published?: Record<string, readonly [number, number, number]> | undefined;
}

/** Whether it is one of RefCOCO, RefCOCO+ and RefCOCOg. */
export function isRefcocoFamily({ kind }: Portrait): boolean {
  return kind !== "demo" && kind !== "own";
}
