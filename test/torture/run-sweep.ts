import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { packageRoot } from "../../src/package-root.ts";
import type { Role } from "./fault-board.ts";
import { sweepName, type WorkFolder } from "./work-folder.ts";

export interface RunOptions {
  python: string;
  numWorkers: number;
  /** Further variables of the environment. */
  env: NodeJS.ProcessEnv;
  /** Kills a process some time after the start. */
  moment: Moment | undefined;
}

export interface Moment {
  victim: Role;
  after_ms: number;
}

/** How one run of the command ended. */
export interface RunEnd {
  /** The exit code; null if it was killed. */
  code: number | null;
  err: string;
  /** Whether the moment came before the end, and there was such a process. */
  hasKilled: boolean;
  duration_ms: number;
  /** Processes that were still running ten seconds after its end, or after it had to be killed since it did not end. */
  left: string[];
  hangs: boolean;
}

/** Runs the built command once, with real workers. Leaves no process. */
export async function runSweep(
  work: WorkFolder,
  { python, numWorkers, env, moment }: RunOptions,
): Promise<RunEnd> {
  const mark = `${process.pid}-${Math.random().toString(36).slice(2)}`;
  const started = performance.now();
  const args = ["sweep", `${sweepName}.json`, "--python", python, "--runs-dir", "runs"];
  const options = ["--workers", String(numWorkers), ...retries];
  const child = spawn(process.execPath, [join(packageRoot, "bin/cliprpn.js"), ...args, ...options], {
    cwd: work.folder,
    env: {
      ...process.env,
      PYTHONPATH: undefined,
      CLIPRPN_CACHE: work.cache,
      TMPDIR: work.temporary,
      [markName]: mark,
      ...env,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  let hasEnded = false;
  const ended = new Promise<number | null>((resolve) =>
    child.on("close", (code) => {
      hasEnded = true;
      resolve(code);
    }),
  );
  let hangs = false;
  const limit = setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, limitMs);
  const hasKilled = moment === undefined ? false : await killAt(moment, mark, () => hasEnded);
  const code = await ended;
  clearTimeout(limit);
  const duration_ms = performance.now() - started;
  return { code, err, hasKilled, duration_ms, hangs, left: await endLeft(mark) };
}

/** More workers of a trial may be lost in a run than a sweep forgives otherwise. */
const retries = ["--retries", "worker_lost=9"];
const markName = "TORTURE_MARK";
/** Far longer than a run takes on busy cores. */
const limitMs = 300_000;
const graceMs = 10_000;

/** Kills the first process of this role that runs then or later. */
async function killAt({ victim, after_ms }: Moment, mark: string, hasEnded: () => boolean): Promise<boolean> {
  const end = performance.now() + after_ms;
  while (performance.now() < end && !hasEnded()) await sleep(10);
  for (; !hasEnded(); await sleep(10))
    for (const { pid, line } of marked(mark))
      if (roleOf(line) === victim) {
        kill(pid);
        return true;
      }
  return false;
}

/** Waits for the end of all processes of a run, and kills those that stay. @returns these. */
async function endLeft(mark: string): Promise<string[]> {
  const end = performance.now() + graceMs;
  while (marked(mark).length > 0 && performance.now() < end) await sleep(10);
  const left = marked(mark);
  for (const { pid } of left) kill(pid);
  return left.map(({ pid, line }) => `${pid} ${line.slice(0, 200)}`);
}

function roleOf(line: string): Role {
  if (/^\S*python\S* /.test(line)) return "python";
  if (!/^\S*node /.test(line)) return "other";
  if (line.includes("worker-main")) return "worker";
  return line.includes("decoder-main") ? "decoder" : "cli";
}

function marked(mark: string): { pid: number; line: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && read(name, "environ").includes(`${markName}=${mark}`))
    .filter((name) => !/^State:\s+Z/m.test(read(name, "status")))
    .map((name) => ({ pid: Number(name), line: read(name, "cmdline").replaceAll("\0", " ") }));
}

function read(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // The process has ended.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
