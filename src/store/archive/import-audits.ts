import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createFile, moveDurably } from "../../base/replace-file.ts";
import { auditsFolder } from "../audit-store.ts";
import type { NamedFile } from "./check-trial.ts";
import { marked } from "./import-sweep.ts";
import { extract, type ImportTarget } from "./import-trial.ts";
import type { SweepArchive } from "./open-archive.ts";

const advice = "`cliprpn audit` asks the imported models again, if the archive has them.";

/** Adds the audits of an archive, each in one step; one of a name that is here already stays as it is. */
export async function addAudits(
  archive: SweepArchive,
  audits: ReadonlyMap<string, readonly NamedFile[]>,
  { runsDir, staging, from }: Pick<ImportTarget, "runsDir" | "staging" | "from">,
): Promise<void> {
  for (const [name, files] of audits) {
    const folder = join(auditsFolder(runsDir), name);
    if (existsSync(folder)) continue;
    const staged = join(staging, `audit-${name}`);
    mkdirSync(staged);
    for (const { name: fileName, file } of files) {
      const to = join(staged, fileName);
      if (fileName.endsWith(".md"))
        createFile(to, marked((await archive.read(file)).toString("utf8"), archive, from, advice));
      else await extract(archive, file, to);
    }
    mkdirSync(auditsFolder(runsDir), { recursive: true });
    if (!existsSync(folder)) moveDurably(staged, folder);
  }
}
