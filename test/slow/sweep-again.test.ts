/** Experiments that grow, change or run with other code: finished trials stay, and only what is new runs. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { JournalEntry } from "../../src/contract/generated/types.ts";
import { neededModel } from "../../src/store/needed-model.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type CommandResult, cliprpn } from "../helpers/cli.ts";
import { testPython } from "../helpers/python.ts";
import { makeSmallDemo } from "../helpers/small-demo.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("again");
const otherCode = "a".repeat(64);

beforeAll(async () => {
  await makeSmallDemo(join(folder, "data"));
  const experiment = {
    name: "good",
    question: "Does the sweep grow?",
    dataset: { name: "scenes", root: join(folder, "data") },
    num_threads: 1,
    settings: { training: { num_epochs: 1 } },
    vary: { fusion: ["film", "concatenation"] },
    seeds: [0, 1],
  };
  writeFileSync(join(folder, "good.json"), JSON.stringify(experiment));
});

function sweep(name: string, runs: string, ...args: string[]): Promise<CommandResult> {
  const all = [
    "sweep",
    `${name}.json`,
    "--python",
    testPython(),
    "--runs-dir",
    runs,
    "--workers",
    "1",
    ...args,
  ];
  return cliprpn(all, folder, { CLIPRPN_CACHE: join(folder, "cache") });
}

const journal = (runs: string): JournalEntry[] =>
  new SweepStore(join(folder, runs), "good").journal.entries();
const trialsIn = (runs: string): TrialStore[] =>
  trialIds(join(folder, runs)).map((id) => new TrialStore(join(folder, runs), id));

/** How often each trial was started. */
function numStarts(runs: string): number[] {
  const starts: Record<string, number> = {};
  for (const entry of journal(runs))
    if (entry.type === "trial_started") starts[entry.trial_id] = (starts[entry.trial_id] ?? 0) + 1;
  return Object.values(starts).sort();
}

test("another seed or question runs only what is new; trials of other code are kept, and the person chooses", async () => {
  const one = await sweep("good", "grown", "--set", "seeds=[0]");
  expect(one.code, one.err).toBe(0);
  const models = (): string[] => trialsIn("grown").map((trial) => neededModel(trial, 1));
  const before = models().map((file) => readFileSync(file));

  const more = await sweep("good", "grown", "--set", "question=Does it still?");
  expect(more.code, more.err).toBe(0);
  expect(more.err).toMatch(/4 trials, 2 already done/);
  expect(numStarts("grown")).toEqual([1, 1, 1, 1]);

  // Like trials that another version of the code completed.
  for (const trial of trialsIn("grown")) {
    const [accepted] = trial.accepted();
    const code = accepted?.sources_sha256 ?? "";
    const acceptedFile = (hash: string): string =>
      join(trial.folder, "accepted", `${hash.slice(0, 16)}.json`);
    renameSync(acceptedFile(code), acceptedFile(otherCode));
    for (const file of [join(trial.attempt(1).folder, "outcome.json"), acceptedFile(otherCode)])
      writeFileSync(file, readFileSync(file, "utf8").replaceAll(code, otherCode));
  }
  // Nothing has to run: the report is written, with a mark. What it compares is no part of any trial.
  const declared = { baseline: "film", smallest_difference: 2.5, alpha: 0.01 };
  const sets = Object.entries(declared).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const shown = await sweep("good", "grown", ...sets);
  expect(shown.code, shown.err).toBe(0);
  expect(shown.err).toMatch(/4 finished trials are stale.*aaaaaaaa/);
  const store = new SweepStore(join(folder, "grown"), "good");
  const report = store.reportFile("val");
  expect(readFileSync(report, "utf8")).toContain("Stale results");
  expect(store.read().experiment).toMatchObject(declared);

  const numStarted = journal("grown").length;
  const asked = await sweep("good", "grown", "--set", "seeds=[0,1,2]");
  expect(asked.code).toBe(2);
  expect(asked.err).toMatch(/4 finished trials.*2 trials must still run.*--rerun-stale.*--accept-stale/);
  expect(journal("grown")).toHaveLength(numStarted);

  const accepted = await sweep("good", "grown", "--set", "seeds=[0,1,2]", "--accept-stale");
  expect(accepted.code, accepted.err).toBe(0);
  expect(numStarts("grown")).toEqual([1, 1, 1, 1, 1, 1]);
  expect(store.experiment()?.experiment).toMatchObject({ seeds: [0, 1, 2] });

  const rerun = await sweep("good", "grown", "--set", "seeds=[0]", "--rerun-stale");
  expect(rerun.code, rerun.err).toBe(0);
  expect(numStarts("grown")).toEqual([1, 1, 1, 1, 2, 2]);
  for (const model of before) expect(models().map((file) => readFileSync(file))).toContainEqual(model);
  expect(readFileSync(report, "utf8")).not.toContain("Stale results");
  expect(readFileSync(report, "utf8")).toMatch(/Kept but not shown.*film, seeds 1/);
});

test("an experiment's name stands for its data: other data under it is refused, with the way on", async () => {
  const demo = join(folder, "other-data");
  await makeSmallDemo(demo, 8);
  const first = await sweep("good", "data", "--set", "seeds=[0]", "--set", "training.num_epochs=1");
  expect(first.code, first.err).toBe(0);
  const other = await sweep("good", "data", "--set", `dataset.root=${demo}`);
  expect(other.code).toBe(2);
  expect(other.err).toMatch(/sweeps\/good: expected the dataset.*--set name=/);
});
