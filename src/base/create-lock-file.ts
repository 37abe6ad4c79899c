import { randomBytes } from "node:crypto";
import { type FileHandle, link, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, noHardLinks } from "./files.ts";
import { highestNumber, isGone, stateLine } from "./lock-file.ts";
import { thisProcess } from "./process-identity.ts";

/**
 * Creates the file of a lock with this number, complete and synced, if the number is higher than all that ever existed;
 * removes the lower ones.
 *
 * @param folder created if missing.
 * @param line the first line; the second says that the lock is held.
 * @returns the open file; undefined when another process was faster.
 */
export async function createLockFile(
  folder: string,
  number: number,
  line: string,
): Promise<FileHandle | undefined> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, String(number));
  const file = await createExclusively(folder, path, line + stateLine("held", 0));
  if (file === undefined) return undefined;
  try {
    // A number that existed and was removed can be created again: then a higher one exists, as the highest stays.
    if (highestNumber(folder) === number) {
      await removeLeftovers(folder, number);
      return file;
    }
    await rm(path, { force: true });
  } catch (error) {
    // Too many open files, for example. A live process's lock would never be taken over.
    await file.write(stateLine("released", 0), Buffer.byteLength(line)).finally(() => file.close());
    throw error;
  }
  await file.close();
  return undefined;
}

/** Creates a complete file in one step; undefined if it exists. */
async function createExclusively(
  folder: string,
  path: string,
  text: string,
): Promise<FileHandle | undefined> {
  const { host, pid } = thisProcess();
  const temporary = join(folder, `${temporaryPrefix}${host}-${pid}-${randomBytes(8).toString("hex")}`);
  const file = await open(temporary, "wx");
  try {
    await writeAll(file, text);
    if (await linkExclusively(temporary, path, file)) return file;
    await file.close();
    return undefined;
  } catch (error) {
    await file.close();
    if (!hasCode(error, ...noHardLinks)) throw error;
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined); // The next owner removes it.
  }
  return await createInPlace(path, text);
}

const temporaryPrefix = "new-";

/** @returns false if the path exists, or if the owner of a higher number removed the temporary file. */
async function linkExclusively(temporary: string, path: string, file: FileHandle): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    // A network file system may repeat a request whose answer was lost.
    if (hasCode(error, "EEXIST")) return (await file.stat()).nlink === 2;
    if (isGone(error)) return false;
    throw error;
  }
}

/** On a file system without hard links. A kill in the middle leaves a damaged file, whose owner is unknown. */
async function createInPlace(path: string, text: string): Promise<FileHandle | undefined> {
  const file = await open(path, "wx").catch((error: unknown) => {
    if (hasCode(error, "EEXIST")) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    await writeAll(file, text);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writeAll(file: FileHandle, text: string): Promise<void> {
  await file.writeFile(text);
  await file.datasync();
}

/**
 * Removes lower numbers, and the temporary files of processes that were killed; a failure only leaves them there. A live
 * process whose temporary file is removed finds this lock and waits.
 */
async function removeLeftovers(folder: string, number: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const isLeftover = (name: string): boolean =>
    name.startsWith(temporaryPrefix) || (/^\d+$/.test(name) && Number(name) < number);
  for (const name of names.filter(isLeftover))
    await rm(join(folder, name), { force: true }).catch(() => undefined);
}
