/** Ray's side of this benchmark: cliprpn's actors and Ray Tune's, on the same cluster. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { pythonEnv } from "../../../src/base/python-env.ts";
import { QueueFolder } from "../../../src/engine/queue/queue-folder.ts";
import { RayPilots } from "../../../src/engine/ray/ray-pilots.ts";
import { packageRoot } from "../../../src/package-root.ts";
import { Mark } from "../../helpers/marked.ts";
import type { Tool } from "./measured-trials.ts";
import { pilotsTool } from "./pilots-tool.ts";

/** Of those who ask the cluster for something; nothing is sent to Ray's makers. */
const driverEnv = { ...pythonEnv(process.env), RAY_USAGE_STATS_ENABLED: "0" };

/**
 * @param python of cliprpn's environment.
 * @param rayPython has the cluster's Ray.
 */
export function rayPilots({
  python,
  rayPython,
  numWorkers,
  address,
}: {
  python: string;
  rayPython: string;
  numWorkers: number;
  address: string;
}): Tool {
  return pilotsTool({
    name: "workers on Ray's actors",
    python,
    numWorkers,
    pilots: ({ command, env, queue }) =>
      new RayPilots({
        python: rayPython,
        env: driverEnv,
        address,
        actor: { num_cpus: 1, num_gpus: 0, resources: {}, label_selector: {} },
        command: [...elsewhere, ...command],
        workerEnv: env,
        queue,
        maxWorkers: numWorkers,
      }),
  });
}

/** A worker's process id says nothing here, as on another machine: Ray notices its end. */
const elsewhere = ["unshare", "--fork", "--pid", "--kill-child=KILL"];

/** @param python of the environment with Ray Tune. */
export function rayTune(python: string, numWorkers: number, address: string): Tool {
  return {
    name: "Ray Tune",
    run: async (numTrials, kind, folder) => {
      const script = join(packageRoot, "test/bench/runners/ray_trials.py");
      await execa(python, [script, String(numTrials), String(numWorkers), kind, folder, address], {
        cwd: folder,
        env: { ...driverEnv, OMP_NUM_THREADS: "1" },
        extendEnv: false,
        stdin: "ignore",
      });
    },
  };
}

/** Kills the actor whose worker has claimed an attempt. */
export function killActor(folder: string): void {
  const queue = new QueueFolder(join(folder, "runs/sweeps/bench/queue"));
  const [pilot = ""] = queue.claims().values();
  const label = queue.pilot(pilot)?.label ?? "";
  const ofWorker = new Mark(label).processes();
  const pids = new Set(ofWorker.map(({ pid }) => pid));
  const actor = ofWorker.find(({ parent }) => !pids.has(parent))?.parent;
  if (actor === undefined) throw new Error(`expected the actor that holds ${label}, found none`);
  process.kill(actor, "SIGKILL");
}

/** Kills the actor that runs the trial itself. */
export function killTuneActor(folder: string): void {
  process.kill(Number(readFileSync(join(folder, "pid"), "utf8")), "SIGKILL");
}
