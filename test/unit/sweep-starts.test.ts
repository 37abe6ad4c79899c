import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { codeHashes } from "../../src/contract/code-identity.ts";
import type { JournalEntry, SweepStart } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { render } from "../../src/report/markdown.ts";
import { starts } from "../../src/report/sections/starts.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { localDeviceName } from "../../src/sweep/estimate/device.ts";
import { mostSlots, sweepStarts } from "../../src/sweep/results/sweep-starts.ts";
import { runSweep } from "../../src/sweep/run-sweep.ts";
import { planIn, specIn } from "../helpers/estimated-sweep.ts";
import { noCall } from "../helpers/made-preparation.ts";
import { madeOutcome, madeSummary } from "../helpers/report-input.ts";
import { contextIn } from "../helpers/run-context.ts";
import { StandInLauncher } from "../helpers/stand-in-launcher.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

// Python, the checks of the data and the report take seconds, and decide nothing here.
const made = vi.hoisted(() => ({ numPrepared: 0, free: 1e12, modelBytes: 5000 }));
vi.mock("../../src/sweep/open-engine.ts", () => ({ openEngine: async () => engine }));
vi.mock("../../src/sweep/prepare/prepare-trials.ts", () => ({
  prepareTrials: async (_: unknown, waiting: { trial_id: string }[]) => {
    made.numPrepared += 1;
    return new Map(waiting.map(({ trial_id }) => [trial_id, made.modelBytes]));
  },
}));
vi.mock("../../src/sweep/results/make-report.ts", () => ({
  makeReport: async () => ({ file: "REPORT.md", summary: madeSummary([{ label: "film", acc: [0.5] }]) }),
}));
vi.mock(import("../../src/base/disk-space.ts"), async (original) => ({
  ...(await original()),
  diskOf: async (existing: string) => ({ free_bytes: made.free, device: 1, existing }),
}));

/** Runs one trial after the other; each leaves a model of 4,000 bytes. */
const engine: Engine = {
  launch: (options) =>
    new StandInLauncher(options, ({ spec, folder }) => {
      const usual = madeOutcome(spec);
      const environment = { ...usual.environment, device_name: localDeviceName("cpu") ?? "a processor" };
      const outcome = { ...usual, environment, sources_sha256: spec.sources_sha256 };
      writeFileSync(join(folder, "best.safetensors"), Buffer.alloc(4000));
      writeFileSync(join(folder, "outcome.json"), JSON.stringify(outcome));
      return { how: "outcome", outcome };
    }),
  call: noCall,
  device: async () => "cpu",
  close: async () => undefined,
};

function sweep(work: string, seeds: number[]): Promise<number> {
  const trials = seeds.map((seed) => ({
    ...specIn(work, "film", seed),
    sources_sha256: codeHashes().cliprpn,
  }));
  const read = planIn(work, trials);
  return runSweep({ ...read, source: { file: "e.json", sets: [] }, split: "val" }, contextIn(work));
}

test("each start records what it was expected to take, and what it took", async () => {
  const work = tempFolder();
  expect(await sweep(work, [0])).toBe(0);
  expect(await sweep(work, [0, 1, 2])).toBe(0);
  expect(await sweep(work, [0, 1, 2]), "nothing is left").toBe(0);
  const [first, second, ...others] = sweepStarts(new SweepStore(join(work, "runs"), "e").journal.entries());
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    estimate: { num_trials: 1, trials_time: null },
    measured: { num_ended: 1, is_interrupted: false },
  });
  // Features are missing, so the time of the second start is not known either; that of its trials is.
  expect(second?.estimate?.basis).toMatchObject([{ source: "same_trials", num_seen: 1, num_left: 2 }]);
  expect(second?.estimate?.disk.parts).toContainEqual(
    expect.objectContaining({ part: "models", num: 4, bytes: 4 * 5000 }),
  );
  expect(second?.measured?.num_ended).toBe(2);
  expect(second?.measured?.written_bytes).toBeGreaterThan(2 * 4000);
  expect(second?.measured?.written_bytes).toBeLessThan(2 * 4000 + 10_000);
});

