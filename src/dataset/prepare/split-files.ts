import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { CliprpnError } from "../../contract/errors.ts";
import type { RowsSource } from "../../contract/generated/types.ts";
import { splitOfFile } from "./split-names.ts";

type RowsFile = RowsSource["files"][number];

/**
 * The files of a dataset as Hugging Face distributes it, each with the split in its name: of a folder, or of its subfolder
 * `data`; or of one Parquet file such as `validation-00000-of-00002.parquet`. Undefined for anything else.
 *
 * @throws CliprpnError bad_input when files of such a folder have no split.
 */
export function splitFiles({ file, split }: RowsFile): RowsFile[] | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() === true && split === null && /-\d{5}-of-\d{5}\.parquet$/.test(file))
    return [{ file, split: splitOfFile(basename(file)) ?? null }];
  if (stat?.isDirectory() !== true) return undefined;
  const folder = [file, join(file, "data")].find((path) => parquetFiles(path).length > 0);
  if (folder === undefined) return undefined;
  return parquetFiles(folder).map((name) => {
    const named = split ?? splitOfFile(name);
    if (named === undefined)
      throw new CliprpnError(
        "bad_input",
        `${join(folder, name)}: expected the split in the name, such as validation-00000-of-00001.parquet; pass the files one by one, as --from SPLIT=FILE`,
      );
    return { file: join(folder, name), split: named };
  });
}

function parquetFiles(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".parquet") && !name.startsWith("."))
    .sort();
}
