import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";

/**
 * A process of a sweep by what it does. `worker` is the Node process of a slot, and `python` its Python; elsewhere, `join` is the command
 * that joins a sweep, a `pilot` takes trials, its `child` runs them, and its `survivor` says so if it is killed. `other` is a shell, for
 * example.
 */
export type Role =
  | "cli"
  | "worker"
  | "python"
  | "join"
  | "pilot"
  | "child"
  | "survivor"
  | "decoder"
  | "other";

/** Something that goes wrong at a change of the disk; see faults.c. */
export interface Fault {
  /** Which process makes the change. */
  role: Role;
  call: string;
  /** A pattern of fnmatch for the path, relative to the folder of the sweep. */
  path: string;
  /** At which of the matching changes of one run, from 1. */
  number: number;
  /** `kill` ends the process that makes the change; kill-parent that of Python, which is the Node worker or the pilot. */
  what: "kill" | "kill-parent" | "kill-cli" | "full" | "read-only" | "clock";
  when: "before" | "half" | "after";
  /** Seconds, for the clock. */
  argument: number;
}

/** A change of the disk that a process made. */
export interface Change {
  role: Role;
  call: string;
  path: string;
}

/** Builds faults.c. @returns the library, or why this machine has none. */
export function buildFaults(folder: string): { library: string } | { missing: string } {
  if (process.platform !== "linux") return { missing: `expected Linux, found ${process.platform}` };
  const library = join(folder, "faults.so");
  const source = join(packageRoot, "test/torture/faults.c");
  const { status, stderr, error } = spawnSync(
    "cc",
    ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"],
    {
      encoding: "utf8",
    },
  );
  if (status === 0) return { library };
  return { missing: `cc cannot build faults.c: ${error?.message ?? stderr.trim()}` };
}

/** The folder in which the processes of one run find their faults, and tell what they changed. */
export class FaultBoard {
  readonly #folder: string;

  constructor(folder: string, faults: readonly Fault[]) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const lines = faults.map(({ role, call, path, number, what, when, argument }) =>
      [role, call, path, number, what, when, argument].join("\t"),
    );
    writeFileSync(join(folder, "plan"), lines.map((line) => `${line}\n`).join(""));
    writeFileSync(join(folder, "board"), Buffer.alloc(boardBytes));
    for (const name of ["trace", "fired"]) writeFileSync(join(folder, name), "");
  }

  /** @param root changes elsewhere are left alone. */
  env(library: string, root: string): NodeJS.ProcessEnv {
    return { LD_PRELOAD: library, TORTURE_FOLDER: this.#folder, TORTURE_ROOT: root };
  }

  get changes(): Change[] {
    return this.#lines("trace").map(([role = "", call = "", path = ""]) => ({
      role: role as Role,
      call,
      path,
    }));
  }

  /** The faults that have happened, by their number in the plan, and the changes at which. */
  get fired(): { fault: number; change: Change }[] {
    return this.#lines("fired").map(([fault, role = "", call = "", path = ""]) => ({
      fault: Number(fault),
      change: { role: role as Role, call, path },
    }));
  }

  /** Ends the faults that last, a full disk for example, for processes that outlive the run. */
  close(): void {
    const fd = openSync(join(this.#folder, "board"), "r+"); // Not emptied: processes have it mapped.
    writeSync(fd, Buffer.alloc(16), 0, 16, 0);
    closeSync(fd);
  }

  #lines(name: string): string[][] {
    const file = join(this.#folder, name);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"));
  }
}

const boardBytes = 4096;
