import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

/** A change of the disk that is about to happen. */
export interface DiskChange {
  /** What is called, and the file or folder, relative to the watched one: `rename sweeps/made/places.json`. */
  name: string;
  /** True if it only makes earlier changes durable. */
  isSync: boolean;
  /** Makes half of the change: half of the bytes, or half of the entries of a removed folder; undefined if it is atomic. */
  half: (() => void) | undefined;
}

/**
 * Calls `before` before each change of the disk below a folder that this process makes with node:fs or node:fs/promises, however
 * these are imported. Nothing is synced, to save time: what a killed process wrote stays, synced or not.
 */
export function watchChanges(folder: string, before: (change: DiskChange) => void): void {
  const files = new Map<number, string>();
  let isNested = false; // Functions of node:fs call each other.
  const pathOf = (target: unknown): string =>
    typeof target === "number" ? (files.get(target) ?? "") : String(target);
  const changes = (call: string, target: unknown, more: Partial<DiskChange> = {}): void => {
    const path = pathOf(target);
    if (isNested || (path !== folder && !path.startsWith(`${folder}/`))) return;
    before({ name: `${call} ${path.slice(folder.length + 1)}`, isSync: false, half: undefined, ...more });
  };
  const wrap = (owner: object, call: string, by: (real: Call) => Call): void => {
    const real: Call = Reflect.get(owner, call);
    const unwatched: Call = (...args) => {
      const before = isNested;
      isNested = true;
      try {
        return real.apply(owner, args);
      } finally {
        isNested = before;
      }
    };
    Reflect.set(owner, call, by(unwatched));
  };

  for (const [owner, ending] of [
    [fs, "Sync"],
    [fs.promises, ""],
  ] as const) {
    for (const name of ["mkdir", "link", "unlink", "appendFile", "cp", "copyFile", "truncate", "mkdtemp"])
      wrap(owner, name + ending, (real) => (...args) => {
        changes(name, args[name === "link" || name.startsWith("c") ? 1 : 0]);
        return real(...args);
      });
    wrap(owner, `rename${ending}`, (real) => (...args) => {
      changes("rename", args[1]);
      return real(...args);
    });
    wrap(owner, `rm${ending}`, (real) => (...args) => {
      changes("rm", args[0], { half: halfOfRemoval(String(args[0])) });
      return real(...args);
    });
  }

  wrap(fs, "openSync", (real) => (path, flags, mode) => {
    if (createsFile(flags)) changes("open", path);
    const fd = real(path, flags, mode);
    files.set(Number(fd), String(path));
    return fd;
  });
  wrap(fs, "writeFileSync", (real) => (target, content, ...rest) => {
    changes("writeFile", target, { half: () => real(target, halfOf(content), ...rest) });
    return real(target, content, ...rest);
  });
  wrap(fs, "writeSync", (real) => (target, content, position) => {
    const bytes = halfOf(content);
    changes("write", target, { half: () => real(target, bytes, 0, bytes.length, position) });
    return real(target, content, position);
  });
  for (const name of ["fsyncSync", "fdatasyncSync"])
    wrap(fs, name, () => (fd) => changes("sync", fd, { isSync: true }));

  wrap(fs.promises, "writeFile", (real) => (path, content, ...rest) => {
    changes("writeFile", path, { half: () => original.writeFileSync(String(path), halfOf(content)) });
    return real(path, content, ...rest);
  });
  wrap(fs.promises, "open", (real) => async (path, flags, mode) => {
    if (createsFile(flags)) changes("open", path);
    const file = (await real(path, flags, mode)) as FileHandle;
    for (const name of ["writeFile", "write"])
      wrap(file, name, (write) => (content, position) => {
        const bytes = halfOf(content);
        const at = typeof position === "number" ? position : null;
        const half = (): void => void original.writeSync(file.fd, bytes, 0, bytes.length, at);
        changes(name, path, { half });
        return write(content, position);
      });
    for (const name of ["sync", "datasync"])
      wrap(file, name, () => async () => changes("sync", path, { isSync: true }));
    return file;
  });
  syncBuiltinESMExports();
}

type Call = (...args: unknown[]) => unknown;

function createsFile(flags: unknown): boolean {
  return typeof flags === "string" && /[wa]/.test(flags);
}

function halfOf(content: unknown): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(String(content));
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

function halfOfRemoval(path: string): (() => void) | undefined {
  if (!fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const names = fs.readdirSync(path, { recursive: true, encoding: "utf8" });
  return () => {
    for (const name of names.slice(0, Math.ceil(names.length / 2)))
      original.rmSync(join(path, name), { recursive: true, force: true });
  };
}

/** The functions as they were before they were replaced. */
const original = { ...fs };
