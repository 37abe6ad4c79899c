/** SIGKILL at each change of the disk of a sweep: nothing is lost, and nothing runs twice. */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { readLines } from "../../src/store/journal.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import {
  checkAttempts,
  checkLeftovers,
  checkReadable,
  finishedFiles,
  hashesIn,
  versionsOf,
} from "../helpers/check-runs.ts";
import { watchChanges } from "../helpers/disk-changes.ts";
import {
  bundleSweepAndDie,
  type Kill,
  killsOf,
  type MadeChange,
  runAndDie,
} from "../helpers/killed-sweep.ts";
import { type Ask, makeWork, runMadeSweep, runsIn, specOf } from "../helpers/made-sweep.ts";
import { sharedFolder, tempFolder } from "../helpers/temp-folder.ts";

vi.mock("../../src/sweep/open-engine.ts", () => import("../helpers/sweep-stand-ins.ts"));
vi.mock("../../src/sweep/prepare/prepare-trials.ts", () => import("../helpers/sweep-stand-ins.ts"));
vi.mock("../../src/report/charts/draw-charts.ts", () => import("../helpers/sweep-stand-ins.ts"));

const shared = sharedFolder("sweep-kill");
let script = "";

beforeAll(async () => {
  script = await bundleSweepAndDie(shared);
  watchChanges(shared, () => undefined); // Nothing is synced.
});

interface Scenario {
  /** Sweeps that ended before. */
  earlier: Ask[];
  /** The sweep that is killed. */
  killed: Ask;
  /** What is asked for then; by default, the same again. */
  next?: Ask[];
}

const old = "e".repeat(64);
const two = ["film 0", "film 1"];
const grown: Ask = { name: "made", question: "Which one?", trials: ["film 1", "film 2"] };
const scenarios: [what: string, Scenario][] = [
  ["a first run", { earlier: [], killed: { name: "made", trials: ["film 0", "mine 0"] } }],
  [
    "another seed, a trial of another sweep, and an edited question; the other sweep comes first",
    {
      earlier: [
        { name: "made", trials: ["film 0"] },
        { name: "other", trials: ["film 1"] },
      ],
      killed: grown,
      next: [{ name: "other", trials: ["film 2"] }, grown],
    },
  ],
  [
    "a stale trial that runs again",
    {
      earlier: [{ name: "made", trials: ["film 0"], code: old }],
      killed: { name: "made", trials: ["film 0"], rerunStale: true },
    },
  ],
  [
    "a look at test",
    {
      earlier: [{ name: "made", trials: two }],
      killed: { name: "made", trials: two, split: "test" },
    },
  ],
  [
    "code that is edited after the kill",
    {
      earlier: [],
      killed: { name: "made", trials: two, code: old },
      next: [{ name: "made", trials: two, acceptStale: true }],
    },
  ],
];

/** All kills take minutes: `npm run test:kills`. Else every tenth one. */
const step = process.env.CLIPRPN_TEST_ALL_KILLS === "1" ? 1 : 10;

test.each(scenarios)("killed at any change of the disk: %s", async (_, scenario) => {
  const folder = tempFolder();
  const start = join(folder, "start");
  makeWork(start);
  for (const ask of scenario.earlier) await runMadeSweep(start, ask);
  const copy = (name: string): string => {
    const work = join(folder, name);
    cpSync(start, work, { recursive: true });
    return work;
  };
  const whole = copy("whole");
  const changes = await runAndDie(script, whole, scenario.killed, { at: 0, mode: "before" });
  if (changes === undefined) throw new Error("the run was not to be killed");
  expectAllCounted(changes, runsIn(start), runsIn(whole));
  const kills = killsOf(changes);
  expect(kills.length).toBeGreaterThan(60);
  const sample = kills.filter((_, index) => index % step === scenarios.length % step);
  await inPool(sample, async (kill) => {
    const where = `killed ${kill.mode} change ${kill.at}, ${changes[kill.at - 1]?.name}`;
    const work = copy(`${kill.at}-${kill.mode}`);
    expect(await runAndDie(script, work, scenario.killed, kill), where).toBeUndefined();
    await checkRecovery(work, scenario).catch((cause) => {
      throw new Error(where, { cause });
    });
  });
});

