import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TrialSpec } from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { LocalEngine, type LocalEngineOptions } from "../engine/local/local-engine.ts";
import { layeredCache } from "../environment/cache.ts";
import { ensureEnvironment } from "../environment/ensure-environment.ts";
import { ensureExtras } from "../environment/ensure-extras.ts";
import type { ExtraName } from "../environment/extras.ts";
import { neededExtras } from "../experiment/detectors.ts";
import { withFreshWorkers } from "./fresh-workers.ts";
import type { RunContext } from "./run-context.ts";

/**
 * An engine on this machine. Sets up its Python and the optional packages first. The caller closes it.
 *
 * @param trials decide the number of threads and which optional packages are needed.
 */
export async function openEngine(
  run: RunContext,
  trials: readonly TrialSpec[] = [],
  extras: ExtraName[] = neededExtras(trials),
): Promise<Engine> {
  const { startEngine = startLocalEngine } = run;
  const engine = startEngine(await engineOptions(run, trials, extras));
  return withFreshWorkers(engine, {
    retries: run.retries?.worker_lost,
    warn: (message) => run.terminal.warn(message),
  });
}

/** What workers are started with. Sets up Python and the optional packages first. */
export async function engineOptions(
  run: RunContext,
  trials: readonly TrialSpec[],
  extras: ExtraName[] = neededExtras(trials),
): Promise<LocalEngineOptions> {
  const { terminal, env, signal } = run;
  const context = { terminal, env, signal };
  const cache = layeredCache(env, terminal);
  const environment = await ensureEnvironment({ name: "runtime", python: run.python, ...context });
  const extraModulePath = await ensureExtras(environment, extras, context);
  const { python, kind } = environment;
  const logs = join(cache.own, "logs");
  mkdirSync(logs, { recursive: true });
  return {
    python,
    device: run.device,
    numThreads: trials[0]?.num_threads ?? null,
    logFile: join(logs, `worker-${randomUUID().slice(0, 8)}.log`), // Machines may share the cache.
    signal,
    keepPythonPath: kind === "user",
    extraModulePath,
    trialTimeoutMs: run.trialTimeoutMs,
    renewAfter: run.renewAfter,
    // Repeated with every command: no file may grant it.
    env: {
      CLIPRPN_TRUST_WEIGHTS: run.trustWeights ? "1" : "",
      CLIPRPN_SHARED_CACHE: cache.shared ?? "",
      CLIPRPN_CACHE: cache.own,
    },
  };
}

function startLocalEngine(options: LocalEngineOptions): Engine {
  return new LocalEngine(options);
}
