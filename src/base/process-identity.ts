import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { hasCode } from "./files.ts";

/** What identifies a process among all machines that share a folder; null where the system does not say. */
export interface ProcessIdentity {
  host: string;
  machine_id: string | null;
  boot_id: string | null;
  pid: number;
  pid_namespace: string | null;
  /** In the system's own unit; distinguishes the process from a later one with the same pid. */
  process_start: string | null;
}

/** The identity of this process. */
export function thisProcess(): ProcessIdentity {
  known ??= {
    host: hostname(),
    machine_id: machineId(),
    boot_id: bootId(),
    pid: process.pid,
    pid_namespace: pidNamespace(),
    process_start: runningProcess(process.pid)?.start ?? null,
  };
  return known;
}

let known: ProcessIdentity | undefined;

/**
 * Whether a process still exists, as far as this machine can tell at once. A stopped process (SIGSTOP) exists. No clocks are
 * compared.
 *
 * @returns "unknown" for a process of another machine or container.
 */
export function processState(other: ProcessIdentity): "alive" | "dead" | "unknown" {
  const me = thisProcess();
  const isSameHost = other.host === me.host;
  const isSameMachine = other.machine_id !== null && other.machine_id === me.machine_id;
  if (!isSameMachine && (!isSameHost || areDifferent(other.machine_id, me.machine_id))) return "unknown";
  if (areDifferent(other.boot_id, me.boot_id)) return isSameMachine && isSameHost ? "dead" : "unknown";
  // A boot id is random: equal ones are of one running kernel. A pid counts within one namespace of it.
  const isComparable = [other.boot_id, me.boot_id, other.pid_namespace, me.pid_namespace].every(
    (id) => id !== null,
  );
  if (!isComparable || other.pid_namespace !== me.pid_namespace) return "unknown";
  if (!exists(other.pid)) return "dead";
  const running = runningProcess(other.pid);
  if (running === undefined || other.process_start === null) return exists(other.pid) ? "unknown" : "dead";
  return running.isZombie || running.start !== other.process_start ? "dead" : "alive";
}

/** True if both are known and differ. */
function areDifferent(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}

/** Stops this process until it gets SIGCONT, as Ctrl-Z does. */
export function suspendThisProcess(): void {
  process.kill(process.pid, "SIGSTOP");
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: a process of another user.
    return !hasCode(error, "ESRCH");
  }
}

/** undefined when the process has ended or belongs to a user whose processes are hidden. */
function runningProcess(pid: number): { start: string; isZombie: boolean } | undefined {
  if (process.platform === "linux") {
    // The name in parentheses may contain spaces and parentheses; the state is field 3, the start is field 22.
    const fields =
      readText(`/proc/${pid}/stat`)
        ?.replace(/^.*\) /s, "")
        .split(" ") ?? [];
    const [state = "", start] = [fields[0], fields[19]];
    return start === undefined ? undefined : { start, isZombie: state === "Z" || state === "X" };
  }
  const [, state = "", start] =
    /^(\S+)\s+(\S.*)$/.exec(output("ps", ["-o", "stat=", "-o", "lstart=", "-p", `${pid}`]) ?? "") ?? [];
  return start === undefined ? undefined : { start, isZombie: state.startsWith("Z") };
}

/** null in a container, whose machine id may be a part of its image and thus be on many machines. */
function machineId(): string | null {
  const id = pidNamespace() === initialNamespace ? readText("/etc/machine-id") : undefined;
  // It is "uninitialized" during the first boot.
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : null;
}

/** Linux gives the machine's own namespace this number, always. */
const initialNamespace = "pid:[4026531836]";

function bootId(): string | null {
  const id =
    process.platform === "linux"
      ? readText("/proc/sys/kernel/random/boot_id")
      : output("sysctl", ["-n", "kern.bootsessionuuid"]);
  return id ?? null;
}

function pidNamespace(): string | null {
  if (process.platform !== "linux") return "the only one";
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return null;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

function output(command: string, args: string[]): string | undefined {
  try {
    const env = { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };
    return (
      execFileSync(command, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}
