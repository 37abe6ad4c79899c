/** However the owner of a worker ends, no process of the worker is left, not even children of Python. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { type MarkedProcesses, markProcesses, untilNone } from "../helpers/processes.ts";
import { faultsFolder } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

interface Owner {
  processes: MarkedProcesses;
  child: ChildProcess;
  pids: { worker: number; python: number };
}

async function busyOwner(): Promise<Owner> {
  const processes = markProcesses();
  const script = join(packageRoot, "test/helpers/bridge-owner.ts");
  const child = spawn(
    process.execPath,
    ["--import", "tsx", script, join(tempFolder(), "worker.log"), faultsFolder],
    { cwd: packageRoot, env: { ...process.env, ...processes.env }, stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = await once(child.stdout, "data", { signal: AbortSignal.timeout(240_000) });
  return { processes, child, pids: JSON.parse(String(line)) };
}

const sigkill = (...pids: (number | undefined)[]): void => {
  for (const pid of pids) process.kill(pid ?? 0, "SIGKILL");
};

test.each<[string, (owner: Owner) => void]>([
  ["SIGKILL of the owner", ({ child }) => sigkill(child.pid)],
  ["SIGKILL of all Node processes at once", ({ child, pids }) => sigkill(child.pid, pids.worker)],
  ["SIGKILL of Python and the owner at once", ({ child, pids }) => sigkill(pids.python, child.pid)],
  ["SIGTERM of the owner, which has no handler", ({ child }) => void child.kill("SIGTERM")],
])("%s leaves no process", async (_what, end) => {
  const owner = await busyOwner();
  expect(owner.processes.running().length).toBeGreaterThanOrEqual(7);
  end(owner);
  await untilNone(owner.processes);
});
