import { type ChildProcess, spawn } from "node:child_process";

/**
 * Starts a program as the leader of a process group of its own, its standard output and error piped, with Node's channel.
 * Whichever way this process ends, so does the whole group: it waits on a pipe whose other end only we hold.
 */
export function spawnGroup(command: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn("/bin/sh", ["-c", guard, "sh", command, ...args], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "ipc"],
    env,
  });
}

/** Ends all processes of the group, now. One that has ended already is fine. */
export function killGroup(pid: number | undefined): void {
  if (pid !== undefined) signalProcess(-pid, "SIGKILL");
}

/** Sends a signal; a process that has ended already is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** sh becomes the program; beside it waits what ends the group once our end of its standard input closes. */
const guard =
  'exec 9<&0; (trap "" INT TERM HUP; exec 3>&-; read -r line <&9; kill -KILL 0) >/dev/null 2>&1 & exec 9<&-; exec "$@" </dev/null';
