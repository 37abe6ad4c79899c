import { rmSync } from "node:fs";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { CliprpnError } from "../../contract/errors.ts";
import type { PreparedImage } from "../../contract/generated/types.ts";

const MAX_SHOWN = 20;

/** An image and what is wrong with it. */
export type BadImage = Pick<PreparedImage, "file_name" | "problem">;

/** Notes images that cannot be used. @throws CliprpnError data_invalid, unless they may be left out. */
export function refuse(
  { folder, allow_missing }: { folder: string; allow_missing: boolean },
  images_dir: string,
  bad: readonly BadImage[],
): void {
  const list = noteProblems(folder, bad);
  if (bad.length > 0 && !allow_missing) throw new CliprpnError("data_invalid", `${images_dir}: ${list}`);
}

/** Tells which images cannot be used: the first twenty, and all of them in a file beside the data set. */
function noteProblems(folder: string, bad: readonly BadImage[]): string {
  const file = join(folder, "problems.txt");
  if (bad.length === 0) {
    rmSync(file, { force: true });
    return "";
  }
  const lines = bad.map(({ file_name, problem }) => `${JSON.stringify(file_name)}: ${problem}`);
  writeFileAtomic.sync(file, `${lines.join("\n")}\n`);
  const more = bad.length > MAX_SHOWN ? [`  and ${bad.length - MAX_SHOWN} more, all in ${file}`] : [];
  return [
    `${bad.length} ${bad.length === 1 ? "picture" : "pictures"} cannot be used`,
    ...lines.slice(0, MAX_SHOWN).map((line) => `  ${line}`),
    ...more,
    "mend them and run it again, or go on without their refs by --allow-missing",
  ].join("\n");
}
