/** Start-up time of the command line, and its memory in a sweep. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { cli, type Scenes } from "./scenes.ts";
import { median } from "./statistics.ts";

/** Median wall time of `node bin/cliprpn.js --help` and of an empty Node process. */
export async function helpMs(): Promise<{ help_ms: number; node_ms: number }> {
  const help: number[] = [];
  const node: number[] = [];
  for (let run = 0; run < 15; run += 1) {
    help.push(await wallMs([cli, "--help"]));
    node.push(await wallMs(["-e", "0"]));
  }
  return { help_ms: median(help), node_ms: median(node) };
}

async function wallMs(args: string[]): Promise<number> {
  const started = performance.now();
  await execa(process.execPath, args);
  return performance.now() - started;
}

export interface SweepMemory {
  seconds: number;
  /** Largest resident set size in bytes of the CLI, the worker's Node process and its Python process. */
  peak_bytes: { cli: number; worker: number; python: number };
}

/** Runs a sweep with both presets and the report, and measures it from outside. Linux only. */
export async function sweepMemory({ experiment, env, folder }: Scenes): Promise<SweepMemory> {
  const peak_bytes = { cli: 0, worker: 0, python: 0 };
  const started = performance.now();
  const args = ["sweep", experiment, "--runs-dir", join(folder, "runs"), "--workers", "1"];
  const running = execa(process.execPath, [cli, ...args], { env });
  const timer = setInterval(() => {
    for (const pid of [running.pid ?? 0, ...descendants(running.pid ?? 0)]) {
      const command = read(pid, "cmdline");
      const name = pid === running.pid ? "cli" : command.includes("worker-main") ? "worker" : "python";
      peak_bytes[name] = Math.max(peak_bytes[name], peakBytes(pid));
    }
  }, 50);
  try {
    await running;
  } finally {
    clearInterval(timer);
  }
  return { seconds: (performance.now() - started) / 1000, peak_bytes };
}

export function descendants(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(
      (entry) => [Number(entry), Number(/^PPid:\s+(\d+)/m.exec(read(Number(entry), "status"))?.[1])] as const,
    );
  const children = (parent_pid: number): number[] =>
    parents.filter(([, parent]) => parent === parent_pid).flatMap(([child]) => [child, ...children(child)]);
  return children(pid);
}

export function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(read(pid, "status"))?.[1] ?? 0) * 1024;
}

/** User and system time of a process so far, in ticks of 10 ms as Linux counts them. */
export function cpuSeconds(pid: number): number {
  const [user, system] = read(pid, "stat").split(") ").at(-1)?.split(" ").slice(11, 13) ?? [];
  return (Number(user ?? 0) + Number(system ?? 0)) / 100;
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // The process has exited.
  }
}
