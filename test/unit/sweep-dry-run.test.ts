import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import type { PreparedDataset, TrialSpec } from "../../src/contract/generated/types.ts";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { cliprpn, cliprpnWithPython } from "../helpers/cli.ts";
import { datasetStats } from "../helpers/dataset-stats.ts";
import { addAttempt, oldCode } from "../helpers/made-runs.ts";
import { StubSlurm } from "../helpers/stub-slurm.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** A folder with an experiment, and a cache of its own. */
function experimentOn(dataset: object, changes: object = {}): { folder: string; env: NodeJS.ProcessEnv } {
  const folder = tempFolder();
  const experiment = { name: "e", question: "Does it run?", dataset, ...changes };
  writeFileSync(join(folder, "e.json"), JSON.stringify(experiment));
  return { folder, env: { CLIPRPN_CACHE: join(folder, "cache"), CLIPRPN_PYTHON: "" } };
}

function prepare(folder: string, splits: PreparedDataset["splits"][number]["split"][], facts: object): void {
  const root = join(folder, "data", "mine");
  mkdirSync(root, { recursive: true });
  const counts = { num_images: 1, num_refs: 1, num_sentences: 2 };
  const made = datasetStats(["train"], {
    name: "mine",
    images_dir: folder,
    splits: splits.map((split) => ({ split, ...counts })),
    ...facts,
  }).facts;
  writeFileSync(join(root, "dataset.json"), JSON.stringify(made));
}

const dryRun = ["sweep", "e.json", "--dry-run"];

test("a prepared dataset without val is refused as by the run, without Python", async () => {
  const { folder, env } = experimentOn({ name: "mine" });
  prepare(folder, ["train", "test"], {});
  const { code, out, err } = await cliprpn(dryRun, folder, env);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/data\/mine: expected expressions in train and val, found none in val;/);
});

test("the warnings of a dataset are told, and the plan is printed", async () => {
  const { folder, env } = experimentOn({ name: "mine" });
  prepare(folder, ["train", "val"], { warnings: ["val: 2 of 2 expressions are cut off"] });
  const { code, out, err } = await cliprpn(dryRun, folder, env);
  expect(code, err).toBe(0);
  expect(out).toMatch(/, e; nothing was started\n$/);
  expect(out).toMatch(/on cpu, .*1 thread each/);
  expect(err).toMatch(/^warning: mine: val: 2 of 2 expressions are cut off\n/);
  expect(existsSync(join(folder, "runs"))).toBe(false);
});

test("what SLURM refuses is told after the script, which its message names", async () => {
  const { folder, env } = experimentOn({ name: "mine" });
  prepare(folder, ["train", "val"], {});
  const slurm = new StubSlurm();
  slurm.setFailure("sbatch", "sbatch: error: invalid partition specified: gpu");
  const args = [...dryRun, "--engine", "slurm"];
  const { code, out, err } = await cliprpnWithPython(args, folder, { ...env, ...slurm.env });
  expect(code).toBe(2);
  expect(err).toMatch(/SLURM refused the jobs; .* `--dry-run` prints the script:\n.*invalid partition/);
  expect(out).toMatch(/The script for sbatch:\n\n#!\/bin\/bash\n#SBATCH --job-name=cliprpn-e-/);
});

const fusion = `import torch

class Mine(torch.nn.Module):
    def __init__(self, *sizes):
        super().__init__()

    def forward(self, map, words, mask, pooled):
        raise ValueError("not yet")
`;

test("a fusion that fails is named with its line; without packages of Python it is said to be unchecked", async () => {
  const { folder, env } = experimentOn({ name: "demo" }, { vary: { fusion: [{ file: "mine.py:Mine" }] } });
  writeFileSync(join(folder, "mine.py"), fusion);
  const failed = await cliprpnWithPython(dryRun, folder, env);
  expect({ code: failed.code, out: failed.out }).toEqual({ code: 2, out: "" });
  expect(failed.err).toMatch(/\/mine\.py:8, in forward: .*ValueError: not yet; .*; the traceback is in /);
  const unchecked = await cliprpn(dryRun, folder, env);
  expect(unchecked.code, unchecked.err).toBe(0);
  expect(unchecked.err).toMatch(/^Not checked: the fusions, .*`cliprpn setup`\n/);
});

test("the splits of a folder that is not prepared yet are read", async () => {
  const { folder, env } = experimentOn({ root: "raw" });
  await makeDemo(
    join(folder, "raw"),
    { seed: 1, num_images: { train: 3, val: 0, test: 1 } },
    () => undefined,
  );
  const { code, err } = await cliprpnWithPython(dryRun, folder, env);
  expect(err).toMatch(/raw: expected expressions in train and val, found none in val;/);
  expect(code).toBe(2);
  expect(existsSync(join(folder, "cache", "prepared"))).toBe(false);
});

test("--json has the plan, the state of each trial, and the estimate; nothing is written", async () => {
  const { folder, env } = experimentOn({ name: "mine" }, { seeds: [0, 1] });
  prepare(folder, ["train", "val"], {});
  const { code, out, err } = await cliprpn([...dryRun, "--json"], folder, env);
  expect(code, err).toBe(0);
  const { trials, states, estimate } = JSON.parse(out);
  expect(states).toEqual(trials.map(({ trial_id }: TrialSpec) => ({ trial_id, state: "waiting" })));
  expect(findSchemaErrors("SweepEstimate", estimate)).toEqual([]);
  expect(estimate).toMatchObject({ num_trials: trials.length, trials_time: null });
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  expect(files.filter((file) => !file.startsWith("cache")).sort()).toEqual([
    "data",
    "data/mine",
    "data/mine/dataset.json",
    "e.json",
  ]);
  expect(files.filter((file) => /^cache\/(features|prepared|measurements)/.test(file))).toEqual([]);
});

test("stale trials are shown before the run is refused; a choice runs it", async () => {
  const { folder, env } = experimentOn({ name: "mine" }, { seeds: [0, 1], vary: { fusion: ["film"] } });
  prepare(folder, ["train", "val"], {});
  const runsDir = join(folder, "runs");
  const plan = JSON.parse((await cliprpn([...dryRun, "--json"], folder, env)).out);
  const [first]: TrialSpec[] = plan.trials;
  if (first === undefined) throw new Error("two trials");
  addAttempt(runsDir, first, { code: oldCode });
  const refused = await cliprpn(dryRun, folder, env);
  expect(refused.code).toBe(2);
  expect(refused.out).toMatch(/1 to run, 1 done by other code \(stale\)/);
  expect(refused.err).toMatch(/1 finished trial is stale.*--rerun-stale/);
  const again = await cliprpn([...dryRun, "--rerun-stale"], folder, env);
  expect(again.code, again.err).toBe(0);
  expect(again.out).toMatch(/2 to run/);
});
