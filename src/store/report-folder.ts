import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { namesIn, removeIfEmpty } from "../base/files.ts";
import { compareTexts } from "../base/format.ts";
import { type AcquireOptions, acquireOwnerLock, type OwnerLock } from "../base/owner-lock.ts";
import { reportStaging } from "../base/replace-file.ts";

const lockName = "report-lock";

/** A folder with reports: of a sweep, a comparison or an audit. */
export class ReportFolder {
  readonly name: string;
  readonly folder: string;
  /** The file that says what the report is about. */
  protected readonly file: string;

  constructor(parent: string, name: string, file: string) {
    this.name = name;
    this.folder = join(parent, name);
    this.file = join(this.folder, file);
  }

  get exists(): boolean {
    return existsSync(this.file);
  }

  /** Takes the lock, so that one process at a time writes the report. The folder is created. */
  lockReport(options: AcquireOptions): Promise<OwnerLock> {
    mkdirSync(this.folder, { recursive: true });
    return acquireOwnerLock(this.reportLockFolder, options);
  }

  /** Removes the folder of a report that was refused before anything was written. Call it with the lock of the reports. */
  removeEmpty(): void {
    const names = namesIn(this.folder);
    if (names.length === 0 || names.some((name) => name !== lockName)) return;
    // The lock is renamed too: a process that waits for it creates the folder again.
    const removed = `${this.folder}.removed-${randomBytes(4).toString("hex")}`;
    renameSync(this.folder, removed);
    rmSync(removed, { recursive: true, force: true });
    removeIfEmpty(dirname(this.folder));
  }

  get reportLockFolder(): string {
    return join(this.folder, lockName);
  }

  /** Folders in which a report is, or was, built. Without the lock of the reports, a live process may use them. */
  reportStagings(): string[] {
    return namesIn(this.folder)
      .filter((name) => name.startsWith(reportStaging))
      .map((name) => join(this.folder, name));
  }

  /** When the report was last written, in ms since 1970. */
  get changedAt(): number {
    const stats = [this.file, this.folder].map((path) => statSync(path, { throwIfNoEntry: false }));
    return stats.find((each) => each !== undefined)?.mtimeMs ?? 0;
  }
}

/** All report folders in a folder, the one that was changed last first; also those that stopped early. */
export function reportFoldersIn<T extends ReportFolder>(parent: string, open: (name: string) => T): T[] {
  return namesIn(parent)
    .filter((name) => statSync(join(parent, name), { throwIfNoEntry: false })?.isDirectory() === true)
    .map(open)
    .map((folder) => ({ folder, changedAt: folder.changedAt }))
    .sort((a, b) => b.changedAt - a.changedAt || compareTexts(a.folder.name, b.folder.name))
    .map(({ folder }) => folder);
}
