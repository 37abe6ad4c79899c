import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StoredPlan, TrialOutcome, TrialSpec } from "../../src/contract/generated/types.ts";
import { findTrial, SweepStore, sweepFolders, sweepOf } from "../../src/store/sweep-store.ts";
import { errorOf } from "../helpers/error-of.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const specs = [0, 1].map((seed) => ({ ...madeSpec("film", seed), trial_id: `${seed}abc0123456789de` }));
const plan: StoredPlan = {
  name: "made",
  question: "Which one?",
  hash: "0123abcd",
  published: [],
  source: { file: "made.json", sets: ["seeds=[0,1]"] },
  trials: specs,
};

describe("a sweep's folder", () => {
  test("keeps the plan", () => {
    const store = SweepStore.create(tempFolder(), plan);
    expect(store.folder.endsWith("/made-0123abcd")).toBe(true);
    expect(SweepStore.open(store.folder).plan).toEqual(plan);
    expect(specs.map((spec) => specIn(store, spec))).toEqual(specs);
  });

  test("keeps the spec of a finished trial and replaces that of a waiting one", () => {
    const runs = tempFolder();
    const store = SweepStore.create(runs, plan);
    const [done, waiting] = specs as [TrialSpec, TrialSpec];
    store.writeOutcome(failed(done));
    const later = specs.map((spec) => ({ ...spec, sources_sha256: "f".repeat(64) }));
    SweepStore.create(runs, { ...plan, trials: later });
    expect(specIn(store, done).sources_sha256).toBe(done.sources_sha256);
    expect(specIn(store, waiting).sources_sha256).toBe("f".repeat(64));
    store.setAside(later[0] ?? done, "stale");
    expect(store.outcome(done.trial_id)).toBeUndefined();
    expect(specIn(store, done).sources_sha256).toBe("f".repeat(64));
    expect(existsSync(join(store.trialDir(done.trial_id), "outcome-stale.json"))).toBe(true);
  });

  test("contains no half-written file", () => {
    const store = SweepStore.create(tempFolder(), plan);
    const [spec] = specs as [TrialSpec];
    store.writeOutcome(failed(spec));
    expect(store.outcome(spec.trial_id)).toEqual(failed(spec));
    expect(readdirSync(store.trialDir(spec.trial_id)).sort()).toEqual(["outcome.json", "spec.json"]);
  });

  test.each<[what: string, text: string]>([
    ["half a file", '{"name": "made"'],
    ["another version's plan", JSON.stringify({ ...plan, trials: [{ ...specs[0], color: "red" }] })],
    ["no plan at all", "null"],
  ])("with %s as its plan is an error that names the file", (_, text) => {
    const { folder } = SweepStore.create(tempFolder(), plan);
    writeFileSync(join(folder, "plan.json"), text);
    const error = errorOf(() => SweepStore.open(folder));
    expect(error.code).toBe("bad_input");
    expect(error.message).toContain(join(folder, "plan.json"));
    expect(error.message).toContain("another version of cliprpn");
  });

  test.each([
    '{"state": "comp',
    "",
    "[]",
    '{"state": "paused"}',
  ])("with the outcome %j is an error that names the file", (text) => {
    const store = SweepStore.create(tempFolder(), plan);
    const file = join(store.trialDir("0abc0123456789de"), "outcome.json");
    writeFileSync(file, text);
    const error = errorOf(() => store.outcome("0abc0123456789de"));
    expect(error.code).toBe("contract_violation");
    expect(error.message).toContain(file);
  });

  test("that does not exist is not found", () => {
    expect(errorOf(() => SweepStore.open(tempFolder())).code).toBe("not_found");
  });

  test("is found from its trials and their files", () => {
    const store = SweepStore.create(tempFolder(), plan);
    const trial = store.trialDir("0abc0123456789de");
    expect(sweepOf(trial)?.folder).toBe(store.folder);
    expect(sweepOf(join(trial, "best.safetensors"))?.folder).toBe(store.folder);
    expect(sweepOf(store.folder)).toBeUndefined();
  });

  test("is taken over if its owner died", async () => {
    const store = SweepStore.create(tempFolder(), plan);
    const staleLock = join(store.folder, "lock");
    mkdirSync(staleLock);
    utimesSync(staleLock, 1000, 1000);
    const { journal, release } = await store.lock({ onWait: fail, onLost: fail });
    journal.append({ type: "sweep_finished", at: "now", num_completed: 1, num_failed: 0 });
    await release();
    expect(store.entries()).toHaveLength(1);
  });

  test("that is in use makes a second process wait and report it", async () => {
    const store = SweepStore.create(tempFolder(), plan);
    const first = await store.lock({ onWait: fail, onLost: fail });
    let num_waits = 0;
    const second = store.lock({
      onWait: () => {
        num_waits += 1;
        void first.release();
      },
      onLost: fail,
    });
    await (await second).release();
    expect(num_waits).toBe(1);
  });
});

