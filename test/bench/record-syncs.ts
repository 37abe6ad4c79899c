/** The synced writes of this process, and the same writes without anything else. */
import fs from "node:fs";
import { open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** A write that was synced: of a new file, of a line at the end of a file, or of the names in a folder. */
export interface Sync {
  kind: "file" | "line" | "folder";
  bytes: number;
}

/** Records every sync of this process from now on. @returns a list that grows. */
export async function recordSyncs(): Promise<Sync[]> {
  const syncs: Sync[] = [];
  /** The file that was synced last, by its descriptor. */
  const files = new Map<number, { ino: number; size: number }>();
  const record = (fd: number): void => {
    const stats = fs.fstatSync(fd);
    const before = files.get(fd);
    files.set(fd, { ino: stats.ino, size: stats.size });
    if (stats.isDirectory()) syncs.push({ kind: "folder", bytes: 0 });
    else if (before?.ino !== stats.ino) syncs.push({ kind: "file", bytes: stats.size });
    else syncs.push({ kind: "line", bytes: stats.size - before.size });
  };
  for (const name of ["fsyncSync", "fdatasyncSync"] as const) {
    const original = originals[name];
    fs[name] = (fd) => {
      record(fd);
      original(fd);
    };
  }
  syncBuiltinESMExports();
  const handle = await open(process.execPath);
  const prototype: typeof handle = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ["sync", "datasync"] as const) {
    const original = prototype[name];
    prototype[name] = function () {
      record(this.fd);
      return original.call(this);
    };
  }
  return syncs;
}

/** Counts the files of this process that get another name from now on. */
export function countNames(): { num: number } {
  const names = { num: 0 };
  for (const name of ["renameSync", "linkSync"] as const) {
    const original = fs[name];
    fs[name] = (from, to) => {
      names.num += 1;
      original(from, to);
    };
  }
  syncBuiltinESMExports();
  return names;
}

/** Writes and syncs new files, lines and folders as recorded. @returns the duration in ms. */
export function repeatSyncs(syncs: readonly Sync[], folder: string): number {
  fs.mkdirSync(folder, { recursive: true });
  const [folderFd, linesFd] = [fs.openSync(folder, "r"), fs.openSync(join(folder, "lines"), "a")];
  const started = performance.now();
  for (const [index, { kind, bytes }] of syncs.entries()) {
    const content = " ".repeat(bytes);
    if (kind === "file") {
      const fd = fs.openSync(join(folder, String(index)), "wx");
      fs.writeSync(fd, content);
      originals.fsyncSync(fd);
      fs.closeSync(fd);
    } else if (kind === "line") {
      fs.writeSync(linesFd, content);
      originals.fdatasyncSync(linesFd);
    } else originals.fsyncSync(folderFd);
  }
  const ms = performance.now() - started;
  fs.closeSync(folderFd);
  fs.closeSync(linesFd);
  return ms;
}

/** Not recorded. */
const originals = { fsyncSync: fs.fsyncSync, fdatasyncSync: fs.fdatasyncSync };
