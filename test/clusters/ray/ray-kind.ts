import type { RayOptions, Roots } from "../../../src/contract/generated/types.ts";
import { RayPilots } from "../../../src/engine/ray/ray-pilots.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { pathThere, processThere } from "../../../src/sweep/machines/roots.ts";
import { type LauncherKind, launchQueue, queueIn, queueKind } from "../../helpers/launcher-kinds.ts";
import { faultsFolder, testPython } from "../../helpers/python.ts";
import { rayPython } from "./ray-python.ts";

export interface RayKindOptions {
  options?: RayOptions;
  /** Programs that start the worker. */
  starters?: string[];
  /** Folders of this machine, and what they are called on the nodes. */
  roots?: Roots;
}

/** The launcher of `--engine ray`, on a cluster for tests. */
export function rayKind(address: () => string, further: RayKindOptions = {}): LauncherKind {
  return {
    ...queueKind,
    name: "on actors of Ray",
    launch: (setup, launchOptions) => {
      const { runsDir, env } = setup;
      const maxWorkers = launchOptions.slots.length;
      return launchQueue(
        { ...setup, roots: further.roots },
        launchOptions,
        rayPilots({ address: address(), runsDir, env, maxWorkers, ...further }),
      );
    },
  };
}

/** Workers whose trials end as their labels say. @param env marks their processes, and the driver. */
export function rayPilots({
  address,
  runsDir,
  env,
  maxWorkers,
  options = {},
  starters = [],
  roots,
}: RayKindOptions & {
  address: string;
  runsDir: string;
  env: NodeJS.ProcessEnv;
  maxWorkers: number;
}): RayPilots {
  const queue = queueIn(runsDir);
  const { num_cpus = 1, num_gpus = 0, resources = {}, label_selector = {}, max_workers } = options;
  const { PYTHONPATH: _, ...ours } = process.env;
  const variables = Object.entries(env).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const worker = {
    command: [...starters, testPython(), "-m", "worker_faults", "--queue", queue, "--device", "cpu"],
    env: {
      ...Object.fromEntries(variables),
      PYTHONPATH: `${packageRoot}/python:${faultsFolder}`,
      // Compiling takes most of the time of a start.
      PYTHONPYCACHEPREFIX: `${packageRoot}/node_modules/.cache/python`,
    },
  };
  const { command, env: workerEnv } = processThere(worker, roots);
  return new RayPilots({
    python: rayPython,
    env: { ...ours, ...env },
    address,
    actor: { num_cpus, num_gpus, resources, label_selector },
    command,
    workerEnv,
    queue,
    queueThere: pathThere(queue, roots),
    maxWorkers: max_workers ?? maxWorkers,
  });
}
