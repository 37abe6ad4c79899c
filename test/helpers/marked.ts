/** Processes that inherited an environment variable. Linux only; imports no test runner. */
import { readdirSync, readFileSync } from "node:fs";

export interface RunningProcess {
  pid: number;
  parent: number;
  /** Its command line, with spaces between the arguments. */
  line: string;
}

/** A variable that no other process has; pass it to the processes that are to be found again. */
export class Mark {
  readonly env: Record<string, string>;
  readonly #entry: string;

  constructor() {
    const value = `${process.pid}-${Math.random().toString(36).slice(2)}`;
    this.env = { [name]: value };
    this.#entry = `${name}=${value}`;
  }

  /** Those that still run, without zombies. */
  processes(): RunningProcess[] {
    return readdirSync("/proc")
      .filter((pid) => /^\d+$/.test(pid) && read(pid, "environ").split("\0").includes(this.#entry))
      .flatMap((pid) => {
        const status = read(pid, "status");
        if (status === "" || /^State:\s+Z/m.test(status)) return [];
        const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
        return [{ pid: Number(pid), parent, line: read(pid, "cmdline").replaceAll("\0", " ") }];
      });
  }
}

const name = "CLIPRPN_TEST_MARK";

/** Sends a signal; a process that has ended is fine. @returns whether it was there. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function describeProcess({ pid, line }: RunningProcess): string {
  return `${pid} ${line.slice(0, 200)}`;
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // The process has ended.
  }
}
