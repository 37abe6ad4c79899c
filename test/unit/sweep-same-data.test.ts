import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StoredExperiment, TrialSpec } from "../../src/contract/generated/types.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import type { RunContext } from "../../src/sweep/run-context.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const spec = madeSpec("film", 0);
const experiment: StoredExperiment = {
  schema_version: 1,
  name: "made",
  question: "Which one?",
  published: [],
  source: { file: "made.json", sets: [] },
  dataset: { id: spec.dataset.id, name: "mine", split_by: "umd" },
  keep_models: "all",
};

/** The error of the next step, since no Python is there. */
const passed = { code: "python_unsuitable" };

/** Runs the sweep of this name, which exists in the runs folder, with a dataset. */
function sweep(runsDir: string, dataset: Partial<TrialSpec["dataset"]>): Promise<number> {
  const run: RunContext = {
    terminal: recordingTerminal(),
    cwd: runsDir,
    env: { CLIPRPN_CACHE: join(runsDir, "cache") },
    signal: new AbortController().signal,
    commandLine: "cliprpn sweep made.json",
    runsDir,
    device: "cpu",
    python: process.execPath,
    numWorkers: 1,
    trialTimeoutMs: undefined,
    trustWeights: false,
    acceptStale: false,
    rerunStale: false,
    retryFailed: false,
    json: false,
  };
  const { name, question, published, keep_models, source } = experiment;
  const plan = { name, question, published, keep_models, alpha: 0.05, trials: [spec] };
  return runSweep(
    {
      experiment: { name, question },
      plan,
      dataset: { ...spec.dataset, ...dataset },
      targets: [],
      source,
      split: "val",
    },
    run,
  );
}

function stored(): SweepStore {
  const store = new SweepStore(tempFolder(), "made");
  mkdirSync(store.folder, { recursive: true });
  store.write(experiment, [spec]);
  return store;
}

test.each<[string, Partial<TrialSpec["dataset"]>, RegExp]>([
  [
    "other data",
    { id: "other", name: "theirs" },
    /mine \(made, umd split\), found theirs \(other, umd split\)/,
  ],
  [
    "another split of the same data",
    { split_by: "google" },
    /mine \(made, umd split\), found mine \(made, google/,
  ],
])("%s under the name of a sweep is refused before anything is written, with the way on", async (_, dataset, found) => {
  const store = stored();
  const before = readdirSync(store.runsDir, { recursive: true });
  const refused = sweep(store.runsDir, dataset);
  await expect(refused).rejects.toMatchObject({
    code: "bad_input",
    message: expect.stringMatching(/--set name=made-.*--runs-dir/),
  });
  await expect(refused).rejects.toThrow(found);
  await expect(refused).rejects.toThrow(join(store.runsDir, "sweeps", "made"));
  expect(readdirSync(store.runsDir, { recursive: true })).toEqual(before);
});

test("the same data at another place, by another name, is the same sweep", async () => {
  const { runsDir } = stored();
  await expect(sweep(runsDir, { name: "renamed", root: "/moved" })).rejects.toMatchObject(passed);
});

test("the sweep's lock is given back after an error, and the stored sweep stays", async () => {
  const store = stored();
  await expect(sweep(store.runsDir, {})).rejects.toMatchObject(passed);
  const lock = await store.lock({ command: "next", maxWaitMs: 0, onLost: () => undefined });
  await lock.release();
  expect(store.read().experiment).toEqual(experiment);
});
