/** A sweep of minutes on a cluster, by the command as people type it. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineOptions } from "../../src/contract/generated/types.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { startCli } from "../helpers/cli-process.ts";
import { testPython } from "../helpers/python.ts";

/** Starts a command in a folder with the experiment `exp.json` of four trials. */
export function startCommand(
  args: string[],
  folder: string,
  engine: EngineOptions,
  env: NodeJS.ProcessEnv = {},
): ReturnType<typeof startCli> {
  const file = join(folder, "exp.json");
  if (!existsSync(file)) writeFileSync(file, JSON.stringify({ ...experiment, engine }));
  writeFileSync(join(folder, "argparse.py"), "raise SystemExit(1)"); // Workers must not import it.
  // Tests run with PYTHONPATH, which people do not set.
  const surroundings = { ...env, CLIPRPN_CACHE: join(folder, "cache"), PYTHONPATH: undefined };
  return startCli([...args, "--python", testPython()], folder, surroundings);
}

/** Of the experiment. */
export const smallSweep = ["sweep", "exp.json", "--device", "cpu"];

const experiment = {
  name: "made",
  question: "Does it run on a cluster?",
  dataset: { size: "small" },
  settings: { training: { num_epochs: 2 } },
  vary: { fusion: ["film", "concatenation"] },
  seeds: [0, 1],
};

export function storeIn(runsDir: string): SweepStore {
  return new SweepStore(runsDir, "made");
}

/** What became of a trial. */
interface TrialResult {
  trial_id: string;
  attempts: number[];
  /** Of each attempt that completed. */
  metrics: unknown[];
}

export function resultsIn(runsDir: string): TrialResult[] {
  return storeIn(runsDir)
    .read()
    .trials.map(({ spec: { trial_id } }) => {
      const trial = new TrialStore(runsDir, trial_id);
      const attempts = trial.attempts();
      const outcomes = attempts.map((attempt) => trial.outcome(attempt));
      const metrics = outcomes.flatMap((each) => (each?.state === "completed" ? [each.metrics] : []));
      return { trial_id, attempts, metrics };
    });
}

/** The figures of each trial, whichever attempts they took. */
export function figuresIn(runsDir: string): Omit<TrialResult, "attempts">[] {
  return resultsIn(runsDir).map(({ trial_id, metrics }) => ({ trial_id, metrics }));
}
