/** Pilots as processes of this machine, which end and come again as jobs of a cluster do. */
import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import type { PilotSource } from "../../src/engine/queue/pilot-source.ts";
import { QueueFolder } from "../../src/engine/queue/queue-folder.ts";
import { packageRoot } from "../../src/package-root.ts";
import { faultsFolder, testPython } from "./python.ts";

export interface LocalPilotsOptions {
  /** The queue. */
  folder: string;
  numPilots: number;
  env: NodeJS.ProcessEnv;
  logFile: string;
  idleS?: number;
}

/** Keeps pilots whose trials end as their labels say: see test/python/faults/worker_faults.py. */
export class LocalPilots implements PilotSource {
  readonly #options: LocalPilotsOptions;
  readonly #pilots = new Set<ChildProcess>();
  #numStarted = 0;

  constructor(options: LocalPilotsOptions) {
    this.#options = options;
  }

  want(numAttempts: number): undefined {
    while (this.#numLive() < Math.min(numAttempts, this.#options.numPilots)) this.start();
  }

  /** Without those that are barred, which a cluster would end: they may be frozen. */
  #numLive(): number {
    const barred = new QueueFolder(this.#options.folder).barred().map(({ name }) => name);
    const isBarred = ({ pid }: ChildProcess): boolean => barred.some((name) => name.includes(`-${pid}-`));
    return [...this.#pilots].filter((pilot) => !isBarred(pilot)).length;
  }

  start(): ChildProcess {
    if (this.#numStarted++ > 20) throw new Error("pilots do not stay alive");
    const { folder, env, logFile, idleS = 60 } = this.#options;
    const log = openSync(logFile, "a");
    const pilot = spawn(testPython(), ["-m", "worker_faults", "--queue", folder, "--idle-s", `${idleS}`], {
      env: {
        ...process.env,
        ...env,
        PYTHONPATH: `${join(packageRoot, "python")}:${faultsFolder}`,
        // Compiling takes most of the time of a start.
        PYTHONDONTWRITEBYTECODE: "",
        PYTHONPYCACHEPREFIX: join(packageRoot, "node_modules/.cache/python"),
      },
      stdio: ["ignore", log, log],
    });
    this.#pilots.add(pilot);
    pilot.on("exit", () => this.#pilots.delete(pilot));
    return pilot;
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#pilots].map(
        (pilot) =>
          new Promise<void>((resolve) => {
            pilot.on("exit", () => resolve());
            pilot.kill("SIGKILL");
          }),
      ),
    );
  }
}
