/** cliprpn's sweep beside Optuna, Ray Tune and Hydra: the same trials, in the same run, in turns. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { count } from "../../src/base/format.ts";
import { packageRoot } from "../../src/package-root.ts";
import type { Terminal } from "../../src/terminal/terminal.ts";
import type { Row } from "./rows.ts";
import { endsIn } from "./runners/ends.ts";
import { runnersPython } from "./runners/environment.ts";

type Kind = "none" | "torch";

interface Runner {
  name: string;
  command(numTrials: number, numWorkers: number, kind: Kind, folder: string): string[];
}

interface Timing {
  per_second: number;
  command_s: number;
}

const numTrials = 200;
/** Of the run whose synced writes are counted. */
const numCounted = 40;

/** @param python of cliprpn's environment. */
export async function runnersRows(folder: string, python: string, terminal: Terminal): Promise<Row[]> {
  const theirs = await runnersPython(python, terminal);
  const [ours, ...others] = runners(python, theirs);
  const syncs = new Map<string, string>();
  for (const runner of [ours, ...others]) syncs.set(runner.name, await syncsPerTrial(runner, folder));
  const rows: Row[] = [];
  for (const kind of ["none", "torch"] as const)
    for (const numWorkers of [1, 2]) {
      const timings = new Map<string, Timing>();
      for (const runner of [ours, ...others]) {
        // Ray gives up if a busy machine takes longer than 30 s to start it.
        const again = (error: unknown): Promise<Timing> => {
          terminal.warn(`${runner.name} failed, and runs again: ${String(error).slice(-300)}`);
          return time(runner, numWorkers, kind, folder);
        };
        const timing = await time(runner, numWorkers, kind, folder).catch(again).catch(again);
        timings.set(runner.name, timing);
        const what = `${runner.name}, ${numWorkers} at a time${kind === "torch" ? ", with torch" : ""}`;
        terminal.info(`${what}: ${timing.per_second.toFixed(1)}/s, ${timing.command_s.toFixed(1)} s`);
      }
      for (const { name } of others)
        rows.push(row(name, { ours: ours.name, kind, numWorkers, timings, syncs }));
    }
  return rows;
}

function runners(ours: string, theirs: string): [Runner, ...Runner[]] {
  const script = (name: string): string => join(packageRoot, "test/bench/runners", name);
  const python =
    (name: string): Runner["command"] =>
    (...args) => [theirs, script(name), ...args.map(String)];
  return [
    {
      name: "cliprpn",
      command: (...args) => [
        process.execPath,
        "--import",
        import.meta.resolve("tsx"),
        script("cliprpn.ts"),
        ...args.map(String),
        ours,
      ],
    },
    { name: "Optuna", command: python("optuna_trials.py") },
    { name: "Ray Tune", command: python("ray_trials.py") },
    {
      name: "Hydra",
      command: (num, numWorkers, kind, folder) => [
        ...[theirs, script("hydra_trials.py"), "--multirun", `seed=range(${num})`, `folder=${folder}`],
        ...[`with_torch=${kind === "torch"}`, `hydra.sweep.dir=${folder}/multirun`],
        // The basic launcher runs one after the other.
        ...(numWorkers === 1 ? [] : ["hydra/launcher=joblib", `hydra.launcher.n_jobs=${numWorkers}`]),
      ],
    },
  ];
}

function row(
  name: string,
  {
    ours,
    kind,
    numWorkers,
    timings,
    syncs,
  }: {
    ours: string;
    kind: Kind;
    numWorkers: number;
    timings: Map<string, Timing>;
    syncs: Map<string, string>;
  },
): Row {
  const [a, b] = [timings.get(ours), timings.get(name)];
  if (a === undefined || b === undefined) throw new Error(`expected timings of ${ours} and ${name}`);
  const launcher = name !== "Hydra" ? "" : numWorkers === 1 ? " (basic launcher)" : " (joblib launcher)";
  const trial = kind === "none" ? "does nothing" : "imports torch";
  const shown = ({ per_second, command_s }: Timing, who: string): string =>
    `${per_second.toFixed(1)}/s (${(1000 / per_second).toFixed(1)} ms, ${syncs.get(who)} synced writes a trial; the whole command ${command_s.toFixed(1)} s)`;
  return {
    what: `${count(numTrials)} trials, ${numWorkers} at a time; each ${trial}; baseline: ${name}${launcher}`,
    ours: shown(a, ours),
    baseline: shown(b, name),
    result: `${(a.per_second / b.per_second).toFixed(2)} times as many a second; the command in ${(a.command_s / b.command_s).toFixed(2)} times the time`,
    target: "none",
  };
}

async function time({ command }: Runner, numWorkers: number, kind: Kind, parent: string): Promise<Timing> {
  const folder = join(parent, "runner");
  mkdirSync(folder);
  try {
    const started = monotonicSeconds();
    await run(command(numTrials, numWorkers, kind, folder), parent);
    const command_s = monotonicSeconds() - started;
    const ends = endsIn(folder);
    if (ends.length !== numTrials) throw new Error(`expected ${numTrials} trials, found ${ends.length}`);
    // All workers have started by then.
    const half = numTrials / 2;
    return { per_second: half / ((ends.at(-1) ?? 0) - (ends[half - 1] ?? 0)), command_s };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How often a tool waits for the disk, in all of its processes; counted by strace, where it is installed. */
async function syncsPerTrial({ command }: Runner, parent: string): Promise<string> {
  const folder = join(parent, "counted");
  const log = join(parent, "syncs");
  mkdirSync(folder);
  try {
    const strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-o", log];
    const found = await execa("strace", ["--version"], { reject: false });
    if (found.exitCode !== 0) return "an unknown number of";
    await run([...strace, ...command(numCounted, 1, "none", folder)], parent);
    const num = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => / f(data)?sync\(/.test(line)).length;
    return (num / numCounted).toFixed(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run([program = "", ...args]: string[], cwd: string): Promise<void> {
  const { PYTHONPATH: _, ...env } = process.env;
  await execa(program, args, {
    cwd,
    env: { ...env, RAY_USAGE_STATS_ENABLED: "0", OMP_NUM_THREADS: "1" },
    extendEnv: false,
    stdin: "ignore",
  });
}

/** The clock of Python's `time.monotonic`. */
function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}
