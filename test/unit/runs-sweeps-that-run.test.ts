import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LineTail } from "../../src/base/line-tail.ts";
import { SweepsThatRun } from "../../src/runs/sweeps-that-run.ts";
import type { NewEntry } from "../../src/store/journal.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { addSweep } from "../helpers/made-runs.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const spec = madeSpec("film", 0);

/** A sweep with this trial that a process works on, and what it appends to its journal. */
async function running() {
  const runsDir = tempFolder();
  const sweep = addSweep(runsDir, "made", [spec]);
  const lock = await sweep.lock({ command: "cliprpn sweep made.json", onLost: () => undefined });
  const journal = sweep.journal.open();
  onTestFinished(async () => {
    journal.close();
    await lock.release();
  });
  return { sweep, sweeps: new SweepsThatRun(new TrialStore(runsDir, spec.trial_id)), journal };
}

function started(command: string): NewEntry {
  return { type: "sweep_started", num_trials: 1, command };
}

function ended(state: "failed" | "retried"): NewEntry {
  const { trial_id, sources_sha256 } = spec;
  const error = { code: "loss_not_finite" as const, message: "made" };
  return { type: "trial_finished", trial_id, attempt: 1, sources_sha256, state, duration_ms: 1, error };
}

test("a sweep is going to run a trial until its end; a failed one runs again on request only", async () => {
  const { sweeps, journal } = await running();
  const found: (string | undefined)[] = [];
  for (const entry of [
    started("cliprpn sweep made.json"),
    ended("retried"),
    ended("failed"),
    started("cliprpn sweep made.json"),
    started("cliprpn sweep made.json --retry-failed"),
    ended("failed"),
  ]) {
    journal.append(entry);
    found.push(sweeps.find());
  }
  expect(found).toEqual(["made", "made", undefined, undefined, "made", undefined]);
});

test("asked again, only what was added to the journal is read", async () => {
  const { sweep, sweeps, journal } = await running();
  journal.append(started("cliprpn sweep made.json --retry-failed"));
  journal.append(ended("failed"));
  expect(sweeps.find()).toBeUndefined();
  const text = readFileSync(sweep.journal.file, "utf8");
  writeFileSync(sweep.journal.file, text.replaceAll(/[^\n]/g, " "));
  journal.append({ type: "sweep_finished", num_completed: 0, num_failed: 1 });
  expect(sweeps.find()).toBeUndefined();
});

test("a line is read once, when it is complete", () => {
  const file = join(tempFolder(), "lines");
  const tail = new LineTail(file);
  expect(tail.read()).toEqual([]);
  writeFileSync(file, "one\ntw");
  expect(tail.read()).toEqual(["one"]);
  writeFileSync(file, "one\ntwo\n\n");
  expect([...tail.all()]).toEqual(["two", ""]);
  expect(tail.read()).toEqual([]);
});
