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
  readonly #texts: string[];

  /** @param folder processes that name it in their command line or environment are found, too: a cluster may drop the variable. */
  constructor(folder?: string) {
    const value = `${process.pid}-${Math.random().toString(36).slice(2)}`;
    this.env = { [name]: value };
    this.#texts = [`${name}=${value}\0`, ...(folder === undefined ? [] : [folder])];
  }

  /** Those that still run, without zombies. */
  processes(): RunningProcess[] {
    return processesThat((pid) => {
      if (Number(pid) === process.pid) return false;
      const content = read(pid, "environ") + read(pid, "cmdline");
      return this.#texts.some((text) => content.includes(text));
    });
  }
}

/** The processes that a process has started, and that still run. */
export function childrenOf(parent: number): RunningProcess[] {
  return processesThat((pid) => parentOf(Number(pid)) === parent);
}

/** @returns undefined if the process has ended. */
export function parentOf(pid: number): number | undefined {
  const [, parent] = /^PPid:\s+(\d+)/m.exec(read(String(pid), "status")) ?? [];
  return parent === undefined ? undefined : Number(parent);
}

/** A zombie has ended. */
export function isAlive(pid: number): boolean {
  const status = read(String(pid), "status");
  return status !== "" && !/^State:\s+Z/m.test(status);
}

/** Without zombies. */
function processesThat(condition: (pid: string) => boolean): RunningProcess[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && condition(pid) && isAlive(Number(pid)))
    .map((pid) => ({
      pid: Number(pid),
      parent: parentOf(Number(pid)) ?? 0,
      line: read(pid, "cmdline").replaceAll("\0", " "),
    }));
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
