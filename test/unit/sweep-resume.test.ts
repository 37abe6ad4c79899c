import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { codeHash, codeHashes, codeOf } from "../../src/contract/code-identity.ts";
import type {
  CodeManifest,
  JournalEntry,
  TrialOrigin,
  TrialSpec,
} from "../../src/contract/generated/types.ts";
import { recordCode } from "../../src/store/code-manifests.ts";
import type { NewEntry } from "../../src/store/journal.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import type { FailureClass } from "../../src/sweep/failure-policy.ts";
import { trialStatuses, trialsToRun } from "../../src/sweep/resume.ts";
import { errorOf } from "../helpers/error-of.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writeAttempt } from "../helpers/write-attempt.ts";

const code = codeHashes().cliprpn;
const [first, second] = [0, 1].map((seed) => ({ ...madeSpec("film", seed), sources_sha256: code })) as [
  TrialSpec,
  TrialSpec,
];

function sweep(): SweepStore {
  const store = new SweepStore(tempFolder(), "made");
  mkdirSync(store.folder, { recursive: true });
  return store;
}

/** Runs a trial to its end, with this code. */
function complete(
  { runsDir }: SweepStore,
  spec: TrialSpec,
  sources_sha256 = code,
  origin: TrialOrigin | null = null,
): number {
  const trial = new TrialStore(runsDir, spec.trial_id);
  trial.create(spec);
  const attempt = writeAttempt(trial, { ...madeOutcome(spec), sources_sha256 });
  return trial.accept(attempt, sources_sha256, origin);
}

/** What the journal says about the end of an attempt. */
function end(
  store: SweepStore,
  { trial_id }: TrialSpec,
  state: Extract<JournalEntry, { type: "trial_finished" }>["state"],
  sources_sha256 = code,
): void {
  const error = state === "failed" ? ({ code: "timed_out", message: "it took too long" } as const) : null;
  const entry: NewEntry = {
    type: "trial_finished",
    trial_id,
    attempt: 1,
    sources_sha256,
    state,
    duration_ms: 1,
    error,
  };
  const journal = store.journal.open();
  journal.append(entry);
  journal.close();
}

/** The code of an earlier version, with one file more and another package. */
function earlierCode(store: SweepStore): string {
  const { files, packages, ...rest } = codeOf("cliprpn");
  const manifest: CodeManifest = {
    ...rest,
    files: { ...files, "models/rpn.py": "0".repeat(64), "models/gone.py": "1".repeat(64) },
    packages: { ...packages, torch: "1.2.3" },
  };
  recordCode(store.runsDir, codeHash(manifest), manifest);
  return codeHash(manifest);
}

function plan(
  store: SweepStore,
  specs: TrialSpec[],
  flags: {
    acceptStale?: boolean;
    rerunStale?: boolean;
    retryFailed?: boolean;
    retryClasses?: FailureClass[];
  } = {},
): { ids: string[]; lines: string[] } {
  const terminal = recordingTerminal();
  const options = { acceptStale: false, rerunStale: false, retryFailed: false, ...flags, terminal };
  const { waiting, numFailed } = trialsToRun(store, specs, options);
  const failures = terminal.lines.filter((line) => line.includes("failed in an earlier run"));
  expect(numFailed).toBe(failures.length);
  return { ids: waiting.map(({ trial_id }) => trial_id), lines: terminal.lines };
}

test("a trial without an end runs; one that completed here, or in another sweep, does not", () => {
  const store = sweep();
  complete(store, first);
  expect(plan(store, [first, second])).toEqual({ ids: [second.trial_id], lines: [] });
  expect(plan(store, [first])).toEqual({ ids: [], lines: [] });
});

test("a completed attempt counts, whatever the journal says about another attempt", () => {
  const store = sweep();
  complete(store, first);
  for (const state of ["failed", "refused", "interrupted"] as const) end(store, first, state);
  expect(trialStatuses(store, [first]).get(first.trial_id)).toMatchObject({
    state: "completed",
    isStale: false,
  });
});

