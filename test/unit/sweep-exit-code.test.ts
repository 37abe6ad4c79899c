import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { TrialOutcome } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import type { RunContext } from "../../src/sweep/run-context.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writeAttempt } from "../helpers/write-attempt.ts";

// Python, the checks of the data and the report take seconds, and decide nothing here.
vi.mock("../../src/sweep/open-engine.ts", () => ({ openEngine: async () => engine }));
vi.mock("../../src/sweep/preflight.ts", () => ({ preflight: async () => new Map() }));
vi.mock("../../src/sweep/make-report.ts", () => ({ makeReport: async () => "REPORT.md" }));

const spec = { ...madeSpec("film", 0), sources_sha256: codeHashes().cliprpn };
const otherCode = "f".repeat(64);
let ends: "completed" | "failed" = "completed";

/** Runs one trial after the other; each ends as `ends` says. */
const engine: Engine = {
  async run(source, watcher, _, signal) {
    for (let attempt = await source.next(signal); attempt; attempt = await source.next(signal)) {
      watcher.started(attempt, 0);
      writeFileSync(join(attempt.folder, "outcome.json"), JSON.stringify(outcome()));
      await watcher.finished(attempt, 0, attempt.outcome(), 1);
    }
  },
  call: () => Promise.reject(new Error("no call is expected")),
  device: async () => "cpu",
  close: async () => undefined,
};

function outcome(): TrialOutcome {
  const { schema_version, trial_id, sources_sha256, finished_at, ...completed } = madeOutcome(spec);
  const common = { schema_version, trial_id, sources_sha256, finished_at };
  return ends === "completed"
    ? { ...completed, ...common }
    : {
        ...common,
        state: "failed",
        error: { code: "loss_not_finite", message: "NaN" },
        traceback_file: null,
      };
}

function sweep(runsDir: string, flags: Partial<RunContext>): Promise<number> {
  const run: RunContext = {
    terminal: recordingTerminal(),
    cwd: runsDir,
    env: {},
    signal: new AbortController().signal,
    commandLine: "cliprpn sweep made.json",
    runsDir,
    device: "cpu",
    python: undefined,
    numWorkers: 1,
    trialTimeoutMs: undefined,
    trustWeights: false,
    acceptStale: false,
    rerunStale: false,
    retryFailed: false,
    json: false,
    ...flags,
  };
  const experiment = { name: "made", question: "Which one?" };
  const plan = { ...experiment, published: [], keep_models: "all" as const, alpha: 0.05, trials: [spec] };
  const source = { file: "made.json", sets: [] };
  return runSweep({ experiment, plan, dataset: spec.dataset, source, split: "val" }, run);
}

test.each([
  ["a trial that completes", 0, "completed", undefined, {}],
  ["a trial that fails", 3, "failed", undefined, {}],
  ["a stale trial that is kept", 0, "failed", otherCode, {}],
  ["a stale trial that runs again and completes", 0, "completed", otherCode, { rerunStale: true }],
  ["a stale trial that runs again and fails", 3, "failed", otherCode, { rerunStale: true }],
] as const)("the exit code of a sweep with %s is %i", async (_, expected, end, earlierCode, flags) => {
  const runsDir = tempFolder();
  ends = end;
  if (earlierCode !== undefined) {
    const trial = new TrialStore(runsDir, spec.trial_id);
    trial.create(spec);
    trial.accept(writeAttempt(trial, { ...madeOutcome(spec), sources_sha256: earlierCode }), earlierCode);
  }
  expect(await sweep(runsDir, flags)).toBe(expected);
});
