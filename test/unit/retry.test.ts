/** `cliprpn retry`: failed trials of a stored sweep run again, without its file. */
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { Arguments } from "../../src/commands/command.ts";
import { retry } from "../../src/commands/retry.ts";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { ErrorCode, TrialSpec } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { broken, complete } from "../helpers/controlled-sweep.ts";
import { planIn, specIn } from "../helpers/estimated-sweep.ts";
import { noCall } from "../helpers/made-preparation.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSummary } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { StandInLauncher } from "../helpers/stand-in-launcher.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

vi.mock("../../src/sweep/open-engine.ts", () => ({ openEngine: async () => engine }));
vi.mock(import("../../src/sweep/prepare/prepare-trials.ts"), async (importOriginal) => ({
  ...(await importOriginal()),
  prepareTrials: async () => new Map(),
}));
vi.mock("../../src/sweep/results/make-report.ts", () => ({
  makeReport: async () => ({ file: "REPORT.md", summary: madeSummary([{ label: "film", acc: [0.5] }]) }),
}));

/** How attempts of a seed end, if they fail; and the seeds of those that started. */
let failures = new Map<number, ErrorCode>();
let started: number[] = [];
beforeEach(() => {
  failures = new Map();
  started = [];
});

const engine: Engine = {
  launch: (options) =>
    new StandInLauncher(options, (attempt) => {
      started.push(attempt.spec.seed);
      const code = failures.get(attempt.spec.seed);
      return code === undefined ? complete(attempt) : broken(code);
    }),
  call: noCall,
  device: async () => "cpu",
  close: async () => undefined,
};

interface Made {
  work: string;
  specs: TrialSpec[];
  store: SweepStore;
}

/** A sweep of four trials: seed 0 completes, 1 runs out of memory, 2 diverges, and 3 does not start. */
async function madeSweep(): Promise<Made> {
  const work = tempFolder();
  const current = { sources_sha256: codeHashes().cliprpn };
  const specs = [0, 1, 2, 3].map((seed) => ({ ...specIn(work, "film", seed), ...current }));
  failures = new Map([
    [1, "out_of_memory"],
    [2, "loss_not_finite"],
  ]);
  const read = planIn(work, specs);
  const run = { ...contextIn(work), maxFailures: 2 };
  expect(await runSweep({ ...read, source: { file: "gone.json", sets: [] }, split: "val" }, run)).toBe(3);
  expect(started.splice(0)).toEqual([0, 1, 2]);
  failures.clear();
  return { work, specs, store: new SweepStore(join(work, "runs"), read.plan.name) };
}

async function retryIn({ work }: Made, values: Record<string, unknown> = {}) {
  const terminal = recordingTerminal();
  const { cwd, env, signal } = contextIn(work);
  const args = new Arguments({ sweep: "e", workers: "1", ...values });
  const code = await retry(args, { terminal, cwd, env, signal, commandLine: "cliprpn retry e" });
  return { code, text: terminal.lines.join("\n") };
}

test("all failed trials run again, and no other one; the experiment stays as it is", async () => {
  const made = await madeSweep();
  const before = made.store.experiment();
  const { code, text } = await retryIn(made, { failed: true });
  expect(started).toEqual([1, 2]);
  expect(code).toBe(3); // One trial has not run.
  expect(text).toMatch(/Sweep e: 4 trials, 1 already done, 1 left out/);
  expect(made.store.experiment()).toEqual(before);
  expect(made.store.read().trials.map(({ asked }) => asked)).toEqual([true, true, true, true]);
});

test.each([
  ["a class of failures", { class: ["out_of_memory"] }, [1]],
  ["a class that nothing else has", { class: ["loss_not_finite"], trials: ["film"] }, [2]],
  ["the label of a configuration", { trials: ["film"] }, [1, 2]],
])("%s chooses the trials", async (_, values, expected) => {
  await retryIn(await madeSweep(), values);
  expect(started).toEqual(expected);
});

test("the start of an id chooses a trial, and may fail again", async () => {
  const made = await madeSweep();
  failures.set(2, "loss_not_finite");
  const trials = [made.specs[2]?.trial_id.slice(0, 8)];
  expect((await retryIn(made, { trials })).code).toBe(3);
  expect(started).toEqual([2]);
  expect(made.store.journal.ends().at(-1)).toMatchObject({ state: "failed", attempt: 2 });
});

test("without a failed trial, nothing starts, and that is good", async () => {
  const made = await madeSweep();
  expect(await retryIn(made, { class: ["timed_out"] })).toMatchObject({
    code: 0,
    text: expect.stringMatching(
      /no failed trial to run again; 2 trials failed with another error. Nothing was started/,
    ),
  });
  await retryIn(made);
  started = [];
  expect(await retryIn(made)).toMatchObject({
    code: 0,
    text: expect.stringContaining("Nothing was started"),
  });
  expect(started).toEqual([]);
});

test.each([
  ["no such sweep", { sweep: "none" }, "not_found", /none: expected the name .* it has e/],
  ["no such trial", { trials: ["fim"] }, "bad_input", /fim: .*film, seed 1 and .*film, seed 2\), found none/],
  [
    "no such class",
    { class: ["out_of_memry"] },
    "bad_input",
    /--class: .* found out_of_memry.*out_of_memory/,
  ],
  ["both ways to choose", { failed: true, trials: ["film"] }, "bad_input", /--failed.*both/],
])("%s is an error that says what there is", async (_, values, code, message) => {
  const made = await madeSweep();
  await expect(retryIn(made, values)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(started).toEqual([]);
});

test("a trial that has not failed is named as such", async () => {
  const made = await madeSweep();
  const trials = [made.specs[0]?.trial_id ?? ""];
  await expect(retryIn(made, { trials })).rejects.toThrow(/film, seed 0, which has not failed/);
});

test("--dry-run shows what would run", async () => {
  const made = await madeSweep();
  const results: string[] = [];
  const terminal = { ...recordingTerminal(), result: (text: string) => void results.push(text) };
  const context = { ...contextIn(made.work), terminal };
  const args = new Arguments({
    sweep: "e",
    workers: "1",
    device: "cpu",
    class: ["out_of_memory"],
    "dry-run": true,
  });
  expect(await retry(args, context)).toBe(0);
  expect(results.join()).toMatch(/1 to run, 1 done, 1 failed earlier .*1 left out/s);
  expect(started).toEqual([]);
});
