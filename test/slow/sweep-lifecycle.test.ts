/** Sweeps with real torch that are stopped, fail in part, and resume; `test/interrupts` has rarer moments, torture.test.ts kills. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { hashFileSync } from "../../src/base/hash-file.ts";
import { readOwner } from "../../src/base/owner-lock.ts";
import type { JournalEntry } from "../../src/contract/generated/types.ts";
import { neededModel } from "../../src/store/needed-model.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { sweepsIn } from "../../src/store/sweeps.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { type CliProcess, startCli } from "../helpers/cli-process.ts";
import { type MarkedProcesses, markProcesses, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { makeSmallDemo } from "../helpers/small-demo.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("lifecycle");
const data = join(folder, "data");

beforeAll(async () => {
  await makeSmallDemo(data);
  write("good", { vary: { fusion: ["film", "concatenation"] }, seeds: [0, 1] });
  writeFileSync(join(folder, "failing.py"), failingFusion);
  write("partial", { vary: { fusion: ["film", { file: "failing.py:Failing" }] } });
});

function write(name: string, changes: object): void {
  const experiment = {
    name,
    question: "Does the sweep survive?",
    dataset: { name: "scenes", root: data },
    num_threads: 1, // Two threads that wait for each other are slow while other tests run.
    settings: { training: { num_epochs: 2 } },
    ...changes,
  };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(experiment));
}

/** A fusion whose second training step fails. */
const failingFusion = `
from torch import nn

class Failing(nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.scale = nn.Conv2d(map_channels, map_channels, 1)
        self.steps = 0

    def forward(self, map, words, mask, pooled):
        self.steps += self.training
        if self.steps > 1:
            raise RuntimeError("the second step is too much")
        return self.scale(map)
`;

/** A sweep in a separate process, with a separate runs folder and a shared cache. */
function sweep(name: string, runs: string, ...args: string[]): CliProcess & { processes: MarkedProcesses } {
  const processes = markProcesses();
  const one = args.includes("--workers") ? [] : ["--workers", "1"]; // One trial after the other.
  const all = ["sweep", `${name}.json`, "--python", testPython(), "--runs-dir", runs, ...one, ...args];
  const env = { ...processes.env, CLIPRPN_CACHE: join(folder, "cache") };
  return { ...startCli(all, folder, env), processes };
}

const journal = (runs: string, name = "good"): JournalEntry[] =>
  new SweepStore(join(folder, runs), name).journal.entries();
const trialsIn = (runs: string): TrialStore[] =>
  trialIds(join(folder, runs)).map((id) => new TrialStore(join(folder, runs), id));

/** How often each trial was started. */
function starts(runs: string, name: string): number[] {
  const counts: Record<string, number> = {};
  for (const entry of journal(runs, name))
    if (entry.type === "trial_started") counts[entry.trial_id] = (counts[entry.trial_id] ?? 0) + 1;
  return Object.values(counts).sort();
}

test("two workers give the same results as one, bit for bit", async () => {
  const runs = ["1", "2"].map((workers) => sweep("good", `workers-${workers}`, "--workers", workers));
  for (const run of runs) expect(await run.ended, run.err()).toBe(0);
  expect(
    runs.map((run) => /4 trials.*, (\d trials? at (?:a|the same) time), with 1 thread/.exec(run.err())?.[1]),
  ).toEqual(["1 trial at a time", "2 trials at the same time"]);
  const [one, two] = ["workers-1", "workers-2"].map((name) =>
    trialsIn(name).map((trial) => {
      const files = [join(trial.attempt(1).folder, "predictions-val.parquet"), neededModel(trial, 1)];
      return [trial.trial_id, ...files.map(hashFileSync)];
    }),
  );
  expect(one).toHaveLength(4);
  expect(two).toEqual(one);
});

