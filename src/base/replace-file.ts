import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasCode, naming, noHardLinks, removeFile } from "./files.ts";

/** Replaces a file in one step: after a kill or a power failure it is the old or the new one. */
export function replaceFile(file: string, content: string | Buffer): void {
  const staging = writeStaging(file, content);
  try {
    renameSync(staging, file);
  } catch (error) {
    unlinkSync(staging);
    throw error;
  }
  syncFolder(dirname(file));
}

/** Creates a complete file in one step. @returns false if the file exists already; it is unchanged then. */
export function createFile(file: string, content: string | Buffer): boolean {
  const staging = writeStaging(file, content);
  try {
    linkSync(staging, file); // Exclusive on network disks too.
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    if (!hasCode(error, ...noHardLinks)) throw error;
    if (existsSync(file)) return false; // Only a lock makes this exclusive.
    renameSync(staging, file);
  } finally {
    removeFile(staging);
  }
  syncFolder(dirname(file));
  return true;
}

/** Renames a file or a folder, durably; both names are on one file system. */
export function moveDurably(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
  syncFolder(dirname(from));
}

/** Names of files that a killed process, also one of Python, has not renamed: `.manifest.json.1f0c2b3a4d5e.new`. */
export const stagingName = /^\..+\.[0-9a-f]{12,16}\.new$/;

/** Start of the names of folders in which a report is built, `.report-a1B2c3`, before it is moved into place. */
export const reportStaging = ".report-";

/** A complete, synced file next to `file`. Its name is random: processes of two machines may have the same id. */
function writeStaging(file: string, content: string | Buffer): string {
  const staging = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}.new`);
  const fd = openSync(staging, "wx");
  try {
    naming(file, () => {
      writeFileSync(fd, content);
      fsyncSync(fd);
    });
  } catch (error) {
    unlinkSync(staging);
    throw error;
  } finally {
    closeSync(fd);
  }
  return staging;
}

/** Makes the names in a folder durable. Not every file system can sync a folder. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!hasCode(error, "EINVAL", "ENOTSUP")) throw error;
  } finally {
    closeSync(fd);
  }
}
