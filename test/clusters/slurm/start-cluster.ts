import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../../src/package-root.ts";

/** Why there can be no SLURM for tests on this machine; undefined if there can. */
export const missingSlurm = whyNot();

/** A SLURM of two nodes with two GPUs each. */
export interface Cluster {
  readonly env: NodeJS.ProcessEnv;
  /** Runs one of SLURM's commands. @returns what it prints. */
  run(command: string, ...args: string[]): string;
}

/** A cluster that runs between `start` and `stop`. */
export function newCluster(): Cluster & { start(): void; stop(): void } {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-slurm-"));
  const env = { ...process.env, SLURM_CONF: join(folder, "slurm.conf") };
  return {
    env,
    run: (command, ...args) => execFileSync(command, args, { env, encoding: "utf8" }).trim(),
    start: () =>
      void execFileSync(join(scripts, "start.sh"), [folder], { stdio: ["ignore", "ignore", "inherit"] }),
    stop: () => {
      execFileSync(join(scripts, "stop.sh"), [folder], { stdio: ["ignore", "ignore", "inherit"] });
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

const scripts = join(packageRoot, "test/clusters/slurm");

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "they start SLURM's daemons, which needs root";
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  const missing = ["slurmctld", "slurmd", "munged", "sbatch"].filter(
    (name) => spawnSync("sh", ["-c", `command -v ${name}`], { env: { PATH: path } }).status !== 0,
  );
  return missing.length === 0
    ? undefined
    : `${missing.join(", ")} not found; apt-get install --no-install-recommends slurm-wlm munge`;
}
