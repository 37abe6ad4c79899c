import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "./files.ts";
import { type ProcessIdentity, processState } from "./process-identity.ts";

/** The process that holds a lock; "unknown" when its file is damaged. */
export type LockOwner = LockProcess | "unknown";

export interface LockProcess extends ProcessIdentity {
  command: string;
  /** For people; never compared with a clock. */
  taken_at: string;
}

/** The highest numbered file of a lock's folder: the only one that counts. */
export interface LockFile {
  number: number;
  owner: LockOwner;
  isReleased: boolean;
  /** Changes with each heartbeat, and with any other change of the file. */
  version: string;
}

/** For messages: "pid 123 on host (cliprpn sweep a.json)". */
export function describeOwner(owner: LockOwner): string {
  return owner === "unknown"
    ? "an unknown process (its lock file is damaged)"
    : `pid ${owner.pid} on ${owner.host} (${owner.command})`;
}

/** Whether the lock is free: "unknown" when only watching the file can tell. */
export function lockState(file: LockFile | undefined): "free" | "held" | "unknown" {
  if (file === undefined || file.isReleased) return "free";
  if (file.owner === "unknown") return "unknown";
  const state = processState(file.owner);
  return state === "unknown" ? "unknown" : state === "dead" ? "free" : "held";
}

/** Reads the highest numbered file; undefined when the folder has none. */
export function readLockFile(folder: string): LockFile | undefined {
  for (let previous = 0; ; ) {
    const number = highestNumber(folder);
    if (number === 0) return undefined;
    try {
      return { number, ...readContent(join(folder, String(number))) };
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    // A higher number exists now; if not, the name is a broken symlink, or a network file system lists an old state.
    if (number === previous) return { number, ...damaged };
    previous = number;
  }
}

/**
 * The highest number of the files in a lock's folder; 0 without files or folder. It never decreases, as the highest file is
 * never removed.
 */
export function highestNumber(folder: string): number {
  try {
    // The names of a few files are read in one step, between the changes of other processes.
    return highestOf(readdirSync(folder));
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

/** The highest number among the names in a lock's folder; 0 without one. */
export function highestOf(names: readonly string[]): number {
  return Math.max(0, ...names.filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number));
}

/** The first line of a lock's file. */
export function ownerLine(owner: LockProcess): string {
  return `${JSON.stringify(owner)}\n`;
}

/** The second line of a lock's file, of constant width, so that it is rewritten in place. */
export function stateLine(state: "held" | "released", counter: number): string {
  return `${state.padEnd(8)} ${String(counter).padStart(16, "0")}\n`;
}

/** The error of a file or folder that was removed; ESTALE is the one of a network file system. */
export function isGone(error: unknown): boolean {
  return hasCode(error, "ENOENT", "ESTALE");
}

function readContent(path: string): Omit<LockFile, "number"> {
  const descriptor = openSync(path, "r");
  try {
    const { ino, mtimeNs, size } = fstatSync(descriptor, { bigint: true });
    const buffer = Buffer.alloc(maxBytes);
    const text = buffer.toString("utf8", 0, readSync(descriptor, buffer));
    const [line = "", state = ""] = text.split(/(?<=\n)/);
    return {
      owner: parseOwner(line),
      isReleased: /^released \d{16}\n$/.test(state),
      version: [ino, mtimeNs, size, text].join(" "),
    };
  } catch (error) {
    if (hasCode(error, "EISDIR")) return damaged;
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

const maxBytes = 16_384;
const damaged = { owner: "unknown", isReleased: false, version: "unreadable" } as const;

function parseOwner(line: string): LockOwner {
  try {
    const value: unknown = JSON.parse(line);
    return isProcess(value) ? value : "unknown";
  } catch {
    return "unknown";
  }
}

function isProcess(value: unknown): value is LockProcess {
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map(Object.entries(value));
  const pid = fields.get("pid");
  return (
    Number.isSafeInteger(pid) &&
    Number(pid) > 0 &&
    ["host", "command", "taken_at"].every((name) => typeof fields.get(name) === "string") &&
    ["machine_id", "boot_id", "pid_namespace", "process_start"].every(
      (name) => fields.get(name) === null || typeof fields.get(name) === "string",
    )
  );
}
