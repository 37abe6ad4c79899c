import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { BoxFormat, Columns } from "../../contract/generated/types.ts";

/** How a published Parquet file names its sentence and box. */
interface PublishedTable {
  /** Columns that together no other table has. */
  has: readonly string[];
  columns: Partial<Columns>;
  box_format: BoxFormat;
}

const publishedTables: readonly PublishedTable[] = [
  // lmms-lab's RefCOCO, RefCOCOplus and RefCOCOg: `question` is a prompt, `answer` has all expressions of the object.
  {
    has: ["question_id", "question", "answer", "bbox", "iscrowd", "file_name"],
    columns: { sentence: "answer", box: "bbox" },
    box_format: "xywh",
  },
  // Ref-L4.
  {
    has: ["caption", "bbox", "bbox_id", "ori_category_id", "is_rewrite", "file_name"],
    columns: { image: "file_name", sentence: "caption", box: "bbox" },
    box_format: "xywh",
  },
  // Ref-Adv.
  {
    has: ["normal_caption", "solution", "distractors", "file_name"],
    columns: { sentence: "normal_caption", box: "solution" },
    box_format: "xyxy",
  },
];

/** What is known about a Parquet file by the names of its columns; undefined if it is none of the published ones. */
export function publishedTable(file: string): PublishedTable | undefined {
  const footer = readFooter(file);
  return publishedTables.find(({ has }) => has.every((name) => footer?.includes(Buffer.from(name))));
}

const MAX_FOOTER_BYTES = 1 << 26;
const MAGIC = "PAR1";

/** The end of a Parquet file, which has the names of the columns as text; undefined if it is not Parquet. */
function readFooter(file: string): Buffer | undefined {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch {
    return undefined; // Whoever reads the rows says that the file is missing.
  }
  try {
    const { size } = fstatSync(handle);
    const tail = Buffer.alloc(8);
    if (size < 12 || readSync(handle, tail, 0, 8, size - 8) < 8 || tail.toString("latin1", 4) !== MAGIC)
      return undefined;
    const bytes = Math.min(tail.readUInt32LE(0), size - 8, MAX_FOOTER_BYTES);
    const footer = Buffer.alloc(bytes);
    readSync(handle, footer, 0, bytes, size - 8 - bytes);
    return footer;
  } catch {
    return undefined; // A folder, for one.
  } finally {
    closeSync(handle);
  }
}
