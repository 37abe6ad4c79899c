import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { namesIn, removeIfEmpty } from "../base/files.ts";
import { compareTexts } from "../base/format.ts";
import { type AcquireOptions, acquireOwnerLock, type OwnerLock } from "../base/owner-lock.ts";
import { replaceFile, reportStaging } from "../base/replace-file.ts";
import type { StoredComparison } from "../contract/generated/types.ts";
import { readStored, toJson } from "./files.ts";

const lockName = "report-lock";

/** The folder of a comparison, `comparisons/<name>`. */
export class ComparisonStore {
  readonly name: string;
  readonly folder: string;

  constructor(runsDir: string, name: string) {
    this.name = name;
    this.folder = join(comparisonsFolder(runsDir), name);
  }

  get exists(): boolean {
    return existsSync(this.#file);
  }

  /** Undefined before it is complete. @throws CliprpnError bad_input if it is damaged. */
  read(): StoredComparison | undefined {
    return readStored("StoredComparison", this.#file);
  }

  write(comparison: StoredComparison): void {
    mkdirSync(this.folder, { recursive: true });
    replaceFile(this.#file, toJson(comparison));
  }

  /** Takes the lock of the comparison, so that one process at a time writes its reports. */
  lockReport(options: AcquireOptions): Promise<OwnerLock> {
    mkdirSync(this.folder, { recursive: true });
    return acquireOwnerLock(this.reportLockFolder, options);
  }

  /** Removes the folder of a comparison that was refused before anything was written. Call it with the lock of the reports. */
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

  /** When it was last compared, in ms since 1970. */
  get changedAt(): number {
    const stats = [this.#file, this.folder].map((path) => statSync(path, { throwIfNoEntry: false }));
    return stats.find((each) => each !== undefined)?.mtimeMs ?? 0;
  }

  get #file(): string {
    return join(this.folder, "comparison.json");
  }
}

export function comparisonsFolder(runsDir: string): string {
  return join(runsDir, "comparisons");
}

/** All comparisons in a runs folder, the one that was changed last first; also those that stopped early. */
export function allComparisons(runsDir: string): ComparisonStore[] {
  return namesIn(comparisonsFolder(runsDir))
    .filter((name) => statSync(join(comparisonsFolder(runsDir), name)).isDirectory())
    .map((name) => new ComparisonStore(runsDir, name))
    .map((comparison) => ({ comparison, changedAt: comparison.changedAt }))
    .sort((a, b) => b.changedAt - a.changedAt || compareTexts(a.comparison.name, b.comparison.name))
    .map(({ comparison }) => comparison);
}