describe("a failed trial", () => {
  test("runs again with --retry-class only if its failure is of that class", () => {
    const store = sweep();
    end(store, first, "failed"); // timed_out
    const ids = (...retryClasses: FailureClass[]) =>
      plan(store, [first], { retryFailed: true, retryClasses }).ids;
    expect(ids("timed_out")).toEqual([first.trial_id]);
    expect(ids("out_of_memory", "timed_out")).toEqual([first.trial_id]);
    expect(ids("out_of_memory", "trial")).toEqual([]);
  });

  test("runs again with --retry-failed only, and the other way is named", () => {
    const store = sweep();
    end(store, first, "failed");
    const { ids, lines } = plan(store, [first, second]);
    expect(ids).toEqual([second.trial_id]);
    expect(lines).toEqual([expect.stringMatching(/film, seed 0.*timed_out.*--retry-failed/)]);
    expect(plan(store, [first, second], { retryFailed: true })).toEqual({
      ids: [first.trial_id, second.trial_id],
      lines: [],
    });
    expect(trialStatuses(store, [first]).get(first.trial_id)).toEqual({
      state: "failed",
      error: { code: "timed_out", message: "it took too long" },
      attempt: 1,
    });
  });

  test("runs again when other code made it fail", () => {
    const store = sweep();
    end(store, first, "failed", "e".repeat(64));
    expect(plan(store, [first])).toEqual({ ids: [first.trial_id], lines: [] });
  });

  test("stays failed when a later attempt was interrupted", () => {
    const store = sweep();
    end(store, first, "failed");
    end(store, first, "interrupted");
    expect(plan(store, [first]).ids).toEqual([]);
  });

  test("waits when its only attempt was interrupted", () => {
    const store = sweep();
    end(store, first, "interrupted");
    expect(trialStatuses(store, [first]).get(first.trial_id)).toEqual({ state: "waiting" });
  });

  test("of another sweep runs in this one", () => {
    const store = sweep();
    end(store, first, "failed");
    const other = new SweepStore(store.runsDir, "other");
    expect(plan(other, [first]).ids).toEqual([first.trial_id]);
  });
});

describe("a stale trial", () => {
  test("stops the sweep when others must run: how many, what changed, and both ways on", () => {
    const store = sweep();
    complete(store, first, earlierCode(store));
    const { code: errorCode, message } = errorOf(() => plan(store, [first, second]));
    expect(errorCode).toBe("bad_input");
    for (const part of [
      "1 finished trial",
      "1 trial must still run",
      "models/rpn.py",
      "models/gone.py (removed)",
      "torch 1.2.3 -> ",
      "--rerun-stale",
      "--accept-stale",
    ])
      expect(message).toContain(part);
  });

  test("is also one that a process completed, with the code before an edit, and was killed before it accepted it", () => {
    const store = sweep();
    const trial = new TrialStore(store.runsDir, first.trial_id);
    trial.create(first);
    writeAttempt(trial, { ...madeOutcome(first), sources_sha256: earlierCode(store) });
    expect(errorOf(() => plan(store, [first, second])).message).toContain("1 finished trial");
    expect(plan(store, [first, second], { acceptStale: true }).ids).toEqual([second.trial_id]);
  });

  test("is kept with a warning when nothing has to run", () => {
    const store = sweep();
    complete(store, first, earlierCode(store));
    const { ids, lines } = plan(store, [first]);
    expect(ids).toEqual([]);
    expect(lines).toEqual([
      expect.stringMatching(/^warning: 1 finished trial is stale.*marked in the report/),
    ]);
  });

  test("is kept with --accept-stale, and the others run", () => {
    const store = sweep();
    complete(store, first, earlierCode(store));
    const { ids, lines } = plan(store, [first, second], { acceptStale: true });
    expect(ids).toEqual([second.trial_id]);
    expect(lines).toEqual([expect.stringContaining("marked in the report")]);
  });

  test("runs again with --rerun-stale; its old attempt stays accepted", () => {
    const store = sweep();
    const old = earlierCode(store);
    complete(store, first, old);
    const { ids, lines } = plan(store, [first, second], { rerunStale: true });
    expect(ids).toEqual([first.trial_id, second.trial_id]);
    expect(lines).toEqual([expect.stringContaining("new attempts")]);
    complete(store, first);
    expect(plan(store, [first, second])).toEqual({ ids: [second.trial_id], lines: [] });
    const trial = new TrialStore(store.runsDir, first.trial_id);
    expect(
      trial
        .accepted()
        .map(({ sources_sha256 }) => sources_sha256)
        .sort(),
    ).toEqual([code, old].sort());
  });

  test("is shown at the end of a failed new attempt", () => {
    const store = sweep();
    complete(store, first, earlierCode(store));
    end(store, first, "failed");
    expect(trialStatuses(store, [first]).get(first.trial_id)).toMatchObject({
      state: "completed",
      isStale: true,
    });
  });

  test.each<[string, TrialOrigin | null, string]>([
    ["that ran here before codes were recorded", null, "eeeeeeee"],
    ["from an archive", { kind: "import", from: "results.zip" }, "results.zip"],
    ["from earlier folders", { kind: "adopted", from: "runs/made-0123abcd" }, "runs/made-0123abcd"],
  ])("%s, whose files are not known, is named by its code or its origin", (_, origin, expected) => {
    const store = sweep();
    complete(store, first, "e".repeat(64), origin);
    expect(errorOf(() => plan(store, [first, second])).message).toContain(expected);
  });

  test("with many changes names the first five and counts the rest", () => {
    const store = sweep();
    const { files, ...rest } = codeOf("cliprpn");
    const changed = Object.fromEntries(Object.keys(files).map((file) => [file, "0".repeat(64)]));
    const manifest = { ...rest, files: changed };
    recordCode(store.runsDir, codeHash(manifest), manifest);
    complete(store, first, codeHash(manifest));
    const num = Object.keys(files).length;
    expect(num).toBeGreaterThan(6);
    expect(plan(store, [first]).lines[0]).toContain(`and ${num - 5} more`);
  });
});