test("Ctrl-C during a trial stops cleanly, and the message says how to resume", async () => {
  const run = sweep("good", "stopped", "--json", "--set", "training.num_epochs=500");
  await run.prints(/"type":"trial".*"running"/);
  run.child.kill("SIGINT");
  expect(await run.ended).toBe(130);
  expect(run.err()).toMatch(/Interrupted.*resume/);
  const ends = journal("stopped").flatMap((entry) => (entry.type === "trial_finished" ? [entry.state] : []));
  expect([...new Set(ends)]).toEqual(["interrupted"]);
  expect(readOwner(new SweepStore(join(folder, "stopped"), "good").lockFolder)).toBeUndefined();
  await untilNone(run.processes);
});

test("with a failed trial the exit code is 3 and there is a report; failed trials run again on request", async () => {
  const args = ["partial", "partial"] as const;
  const first = sweep(...args);
  expect(await first.ended, first.err()).toBe(3);
  expect(first.err()).toMatch(
    /failing.*FAILED {2}fusion_invalid: .*failing\.py:\d+, in forward: RuntimeError: the second step is too much/,
  );
  expect(existsSync(join(folder, first.out().trim()))).toBe(true);
  const tracebacks = trialsIn("partial").flatMap((trial) => {
    const file = join(trial.attempt(1).folder, "traceback.txt");
    return existsSync(file) ? [readFileSync(file, "utf8")] : [];
  });
  expect(tracebacks).toEqual([expect.stringContaining("in forward")]);

  const again = sweep(...args, "--retry-failed");
  expect(await again.ended, again.err()).toBe(3);
  expect(starts("partial", "partial")).toEqual([1, 2]);
  const kept = sweep(...args);
  expect(await kept.ended, kept.err()).toBe(3);
  expect(kept.err()).toMatch(/\(fusion_invalid\).*--retry-failed/);
});

test("two sweeps that share trials, at the same time, and two commands for one sweep run every trial once", async () => {
  const name = "name=other";
  const runs = [
    sweep("good", "shared", "--json"),
    sweep("good", "shared", "--json", "--set", name, "--set", "seeds=[1,0]"),
    sweep("good", "shared", "--json"),
  ];
  for (const run of runs) expect(await run.ended, run.err()).toBe(0);
  expect(trialsIn("shared").map((trial) => trial.attempts())).toEqual([[1], [1], [1], [1]]);
  const started = ["good", "other"].flatMap((sweep) =>
    journal("shared", sweep).filter(({ type }) => type === "trial_started"),
  );
  expect(started).toHaveLength(4);
  expect(sweepsIn(join(folder, "shared")).map((store) => existsSync(store.reportFile("val")))).toEqual([
    true,
    true,
  ]);
});

test("a missing device is an error before any work that names the available ones", async () => {
  const run = sweep("good", "device", "--device", "cuda:99");
  expect(await run.ended).toBe(4);
  expect(run.err()).toMatch(/--device cuda:99: .*cpu/);
  expect(sweepsIn(join(folder, "device"))).toEqual([]);
  expect(trialsIn("device")).toEqual([]);
  await untilNone(run.processes);
});

test.each([
  ["a file", "good.json"],
  ["below a file", "/dev/null/runs"],
])("a runs folder that is not writable (%s) is an error before any work", async (_what, runs) => {
  const run = sweep("good", runs);
  expect(await run.ended).toBe(4);
  expect(run.err()).toMatch(/found E[A-Z]+;.*--runs-dir/);
});

test("--dry-run starts nothing", async () => {
  const run = sweep("good", "dry", "--dry-run");
  let processes: string[] | undefined;
  run.child.stdout.once("data", () => {
    processes = run.processes.running();
  });
  expect(await run.ended).toBe(0);
  // The command itself may have ended while it was looked at: then it has no command line any more.
  expect(processes?.filter((line) => !line.startsWith(`${run.child.pid} `))).toEqual([]);
  expect(run.out()).toMatch(/4 trials.*nothing was started/);
  expect(existsSync(join(folder, "dry"))).toBe(false);
});
