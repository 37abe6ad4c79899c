/** Overhead of the bridge and the engine with a real worker; runtime.py is its Python side. */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { schema_sha256, type TrialOutcome, type TrialSpec } from "../../src/contract/generated/types.ts";
import { LocalEngine } from "../../src/engine/local/local-engine.ts";
import { packageRoot } from "../../src/package-root.ts";
import { Transport } from "../../src/worker/transport.ts";
import { runJournaled, storedSweep } from "./journaled.ts";
import type { Scenes } from "./scenes.ts";
import { median, quantile } from "./statistics.ts";

export interface EngineFigures {
  call_p50_ms: number;
  /** An echo through the same two processes with the transport only. */
  echo_p50_ms: number;
  call_p99_ms: number;
  no_op_trial_ms: number;
  no_op_set_up_ms: number;
  /** Pairs of runs, measured one after the other. */
  trial_s: number[];
  plain_loop_s: number[];
  /** Median of the ratios within the pairs. */
  ratio: number;
}

const numCalls = 3000;
const numNoOps = 200;
const numPairs = 5;

export async function measureEngine(scenes: Scenes, python: string): Promise<EngineFigures> {
  const [spec] = scenes.plan.trials;
  if (spec === undefined) throw new Error("the plan has no trial");
  const engine = new LocalEngine({
    python,
    device: "cpu",
    numThreads: spec.num_threads,
    logFile: join(scenes.folder, "engine.log"),
    module: "bench.runtime",
    extraModulePath: [join(packageRoot, "test")],
  });
  try {
    await engine.device();
    const { calls, echoes } = await callsMs(engine, spec, join(scenes.folder, "echo.log"), python);
    const noOps = await noOpMs(engine, scenes, spec);
    return {
      call_p50_ms: quantile(calls, 0.5),
      call_p99_ms: quantile(calls, 0.99),
      echo_p50_ms: quantile(echoes, 0.5),
      ...noOps,
      ...(await pairs(engine, scenes, spec)),
    };
  } finally {
    await engine.close();
  }
}

/**
 * Calls that are validated on both ends and do nothing in Python, alternating with echoes.
 */
async function callsMs(
  engine: LocalEngine,
  { num_threads }: TrialSpec,
  logFile: string,
  python: string,
): Promise<{ calls: number[]; echoes: number[] }> {
  const echo = await Transport.start({
    python,
    logFile,
    module: "bench.echo",
    extraModulePath: [join(packageRoot, "test")],
  });
  const params = { schema_sha256, device: "cpu", num_threads };
  const text = JSON.stringify(params);
  const calls: number[] = [];
  const echoes: number[] = [];
  for (let call = 0; call < numCalls; call += 1) {
    const started = performance.now();
    await engine.call("hello", params);
    const answered = performance.now();
    await echo.call("hello", text);
    calls.push(answered - started);
    echoes.push(performance.now() - answered);
  }
  await echo.kill();
  const warm = numCalls / 10;
  return { calls: calls.slice(warm), echoes: echoes.slice(warm) };
}

async function noOpMs(
  engine: LocalEngine,
  { folder, plan }: Scenes,
  spec: TrialSpec,
): Promise<{ no_op_trial_ms: number; no_op_set_up_ms: number }> {
  const trials = Array.from({ length: numNoOps }, (_, seed) => ({
    ...spec,
    label: "no-op",
    seed,
    trial_id: seed.toString(16).padStart(16, "0"),
  }));
  // The first one pays for the imports.
  const first = { ...plan, trials: trials.slice(0, 1) };
  await runJournaled(engine, storedSweep(join(folder, "no-op-first"), first), first);
  const all = { ...plan, trials };
  const started = performance.now();
  const store = storedSweep(join(folder, "no-ops"), all);
  const setUp = performance.now();
  await runJournaled(engine, store, all);
  return {
    no_op_trial_ms: (performance.now() - setUp) / numNoOps,
    no_op_set_up_ms: (setUp - started) / numNoOps,
  };
}

/**
 * Alternates the trial and the plain loop on the same warm Python process, so that other load affects both.
 */
async function pairs(
  engine: LocalEngine,
  { folder, plan }: Scenes,
  spec: TrialSpec,
): Promise<Pick<EngineFigures, "trial_s" | "plain_loop_s" | "ratio">> {
  const measure = async (
    name: string,
    label: string,
  ): Promise<{ seconds: number; outcome: TrialOutcome }> => {
    const one = { ...plan, trials: [{ ...spec, label }] };
    const store = storedSweep(join(folder, name), one);
    const started = performance.now();
    const [outcome] = await runJournaled(engine, store, one);
    const seconds = (performance.now() - started) / 1000;
    if (outcome?.state !== "completed")
      throw new Error(`${label} did not complete: ${outcome?.error.message}`);
    return { seconds, outcome };
  };
  const trial_s: number[] = [];
  const plain_loop_s: number[] = [];
  for (let pair = 0; pair <= numPairs; pair += 1) {
    const trial = await measure(`trial-${pair}`, spec.label);
    const plain = await measure(`plain-${pair}`, "plain");
    checkSameLosses(trial.outcome, plain.outcome);
    if (pair === 0) continue; // Warm-up.
    trial_s.push(trial.seconds);
    plain_loop_s.push(plain.outcome.state === "completed" ? plain.outcome.durations_ms.total / 1000 : 0);
  }
  return {
    trial_s,
    plain_loop_s,
    ratio: median(trial_s.map((trial_seconds, at) => trial_seconds / (plain_loop_s[at] ?? 0))),
  };
}

/** @throws if the two did not do the same work. */
function checkSameLosses(trial: TrialOutcome, plain: TrialOutcome): void {
  const [trialLosses, plainLosses] = [trial, plain].map((outcome) =>
    outcome.state === "completed" ? outcome.epochs.map(({ loss }) => loss) : [],
  );
  const isClose = trialLosses?.every((loss, at) => Math.abs(loss - (plainLosses?.[at] ?? 0)) < 1e-4 * loss);
  if (!isClose)
    throw new Error(`expected the plain loop's losses to be ${trialLosses}, found ${plainLosses}`);
}
