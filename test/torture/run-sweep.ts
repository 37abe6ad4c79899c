import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { packageRoot } from "../../src/package-root.ts";
import { describeProcess, type Mark, type RunningProcess, send } from "../helpers/marked.ts";
import type { TorturedEngine } from "./engines/tortured-engine.ts";
import type { Role } from "./fault-board.ts";
import { sweepName, type WorkFolder } from "./work-folder.ts";

export interface RunOptions {
  python: string;
  numWorkers: number;
  engine: TorturedEngine;
  /** Of all processes of the sweep, also those that outlive a run. */
  mark: Mark;
  /** Further variables of the environment. */
  env: NodeJS.ProcessEnv;
  /** Disturbs a process some time after the start. */
  moment: Moment | undefined;
}

/** What is disturbed: the first process of a role is killed, or something happens that only an engine knows. */
export type Victim = Role | "frozen pilot" | "canceled job";

export interface Moment {
  victim: Victim;
  after_ms: number;
}

/** How one run of the command ended. */
export interface RunEnd {
  /** The exit code; null if it was killed. */
  code: number | null;
  err: string;
  /** Whether the moment came before the end, and there was such a process. */
  hasDisturbed: boolean;
  duration_ms: number;
  /** Processes and jobs that were still there some time after its end, or after it had to be killed since it did not end. */
  left: string[];
  hangs: boolean;
}

/** Runs the built command once, with real workers. Leaves no process but those that may outlive it. */
export async function runSweep(work: WorkFolder, options: RunOptions): Promise<RunEnd> {
  const { python, numWorkers, engine, mark, env, moment } = options;
  if (engine.options !== undefined) {
    mkdirSync(join(work.folder, "engines"), { recursive: true });
    writeFileSync(join(work.folder, "engines/lab.json"), JSON.stringify(engine.options));
  }
  const started = performance.now();
  const cli = (command: string[]): string[] => [
    join(packageRoot, "bin/cliprpn.js"),
    ...command,
    ...["--python", python, "--runs-dir", "runs", "--workers", String(numWorkers)],
  ];
  const surroundings = {
    cwd: work.folder,
    env: {
      ...process.env,
      PYTHONPATH: undefined,
      CLIPRPN_CACHE: work.cache,
      TMPDIR: work.temporary,
      ...engine.env,
      ...mark.env,
      ...env,
    },
  };
  const args = cli(["sweep", `${sweepName}.json`, ...engine.args, ...retries]);
  const child = spawn(process.execPath, args, { ...surroundings, stdio: ["ignore", "ignore", "pipe"] });
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
  const beside = engine.beside?.(work, mark, (command) =>
    spawn(process.execPath, cli(command), { ...surroundings, stdio: "ignore" }),
  );
  const hasDisturbed =
    moment === undefined ? false : await disturbAt(moment, work, { mark, engine, hasEnded: () => hasEnded });
  const code = await ended;
  beside?.stop();
  clearTimeout(limit);
  const duration_ms = performance.now() - started;
  return { code, err, hasDisturbed, duration_ms, hangs, left: await endLeft(options, code) };
}

/** More workers of a trial may be lost in a run than a sweep forgives otherwise. */
const retries = ["--retries", "worker_lost=9"];
/** Far longer than a run takes on busy cores. */
const limitMs = 900_000;
const graceMs = 30_000;

/** What a disturbance of an engine can use. */
export interface Running {
  mark: Mark;
  engine: TorturedEngine;
  hasEnded: () => boolean;
}

/** Disturbs the first such process that runs then or later. @returns whether there was one before the end. */
async function disturbAt({ victim, after_ms }: Moment, work: WorkFolder, running: Running): Promise<boolean> {
  const { mark, engine, hasEnded } = running;
  const end = performance.now() + after_ms;
  while (performance.now() < end && !hasEnded()) await sleep(10);
  for (; !hasEnded(); await sleep(10)) {
    const special = engine.disturb?.(victim, work, running);
    if (special !== undefined) {
      if (await special) return true;
      continue;
    }
    const found = mark.processes().find((each) => roleOf(each) === victim);
    if (found !== undefined) return send(found.pid, "SIGKILL");
  }
  return false;
}

/** Waits for the end of what must not outlive the run, and kills it if it stays. @returns that. */
async function endLeft({ mark, engine }: RunOptions, code: number | null): Promise<string[]> {
  const find = (): RunningProcess[] =>
    mark.processes().filter((each) => !engine.outlives(roleOf(each), code));
  const jobs = (): string[] => (code === null ? [] : (engine.jobs?.() ?? []));
  const end = performance.now() + graceMs;
  while ((find().length > 0 || jobs().length > 0) && performance.now() < end) await sleep(50);
  const left = find();
  const leftJobs = jobs();
  for (const { pid } of left) send(pid, "SIGKILL");
  return [...left.map(describeProcess), ...leftJobs];
}

/** As faults.c finds it. */
function roleOf({ line }: RunningProcess): Role {
  if (/^\S*python\S* /.test(line)) {
    if (line.includes("/worker/survivor.py ")) return "survivor";
    if (!line.includes(" cliprpn.worker ")) return "python";
    return line.includes(" --queue ") ? "pilot" : "child";
  }
  if (!/^\S*node /.test(line)) return "other";
  if (line.includes("worker-main")) return "worker";
  if (line.includes("decoder-main")) return "decoder";
  return line.includes("cliprpn.js worker ") ? "join" : "cli";
}