describe("a trial", () => {
  test("is found by its path and by the start of its id in any sweep", () => {
    const runs = tempFolder();
    const store = SweepStore.create(runs, plan);
    const first = store.trialDir("0abc0123456789de");
    expect(findTrial(first, runs, "/")).toBe(first);
    expect(findTrial("made-0123abcd/0abc0123456789de", "/nowhere", runs)).toBe(first);
    expect(findTrial("0abc", runs, "/")).toBe(first);
    expect(findTrial("0abc0123456789de", runs, "/")).toBe(first);
  });

  test.each([
    "0ab",
    "2abc",
    "plan",
    "plan.json",
    "",
    "../made-0123abcd/0abc",
    "x".repeat(5000),
  ])("is not found as %j", (name) => {
    const runs = tempFolder();
    SweepStore.create(runs, plan);
    const error = errorOf(() => findTrial(name, runs, "/nowhere"));
    expect(error.code).toBe("not_found");
    expect(error.message).toMatch(/found none$/);
  });

  test("in several folders is the one that finished last", () => {
    const runs = tempFolder();
    const stores = ["a", "b", "c"].map((name) => SweepStore.create(runs, { ...plan, name }));
    const folders = stores.map((store) => store.trialDir("0abc0123456789de")) as [string, string, string];
    const [spec] = specs as [TrialSpec];
    for (const store of stores.slice(0, 2)) store.writeOutcome(failed(spec));
    for (const [index, newest] of folders.slice(0, 2).entries()) {
      utimesSync(join(folders[1 - index] ?? "", "outcome.json"), 1000, 1000);
      utimesSync(join(newest, "outcome.json"), 2000, 2000);
      expect(findTrial("0abc", runs, "/")).toBe(newest);
    }
  });

  test("with an ambiguous name is an error that lists all matches", () => {
    const runs = tempFolder();
    const ids = ["0abc0123456789de", "0abc0123456789ff"];
    const trials = specs.map((spec, index) => ({ ...spec, trial_id: ids[index] ?? "" }));
    const store = SweepStore.create(runs, { ...plan, trials });
    const { message } = errorOf(() => findTrial("0abc", runs, "/"));
    expect(message).toContain("found 2");
    for (const id of ids) expect(message).toContain(store.trialDir(id));
  });
});

test("sweeps are listed newest first, without other folders and files", () => {
  const runs = tempFolder();
  const [older, newer] = ["a", "b"].map((name) => SweepStore.create(runs, { ...plan, name }).folder) as [
    string,
    string,
  ];
  utimesSync(join(older, "plan.json"), 1000, 1000);
  mkdirSync(join(runs, "notes"));
  writeFileSync(join(runs, "file"), "");
  expect(sweepFolders(runs)).toEqual([newer, older]);
  expect(sweepFolders(join(runs, "nowhere"))).toEqual([]);
});

function specIn(store: SweepStore, { trial_id }: TrialSpec): TrialSpec {
  return JSON.parse(readFileSync(join(store.trialDir(trial_id), "spec.json"), "utf8"));
}

function failed({ trial_id, sources_sha256 }: TrialSpec): TrialOutcome {
  return {
    state: "failed",
    trial_id,
    sources_sha256,
    finished_at: "2026-11-24T17:00:00Z",
    error: { code: "worker_died", message: "killed" },
    traceback_file: null,
  };
}

function fail(): never {
  throw new Error("no other process uses the sweep");
}