test("a sweep that does not fit on the disk is refused before images are decoded; with models, before the first trial", async () => {
  const work = tempFolder();
  made.free = 1e6; // Less than the features.
  const { numPrepared } = made;
  await expect(sweep(work, [0])).rejects.toMatchObject({ code: "no_space" });
  expect(made.numPrepared).toBe(numPrepared);
  made.free = 1e9;
  made.modelBytes = 5e8;
  await expect(sweep(work, [0])).rejects.toMatchObject({
    code: "no_space",
    message: expect.stringMatching(/checkpoints 4\.0 GB and models 1\.0 GB|models 1\.0 GB/),
  });
  expect(existsSync(new SweepStore(join(work, "runs"), "e").folder)).toBe(true);
  expect(new SweepStore(join(work, "runs"), "e").exists).toBe(false);
  Object.assign(made, { free: 1e12, modelBytes: 5000 });
});

test("a start that was killed has no measurement; starts of earlier versions are left out", () => {
  const common = { schema_version: 1 as const, at: "2026-01-02T03:04:05.678Z" };
  const started: JournalEntry = { ...common, type: "sweep_started", num_trials: 4, command: "cliprpn sweep" };
  const estimated: JournalEntry = { ...common, type: "sweep_estimated", estimate: madeStart(4).estimate };
  const measured: JournalEntry = {
    ...common,
    type: "sweep_measured",
    duration_ms: 1,
    num_ended: 1,
    is_interrupted: true,
    written_bytes: 1,
  };
  const found = sweepStarts([started, started, estimated, started, estimated, measured]);
  expect(found.map((start) => start.measured?.is_interrupted)).toEqual([undefined, true]);
});

test("the report has a row for each start, and says what is compared", () => {
  const killed = { ...madeStart(4), measured: null };
  const one = render(starts({ starts: [madeStart(4)] }));
  expect(one).toMatch(
    /\| 2026-01-02 03:04 UTC \| 3 of 4 \| 1 min 0 s \(50 s to 1 min 10 s\) \| 1 min 5 s \| 30 KB \| 31 KB \|/,
  );
  expect(one).not.toContain("started");
  const several = render(starts({ starts: [killed, madeStart(3)] }));
  expect(several).toMatch(/\| of 4, not ended \|.*\| – \|/);
  expect(several).toContain("The sweep was started 2 times: each row compares");
  expect(starts({})).toEqual([]);
});

test("a start with fewer trials left does not change how many ran at the same time", () => {
  const started = (num_slots?: number): JournalEntry => ({
    type: "sweep_started",
    schema_version: 1,
    at: "2026-01-02T03:04:05.678Z",
    num_trials: 4,
    command: "cliprpn sweep made.json",
    ...(num_slots === undefined ? {} : { num_slots }),
  });
  expect(mostSlots([started(2), started(1), started()])).toBe(2);
  expect(mostSlots([started()])).toBeUndefined();
});

function madeStart(num_trials: number): SweepStart & { estimate: NonNullable<SweepStart["estimate"]> } {
  const part = (name: "models" | "maps" | "checkpoints", bytes: number) => ({
    part: name,
    num: 1,
    bytes,
    folder: "/runs",
  });
  return {
    started_at: "2026-01-02T03:04:05.678Z",
    estimate: {
      num_trials,
      num_resumed: 0,
      num_slots: 1,
      time: null,
      trials_time: { ms: 60_000, low_ms: 50_000, high_ms: 70_000 },
      parts: [],
      basis: [],
      unknown: [],
      disk: {
        parts: [part("models", 20_000), part("maps", 10_000), part("checkpoints", 80_000)],
        file_systems: [],
      },
    },
    measured: { duration_ms: 65_000, num_ended: 3, is_interrupted: false, written_bytes: 31_000 },
  };
}
