import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * Names of the files and folders in a folder; none if it is missing, or is a file.
 *
 * @param recursive also those in its folders, as relative paths.
 */
export function namesIn(folder: string, recursive = false): string[] {
  try {
    return readdirSync(folder, { recursive, encoding: "utf8" });
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** Removes a file if it exists; faster than rmSync, which looks first. */
export function removeFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

/** Removes a folder that has no files; another one stays. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY")) throw error;
  }
}

/** True for an error of the system with one of these codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Does something with an open file. @throws its error, with the name of the file, which those of descriptors lack. */
export function naming<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "code" in error && !("path" in error)) Object.assign(error, { path: file });
    throw error;
  }
}

/** True for the error of a disk that is full, read-only or broken. */
export function isDiskError(error: unknown): boolean {
  return hasCode(error, "ENOSPC", "EDQUOT", "EROFS", "EIO");
}

/** Codes of the error when a file system, such as exFAT, cannot give a file a second name. */
export const noHardLinks = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** The code of an error of the system, for messages; another error as text. */
export function errorCode(error: unknown): string {
  if (isReadOnlyFolder(error)) return "EROFS";
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

/** Node reports ENOENT when it creates folders below one on a disk that is mounted read-only. */
function isReadOnlyFolder(error: unknown): boolean {
  return (
    hasCode(error, "ENOENT") && error instanceof Error && "syscall" in error && error.syscall === "mkdir"
  );
}

/** True for an error of the system that says that a path cannot be written. */
export function isUnwritable(error: unknown): boolean {
  return hasCode(error, "EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST") || isReadOnlyFolder(error);
}

/** Bytes of a file, or of all files in a folder; 0 if it is gone. Links are not followed. */
export function sizeOf(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.size;
  return namesIn(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
