/** A sweep with the real controller and store on a simulated cluster. */
import { performance } from "node:perf_hooks";
import type {
  BridgeMethods,
  StoredExperiment,
  SweepEstimate,
  TrialSpec,
} from "../../../src/contract/generated/types.ts";
import type { Engine, LaunchOptions } from "../../../src/engine/engine.ts";
import type { Plan } from "../../../src/experiment/plan.ts";
import { SweepStore } from "../../../src/store/sweep-store.ts";
import type { Place } from "../../../src/sweep/machines/place.ts";
import { trialsToRun } from "../../../src/sweep/resume.ts";
import { runTrials } from "../../../src/sweep/run/run-trials.ts";
import { StopWatch } from "../../../src/sweep/run/watch-stops.ts";
import type { RunContext } from "../../../src/sweep/run-context.ts";
import { makeTerminal } from "../../../src/terminal/make-terminal.ts";
import { madeSpec } from "../../helpers/report-input.ts";
import { contextIn } from "../../helpers/run-context.ts";
import { checkSweep, type SweepCounts } from "./check-sweep.ts";
import { type Fate, fates, SimulatedCluster } from "./simulated-cluster.ts";

export interface ScaleFigures extends SweepCounts {
  num_trials: number;
  num_slots: number;
  by_fate: Record<Fate, number>;
  /** Of the controller and the store, from the first claim to the end of the sweep, without the simulation. */
  cpu_ms: number;
  wall_ms: number;
  /** Virtual. */
  sweep_s: number;
  /** Growth of the memory in use between as many attempts as two and nine tenths of the trials, after collecting garbage: meaningful with `--expose-gc`. */
  growth_bytes: number;
}

export interface ScaleOptions {
  runsDir: string;
  num_trials: number;
  num_slots: number;
  visibility_s: number;
}

/** Runs the sweep, and checks what it left. @throws if a trial was lost, ran twice at the same time, or counts twice. */
export async function simulateSweep({
  runsDir,
  num_trials,
  num_slots,
  visibility_s,
}: ScaleOptions): Promise<ScaleFigures> {
  const specs = Array.from({ length: num_trials }, (_, index) =>
    madeSpec(`setting ${Math.floor(index / numSeeds)}`, index % numSeeds),
  );
  const store = new SweepStore(runsDir, experiment.name);
  const lock = await store.lock({ command: "npm run bench", onLost: () => undefined });
  store.write(experiment, specs);
  const recorded = new Recorded(specs);
  const memory: number[] = [];
  const measured = [0.2, 0.9].map((share) => Math.round(share * num_trials));
  let simulation_ms = 0;
  const simulate = <Result>(work: () => Result): Result => {
    const before = cpuMs();
    try {
      return work();
    } finally {
      simulation_ms += cpuMs() - before;
    }
  };
  const random = randomFrom(1);
  let cluster: SimulatedCluster | undefined;
  const slots = Array.from({ length: num_slots }, (_, index) => `cuda:${index % 8}`);
  const launch = (options: LaunchOptions): SimulatedCluster => {
    cluster = new SimulatedCluster(options, {
      random,
      visibility_s,
      simulate,
      began: ({ spec, number }, fate) => {
        recorded.add(spec, number, fate);
        if (measured.includes(recorded.numAttempts)) memory.push(memoryBytes());
      },
    });
    return cluster;
  };
  const place: Place = { slots, description: "on a simulated cluster", isElsewhere: true, launch };
  const stops = new StopWatch(store.folder);
  const context = silent(runsDir);
  const [started, cpu] = [performance.now(), cpuMs()];
  await runTrials(
    store,
    plan(specs),
    { waiting: specs, place, expected: unknownEstimate(num_trials, num_slots) },
    engine,
    context,
    stops,
  );
  const [cpu_ms, wall_ms] = [cpuMs() - cpu - simulation_ms, performance.now() - started];
  stops.close();
  const counts = checkSweep(store, specs, (spec) => recorded.of(spec));
  const { waiting } = trialsToRun(store, specs, context);
  if (waiting.length > 0) throw new Error(`expected no trial to run again, found ${waiting.length}`);
  await lock.release();
  const [first = Number.NaN, last = Number.NaN] = memory;
  return {
    num_trials,
    num_slots,
    ...counts,
    by_fate: recorded.byFate(),
    cpu_ms,
    wall_ms,
    sweep_s: cluster?.now_s ?? 0,
    growth_bytes: last - first,
  };
}

