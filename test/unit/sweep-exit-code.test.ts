import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { TrialOutcome } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { checkFailIf } from "../../src/report/conditions/fail-if.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import type { RunContext } from "../../src/sweep/run-context.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { noCall } from "../helpers/made-preparation.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeOutcome, madeSpec, madeSummary } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { StandInLauncher } from "../helpers/stand-in-launcher.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writeAttempt } from "../helpers/write-attempt.ts";

// Python, the checks of the data and the report take seconds, and decide nothing here.
vi.mock("../../src/sweep/open-engine.ts", () => ({ openEngine: async () => engine }));
vi.mock("../../src/sweep/prepare/prepare-trials.ts", () => ({ prepareTrials: async () => new Map() }));
vi.mock("../../src/sweep/results/make-report.ts", () => ({
  makeReport: async () => ({ file: "REPORT.md", summary: madeSummary([{ label: "film", acc: [0.5] }]) }),
}));

const spec = { ...madeSpec("film", 0), sources_sha256: codeHashes().cliprpn };
const otherCode = "f".repeat(64);
let ends: "completed" | "failed" = "completed";

/** Runs one trial after the other; each ends as `ends` says. */
const engine: Engine = {
  launch: (options) =>
    new StandInLauncher(options, ({ folder }) => {
      writeFileSync(join(folder, "outcome.json"), JSON.stringify(outcome()));
      return { how: "outcome", outcome: outcome() };
    }),
  call: noCall,
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

function sweep(runsDir: string, flags: Partial<RunContext>, conditions: string[] = []): Promise<number> {
  const run: RunContext = {
    ...contextIn(runsDir),
    runsDir,
    ...flags,
  };
  const experiment = { name: "made", question: "Which one?" };
  const plan = { ...experiment, published: [], keep_models: "all" as const, alpha: 0.05, trials: [spec] };
  const source = { file: "made.json", sets: [] };
  const failIf = checkFailIf(conditions, { labels: ["film"], baseline: undefined });
  return runSweep(
    { experiment, plan, dataset: spec.dataset, targets: [], source, split: "val", failIf },
    run,
  );
}

/** A result of other code. */
function addStale(runsDir: string, sources_sha256: string): void {
  const trial = new TrialStore(runsDir, spec.trial_id);
  trial.create(spec);
  trial.accept(writeAttempt(trial, { ...madeOutcome(spec), sources_sha256 }), sources_sha256);
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
  if (earlierCode !== undefined) addStale(runsDir, earlierCode);
  expect(await sweep(runsDir, flags)).toBe(expected);
});

test.each([
  ["one of its conditions holds", 5, "completed", undefined],
  ["a condition holds and a trial fails, while its stale result is shown", 3, "failed", otherCode],
] as const)("if %s, the exit code of a sweep is %i", async (_, expected, end, earlierCode) => {
  const runsDir = tempFolder();
  ends = end;
  if (earlierCode !== undefined) addStale(runsDir, earlierCode);
  const conditions = ["best.acc_at_50.mean < 10", "best.acc_at_50.mean < 90"];
  const terminal = recordingTerminal();
  expect(await sweep(runsDir, { terminal, rerunStale: true }, conditions)).toBe(expected);
  expect(terminal.lines.filter((line) => line.includes("--fail-if"))).toEqual([
    expect.stringContaining("best.acc_at_50.mean is 50"),
  ]);
  if (end === "completed") expect(await sweep(runsDir, {}, conditions.slice(0, 1))).toBe(0);
});
