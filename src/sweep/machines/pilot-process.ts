import { pythonEnv } from "../../base/python-env.ts";
import type { LocalEngineOptions } from "../../engine/local/local-engine.ts";
import { nodeCacheOption, pilotCommand, pilotModulePath } from "../../engine/queue/pilot-command.ts";
import type { SweepStore } from "../../store/sweep-store.ts";
import type { RunContext } from "../run-context.ts";
import { processThere } from "./roots.ts";

/** A worker as a cluster starts it. */
export interface PilotProcess {
  /** Program and arguments. */
  command: string[];
  /** Variables of its environment. */
  env: Record<string, string>;
}

/**
 * A worker with the Python of this machine, and the paths that it has there. It leaves its device to others when nothing has waited for a
 * minute.
 */
export function pilotProcess(
  { python, env, keepPythonPath = false, extraModulePath }: LocalEngineOptions,
  device: string,
  store: SweepStore,
  run: RunContext,
  nodeCache?: string | undefined,
): PilotProcess {
  const { PYTHONPATH } = pythonEnv(run.env, { keepPath: keepPythonPath });
  const variables = Object.entries(env ?? {}).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const process = {
    command: pilotCommand({
      python,
      queue: store.queueFolder,
      device,
      idleS,
      graceS,
      ...(extraModulePath === undefined ? {} : { extraModulePath }),
    }),
    env: { ...Object.fromEntries(variables), PYTHONPATH: pilotModulePath(PYTHONPATH), PYTHONUTF8: "1" },
  };
  const there = processThere(process, run.roots);
  // This is a path of the node.
  return { ...there, command: [...there.command, ...nodeCacheOption(nodeCache)] };
}

const idleS = 60;

/** Time to write a checkpoint; SLURM kills a job KillWait seconds (30) after SIGTERM. */
const graceS = 20;
