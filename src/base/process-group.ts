import { type ChildProcess, spawn } from "node:child_process";
import { hasCode } from "./files.ts";

/**
 * Starts a program as the leader of a new process group, its standard output and error piped, with Node's IPC channel. The
 * whole group is killed when this process ends, even by SIGKILL.
 */
export function spawnGroup(command: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(...guardedCommand(command, args), {
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "ipc"],
    env,
  });
}

/**
 * The command line of a program whose process group is killed when this process ends. Start it with `detached` and with
 * standard input as a pipe; the program itself reads nothing from it.
 */
export function guardedCommand(command: string, args: string[]): [file: string, args: string[]] {
  return ["/bin/sh", ["-c", guard, "sh", command, ...args]];
}

/** Kills all processes of the group; one that has ended already is fine. */
export function killGroup(pid: number | undefined): void {
  if (pid !== undefined) signalProcess(-pid, "SIGKILL");
}

/** Sends a signal; a process that has ended already is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, ...hasEnded)) throw error;
  }
}

/** macOS answers EPERM for a group of ended processes that were not waited for yet. */
const hasEnded = ["ESRCH", "EPERM"];

/**
 * sh replaces itself with the program. Its background subshell waits for the end of standard input, which comes when this
 * process ends, and then kills the group. File descriptor 3 is the IPC channel, if there is one.
 */
const guard =
  'exec 9<&0; (trap "" INT TERM HUP; exec 3>&-; read -r line <&9; kill -KILL 0) >/dev/null 2>&1 & exec 9<&-; exec "$@" </dev/null';
