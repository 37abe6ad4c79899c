/** A whole sweep on the two GPUs of a machine, which `test/python/fakecuda` simulates in every Python process. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { hashFileSync } from "../../src/base/hash-file.ts";
import type { JournalEntry } from "../../src/contract/generated/types.ts";
import { packageRoot } from "../../src/package-root.ts";
import { neededModel } from "../../src/store/needed-model.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { startCli } from "../helpers/cli-process.ts";
import { markProcesses, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { makeSmallDemo } from "../helpers/small-demo.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("gpus");
const python = join(folder, "env/bin/python");

beforeAll(async () => {
  makePythonWithGpus();
  await makeSmallDemo(join(folder, "data"));
  const experiment = {
    name: "gpus",
    question: "Do two GPUs train two trials at the same time?",
    dataset: { name: "scenes", root: "data" },
    num_threads: 1,
    settings: { training: { num_epochs: 4, precision: "fp32", deterministic: true } },
    vary: { fusion: ["film", "concatenation"] },
    seeds: [0, 1, 2, 3], // Enough that the second worker comes before the last trial starts.
  };
  writeFileSync(join(folder, "gpus.json"), JSON.stringify(experiment));
});

/** Makes an environment with the packages of the tests' Python, whose processes all have two GPUs. */
function makePythonWithGpus(): void {
  const ask = (program: string, code: string): string =>
    execFileSync(program, ["-c", code], { encoding: "utf8" }).trim();
  const site = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
  execFileSync(testPython(), ["-m", "venv", "--without-pip", join(folder, "env")]);
  const packages = ask(python, site);
  writeFileSync(join(packages, "two_gpus.py"), twoGpus);
  const paths = [ask(testPython(), site), join(packageRoot, "test/python"), join(packageRoot, "python")];
  writeFileSync(join(packages, "two_gpus.pth"), [...paths, "import two_gpus", ""].join("\n"));
}

const twoGpus = `
import atexit
from contextlib import ExitStack
from fakecuda import fake_cuda

simulation = ExitStack()
simulation.enter_context(fake_cuda(num_devices=2))
atexit.register(simulation.close)
`;

/** Runs the sweep to its end. @returns what it said, and the trials in the order of their ids. */
async function sweep(runs: string, ...args: string[]): Promise<{ text: string; trials: TrialStore[] }> {
  const processes = markProcesses();
  const env = { ...processes.env, CLIPRPN_CACHE: join(folder, "cache"), PYTHONPATH: undefined };
  const run = startCli(["sweep", "gpus.json", "--python", python, "--runs-dir", runs, ...args], folder, env);
  expect(await run.ended, run.err()).toBe(0);
  await untilNone(processes);
  const trials = trialIds(join(folder, runs)).map((id) => new TrialStore(join(folder, runs), id));
  return { text: run.err(), trials };
}

function deviceOf(trial: TrialStore): string {
  const outcome = trial.outcome(1);
  if (outcome?.state !== "completed") throw new Error(`${trial.trial_id} is not completed`);
  return outcome.environment.device;
}

/** The id of a trial, and the hashes of its predictions and its model. */
function filesOf(trial: TrialStore): string[] {
  const files = [join(trial.attempt(1).folder, "predictions-val.parquet"), neededModel(trial, 1)];
  return [trial.trial_id, ...files.map(hashFileSync)];
}

/** How many trials ran at the same time. */
function mostAtOnce(entries: JournalEntry[]): number {
  const change = { trial_started: 1, trial_finished: -1 } as Record<string, number>;
  let [running, most] = [0, 0];
  for (const { type } of entries) {
    running += change[type] ?? 0;
    most = Math.max(most, running);
  }
  return most;
}

test("two GPUs train two trials at the same time, with the results of one GPU to the bit", async () => {
  const { text, trials } = await sweep("on-gpus");
  expect(text).toContain("2 trials at the same time");
  expect([...new Set(trials.map(deviceOf))].sort()).toEqual(["cuda:0", "cuda:1"]);
  expect(mostAtOnce(new SweepStore(join(folder, "on-gpus"), "gpus").journal.entries())).toBe(2);

  const onOne = await sweep("on-one", "--devices", "cuda:1");
  expect(onOne.text).toContain("1 trial at a time");
  expect([...new Set(onOne.trials.map(deviceOf))]).toEqual(["cuda:1"]);
  expect(onOne.trials.map(filesOf)).toEqual(trials.map(filesOf));
});
