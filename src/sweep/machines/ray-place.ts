import { resolve } from "node:path";
import { counted } from "../../base/format.ts";
import { pythonEnv } from "../../base/python-env.ts";
import type { RaySetup, TrialSpec } from "../../contract/generated/types.ts";
import type { Engine } from "../../engine/engine.ts";
import { QueueLauncher } from "../../engine/queue/queue-launcher.ts";
import { RayDriver, type RayPython, reachS } from "../../engine/ray/ray-driver.ts";
import { RayPilots } from "../../engine/ray/ray-pilots.ts";
import { checkRayAddress } from "../../experiment/ray-address.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import { engineOptions } from "../open-engine.ts";
import type { RunContext } from "../run-context.ts";
import { pilotProcess } from "./pilot-process.ts";
import type { Place } from "./place.ts";
import { queueOptions } from "./queue-options.ts";
import { pathThere } from "./roots.ts";

/** The actors of a Ray cluster. */
export async function onRay(
  waiting: readonly TrialSpec[],
  engine: Engine,
  store: SweepStore,
  run: RunContext,
): Promise<Place> {
  const slots = raySlots(waiting, run);
  const ofWorker = await engineOptions(run, waiting);
  const nodeCache = run.ray?.node_cache_dir;
  const { command, env: workerEnv } = pilotProcess(ofWorker, rayDevice(run), store, run, nodeCache);
  const python = await rayPython(run);
  await engine.rest?.();
  const address = rayAddress(run);
  return {
    slots,
    description: `on ${rayDevice(run)} of Ray actors${address === "auto" ? "" : ` (${address})`}, at most ${counted(slots.length, "actor")} at the same time`,
    isElsewhere: true,
    calls: {
      call: (...args) => engine.call(...args).finally(() => engine.rest?.()),
    },
    launch: ({ tell }) =>
      new QueueLauncher({
        ...queueOptions(waiting, store, run),
        maxAttempts: 2 * slots.length, // A worker has its next attempt before it has ended one.
        tell,
        pilots: new RayPilots({
          ...python,
          address,
          actor: actorOptions(waiting, run),
          command,
          workerEnv,
          queue: store.queueFolder,
          queueThere: pathThere(store.queueFolder, run.roots),
          maxWorkers: slots.length,
        }),
      }),
  };
}

/** Connects to the cluster. @returns what it is, for people. @throws CliprpnError bad_input, environment_broken, interrupted. */
export async function checkRay(waiting: readonly TrialSpec[], run: RunContext): Promise<string> {
  const setup = {
    address: rayAddress(run),
    connect_s: reachS,
    actor: actorOptions(waiting, run),
    worker: null,
  };
  const driver = new RayDriver({ ...(await rayPython(run)), setup, signal: run.signal });
  run.terminal.live(["Connecting to Ray"]);
  try {
    const { ray, python, nodes } = await driver.connected();
    const total = (name: string): number => nodes.reduce((sum, node) => sum + (node.total[name] ?? 0), 0);
    return `Ray ${ray} with Python ${python}: ${counted(nodes.length, "node")}, ${counted(total("CPU"), "CPU")}, ${counted(total("GPU"), "GPU")}`;
  } finally {
    run.terminal.liveDone();
    await driver.close();
  }
}

/** The device of each actor. */
export function raySlots(waiting: readonly TrialSpec[], run: RunContext): string[] {
  const { max_workers = defaultMaxWorkers } = run.ray ?? {};
  const number = Math.max(1, Math.min(run.numWorkers ?? max_workers, waiting.length));
  return Array.from({ length: number }, () => `${rayDevice(run)} of a Ray actor`);
}

/** The interpreter for Ray: by default that of the environment, which gets Ray on first use. */
export async function rayPython(run: RunContext): Promise<RayPython> {
  const { ray = {}, env, cwd } = run;
  if (ray.python !== undefined) {
    // A name without a folder is looked up in the PATH.
    const python = ray.python.includes("/") ? resolve(cwd, ray.python) : ray.python;
    return { python, env: pythonEnv(env, { keepPath: true }) };
  }
  const { python, extraModulePath = [], keepPythonPath = false } = await engineOptions(run, [], ["ray"]);
  return { python, env: pythonEnv(env, { keepPath: keepPythonPath }), extraModulePath };
}

/** @throws CliprpnError bad_input for an address in RAY_ADDRESS that is none. */
export function rayAddress({ ray = {}, env }: RunContext): string {
  return ray.address ?? (env.RAY_ADDRESS ? checkRayAddress("RAY_ADDRESS", env.RAY_ADDRESS) : "auto");
}

export function actorOptions(waiting: readonly TrialSpec[], { ray = {} }: RunContext): RaySetup["actor"] {
  return {
    num_cpus: ray.num_cpus ?? waiting[0]?.num_threads ?? 1,
    num_gpus: ray.num_gpus ?? 1,
    resources: ray.resources ?? {},
    label_selector: ray.label_selector ?? {},
  };
}

/** The device of an actor: Ray shows it no GPU but its own. */
export function rayDevice({ jobDevice, ray = {} }: RunContext): string {
  return jobDevice ?? ((ray.num_gpus ?? 1) > 0 ? "cuda" : "cpu");
}

/** As for SLURM. */
const defaultMaxWorkers = 16;