/** The fates of all attempts, in memory that does not grow. */
class Recorded {
  readonly #indices: Map<string, number>;
  readonly #fates: Uint8Array;
  numAttempts = 0;

  constructor(specs: readonly TrialSpec[]) {
    this.#indices = new Map(specs.map(({ trial_id }, index) => [trial_id, index]));
    this.#fates = new Uint8Array(specs.length * maxAttempts);
  }

  add({ trial_id }: TrialSpec, number: number, fate: Fate): void {
    const at = this.#at(trial_id) + number - 1;
    if (number > maxAttempts) throw new Error(`expected at most ${maxAttempts} attempts, found ${number}`);
    if (this.#fates[at] !== 0) throw new Error(`attempt ${number} of ${trial_id} was submitted twice`);
    this.#fates[at] = 1 + fateNames.indexOf(fate);
    this.numAttempts += 1;
  }

  of({ trial_id }: TrialSpec): Fate[] {
    const at = this.#at(trial_id);
    return [...this.#fates.subarray(at, at + maxAttempts)].flatMap((fate) => fateNames[fate - 1] ?? []);
  }

  byFate(): Record<Fate, number> {
    const counts = Object.fromEntries(fateNames.map((fate) => [fate, 0])) as Record<Fate, number>;
    for (const each of this.#fates) {
      const fate = fateNames[each - 1];
      if (fate !== undefined) counts[fate] += 1;
    }
    return counts;
  }

  #at(trial_id: string): number {
    const index = this.#indices.get(trial_id);
    if (index === undefined) throw new Error(`${trial_id} is no trial of the sweep`);
    return index * maxAttempts;
  }
}

const fateNames = Object.keys(fates) as Fate[];
const maxAttempts = 32;
const numSeeds = 10;

const experiment: StoredExperiment = {
  schema_version: 1,
  name: "scale",
  question: "What does a trial cost on many machines?",
  published: [],
  source: { file: "scale.json", sets: [] },
  dataset: { id: "made", name: "mine", split_by: "umd" },
  keep_models: "all",
};

function plan(trials: TrialSpec[]): Plan {
  const { name, question, published, keep_models } = experiment;
  return { name, question, published, keep_models, trials, alpha: 0.05 };
}

/** The only call while trials run asks for the intervals of the leaderboard, which Python computes. */
const engine: Engine = {
  launch: () => {
    throw new Error("the place launches");
  },
  call: async <M extends keyof BridgeMethods>(
    method: M,
    params: BridgeMethods[M]["params"],
  ): Promise<BridgeMethods[M]["result"]> => {
    if (method !== "intervals_so_far" || !("configurations" in params)) throw new Error(`no ${method}`);
    return { intervals: params.configurations.map(() => null) } as BridgeMethods[M]["result"];
  },
  device: async () => "cuda",
  close: async () => undefined,
};

function unknownEstimate(num_trials: number, num_slots: number): SweepEstimate {
  const time = { time: null, trials_time: null };
  const nothing = { parts: [], basis: [], unknown: [], disk: { parts: [], file_systems: [] } };
  return { num_trials, num_resumed: 0, num_slots, ...time, ...nothing };
}

function silent(runsDir: string): RunContext {
  const terminal = makeTerminal({ stdout: { write: () => true }, stderr: { write: () => true } });
  return { ...contextIn(runsDir), runsDir, terminal };
}

/** The same numbers in [0, 1) for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function memoryBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
