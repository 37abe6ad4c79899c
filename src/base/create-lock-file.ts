import { randomBytes } from "node:crypto";
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { hasCode, naming, noHardLinks, removeFile } from "./files.ts";
import { highestOf, isGone, stateLine } from "./lock-file.ts";
import { thisProcess } from "./process-identity.ts";

/**
 * Creates the file of a lock with this number, complete and synced, if the number is higher than all that ever existed;
 * removes the lower ones. Synchronous: a trial is claimed several times faster than with promises.
 *
 * @param folder created if missing.
 * @param line the first line; the second says that the lock is held.
 * @returns the descriptor of the open file; undefined when another process was faster.
 */
export function createLockFile(folder: string, number: number, line: string): number | undefined {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, String(number));
  const file = createExclusively(folder, path, line + stateLine("held", 0));
  if (file === undefined) return undefined;
  try {
    // A number that existed and was removed can be created again: then a higher one exists, as the highest stays.
    const names = readdirSync(folder);
    if (highestOf(names) === number) {
      removeLeftovers(folder, names, number);
      return file;
    }
    removeFile(path);
  } catch (error) {
    // Too many open files, for example. A live process's lock would never be taken over.
    try {
      writeSync(file, stateLine("released", 0), Buffer.byteLength(line));
    } finally {
      closeSync(file);
    }
    throw error;
  }
  closeSync(file);
  return undefined;
}

/** Creates a complete file in one step; undefined if it exists. */
function createExclusively(folder: string, path: string, text: string): number | undefined {
  const { host, pid } = thisProcess();
  const temporary = join(folder, `${temporaryPrefix}${host}-${pid}-${randomBytes(8).toString("hex")}`);
  const file = openSync(temporary, "wx");
  try {
    naming(path, () => writeAll(file, text));
    if (linkExclusively(temporary, path, file)) return file;
    closeSync(file);
    return undefined;
  } catch (error) {
    closeSync(file);
    if (!hasCode(error, ...noHardLinks)) throw error;
  } finally {
    removeQuietly(temporary); // If it fails, the next owner removes it.
  }
  return createInPlace(path, text);
}

const temporaryPrefix = "new-";

/** @returns false if the path exists, or if the owner of a higher number removed the temporary file. */
function linkExclusively(temporary: string, path: string, file: number): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    // A network file system may repeat a request whose answer was lost.
    if (hasCode(error, "EEXIST")) return fstatSync(file).nlink === 2;
    if (isGone(error)) return false;
    throw error;
  }
}

/** On a file system without hard links. A kill in the middle leaves a damaged file, whose owner is unknown. */
function createInPlace(path: string, text: string): number | undefined {
  let file: number;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if (hasCode(error, "EEXIST")) return undefined;
    throw error;
  }
  try {
    naming(path, () => writeAll(file, text));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function writeAll(file: number, text: string): void {
  writeFileSync(file, text);
  fdatasyncSync(file);
}

/**
 * Removes lower numbers, and the temporary files of processes that were killed; a failure only leaves them there. A live
 * process whose temporary file is removed finds this lock and waits.
 */
function removeLeftovers(folder: string, names: readonly string[], number: number): void {
  const isLeftover = (name: string): boolean =>
    name.startsWith(temporaryPrefix) || (/^\d+$/.test(name) && Number(name) < number);
  for (const name of names.filter(isLeftover)) removeQuietly(join(folder, name));
}

function removeQuietly(path: string): void {
  try {
    removeFile(path);
  } catch {
    // It stays there.
  }
}