test("two sweeps that share a trial, killed again and again, end with each trial completed once", async () => {
  const work = tempFolder();
  makeWork(work);
  const asks: Ask[] = [
    { name: "one", trials: ["film 0", "film 1"] },
    { name: "two", trials: ["film 1", "film 2"] },
  ];
  let numKills = 0;
  for (const ask of asks) {
    for (const at of [5, 15, 25, 35, 45, 55, 65, 75, 85, 95, 105]) {
      const ended = await runAndDie(script, work, ask, { at, mode: "half" });
      if (ended !== undefined) break;
      numKills += 1;
      checkReadable(runsIn(work));
    }
  }
  expect(numKills).toBeGreaterThan(10);
  for (const ask of asks) {
    await runMadeSweep(work, ask);
    checkSweep(work, ask);
  }
  for (const id of trialIds(runsIn(work))) checkAttempts(new TrialStore(runsIn(work), id), numKills);
  checkLeftovers(runsIn(work), numKills);
});

/** Each file that a run has written is among the changes at which it can be killed. */
function expectAllCounted(changes: readonly MadeChange[], before: string, after: string): void {
  const earlier = hashesIn(before);
  const counted = new Set(changes.map(({ name }) => name.split(" ")[1]));
  const written = [...hashesIn(after)].filter(([file, hash]) => earlier.get(file) !== hash);
  expect(written.length).toBeGreaterThan(5);
  // A lock's file has the name with which it was created.
  expect(
    written.filter(([file]) => !counted.has(file) && !/\/(claim|lock|report-lock)\/\d+$/.test(file)),
  ).toEqual([]);
}

/** Three at a time: each starts a process. @throws the first error, when all that began have ended. */
async function inPool(kills: readonly Kill[], work: (kill: Kill) => Promise<void>): Promise<void> {
  const waiting = [...kills];
  const errors: unknown[] = [];
  const run = async (): Promise<void> => {
    for (let kill = waiting.shift(); kill !== undefined && errors.length === 0; kill = waiting.shift())
      await work(kill).catch((error) => errors.push(error));
  };
  await Promise.all([run(), run(), run()]);
  if (errors.length > 0) throw errors[0];
}

async function checkRecovery(work: string, { killed, next = [killed] }: Scenario): Promise<void> {
  const runs = runsIn(work);
  checkReadable(runs);
  const finished = finishedFiles(runs);
  const looks = allLooks(runs);
  const completed = completedTrials(runs, killed);
  for (const ask of next) {
    const said = await runMadeSweep(work, ask);
    expect(said.filter((line) => line.includes("waiting for it"))).toEqual([]);
    checkSweep(work, ask);
  }
  checkReadable(runs);
  for (const id of trialIds(runs)) checkAttempts(new TrialStore(runs, id), 1);
  checkLeftovers(runs, 1);
  for (const [trial, numAttempts] of completed) expect(trial.attempts()).toHaveLength(numAttempts);
  const now = finishedFiles(runs);
  expect([...finished].filter(([file, hash]) => now.get(file) !== hash)).toEqual([]);
  expect(allLooks(runs).slice(0, looks.length)).toEqual(looks);
}

/** The trials that the sweep had completed, with their numbers of attempts: they must not run again. */
function completedTrials(runs: string, { code, trials }: Ask): [TrialStore, number][] {
  return trials.flatMap((asked): [TrialStore, number][] => {
    const { trial_id, sources_sha256 } = specOf(asked, "");
    const trial = new TrialStore(runs, trial_id);
    const codes = trial.attempts().map((attempt) => trial.outcome(attempt)?.sources_sha256);
    return codes.includes(code ?? sources_sha256) ? [[trial, codes.length]] : [];
  });
}

/** The sweep is what was asked for, and complete. */
function checkSweep(work: string, { name, question = "Which is best?", trials, split = "val" }: Ask): void {
  const store = new SweepStore(runsIn(work), name);
  const content = store.read();
  const versions = versionsOf(store).map((file) => readFileSync(file, "utf8"));
  expect(new Set(versions).size).toBe(versions.length); // Each is kept once.
  const asked = content.trials.filter((trial) => trial.asked);
  expect(content.experiment.question).toBe(question);
  expect(asked.map(({ spec }) => spec.trial_id)).toEqual(trials.map((trial) => specOf(trial, work).trial_id));
  for (const { spec, attempt } of asked) {
    const shown = new TrialStore(store.runsDir, spec.trial_id).shown(spec.sources_sha256);
    expect(attempt).toBe(shown?.attempt);
  }
  expect(readFileSync(store.reportFile(split), "utf8")).toContain(question);
}

function allLooks(runs: string): string[] {
  return readLines(join(runs, "test-looks.jsonl")).map((line) => JSON.stringify(line));
}
