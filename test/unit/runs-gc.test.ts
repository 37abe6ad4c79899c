import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { collectGarbage, planGarbage } from "../../src/runs/collect-garbage.ts";
import type { GcOptions, GcPlan } from "../../src/runs/removal.ts";
import { leftTrials } from "../../src/store/adopt/adopt.ts";
import { AuditStore } from "../../src/store/audit-store.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { cliprpn } from "../helpers/cli.ts";
import { addAttempt, addFailure, addSweep, currentCodeOf, oldCode } from "../helpers/made-runs.ts";
import { makeOldRuns } from "../helpers/old-runs.ts";
import { until } from "../helpers/processes.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { startUser } from "../helpers/start-lock-user.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { killedAt } from "../helpers/write-faults.ts";

const spec = madeSpec("film", 0);
const other = madeSpec("other", 1);
const none: GcOptions = {
  resumable: false,
  oldCode: false,
  unasked: false,
  lastModels: false,
  jointData: false,
  logsOlderThanDays: 30,
};
const everything: GcOptions = { ...none, oldCode: true, unasked: true, lastModels: true, jointData: true };

function request(runsDir: string, options: Partial<GcOptions> = {}) {
  const { signal } = new AbortController();
  const cache = join(runsDir, "cache");
  return { runsDir, cache, options: { ...none, ...options }, command: "cliprpn gc", signal };
}

/** What a plan removes: reason and path below the trials. */
function removed({ removals }: GcPlan, runs: string): string[] {
  return removals.map(({ reason, path }) => `${reason} ${path.slice(runs.length + 1)}`).sort();
}

function attemptPath(number: number, { trial_id } = spec): string {
  return `trials/${trial_id}/attempts/${number}`;
}

/** All paths below a folder, except locks. */
function tree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !/(^|\/)(lock|claim|report-lock)(\/|$)/.test(name))
    .sort();
}

function age(path: string, days: number): void {
  const time = new Date(Date.now() - days * 24 * 3600 * 1000);
  utimesSync(path, time, time);
}

describe("cliprpn gc removes", () => {
  test("attempts that never finished", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "unfinished", models: ["best"], bytes: 5000 });
    addAttempt(runs, spec);
    addSweep(runs, "fusion", [spec]);
    const plan = planGarbage(request(runs));
    expect(removed(plan, runs)).toEqual([`unfinished ${attemptPath(1)}`]);
    expect(plan.removals[0]?.bytes).toBeGreaterThan(5000);
    await collectGarbage(request(runs));
    const trial = new TrialStore(runs, spec.trial_id);
    expect(trial.attempts()).toEqual([2]);
    expect(readdirSync(join(trial.attemptsFolder, "1.removed"))).toEqual([]);
  });

  test("attempts that the next run continues only with --resumable, while their trial is asked for and has no result", async () => {
    const runs = tempFolder();
    const checkpointOf = (trial: typeof spec, attempt: number): string =>
      new TrialStore(runs, trial.trial_id).checkpointFile(attempt);
    for (const trial of [spec, spec, other]) addAttempt(runs, trial, { state: "unfinished" });
    for (const file of [checkpointOf(spec, 1), checkpointOf(spec, 2), checkpointOf(other, 1)])
      writeFileSync(file, "checkpoint");
    addSweep(runs, "fusion", [spec], { notAsked: [other] });
    const kept = planGarbage(request(runs));
    const others = [`unfinished ${attemptPath(1)}`, `unfinished ${attemptPath(1, other)}`];
    expect(removed(kept, runs)).toEqual(others.sort());
    expect(kept.more.map(({ reason }) => reason)).toContain("resumable");
    const all = planGarbage(request(runs, { resumable: true }));
    expect(removed(all, runs)).toContain(`resumable ${attemptPath(2)}`);
    addAttempt(runs, spec);
    expect(removed(planGarbage(request(runs)), runs)).toContain(`unfinished ${attemptPath(2)}`);
  });

  test("failed attempts, but not the newest one of a trial that is asked for and has no result", () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "failed" });
    addAttempt(runs, spec, { state: "failed" });
    addAttempt(runs, other, { state: "failed" });
    addSweep(runs, "fusion", [spec], { notAsked: [other] });
    expect(removed(planGarbage(request(runs)), runs)).toEqual(
      [`failed ${attemptPath(1)}`, `failed ${attemptPath(1, other)}`].sort(),
    );
    addAttempt(runs, spec);
    expect(removed(planGarbage(request(runs)), runs)).toContain(`failed ${attemptPath(2)}`);
  });

  test("no newest attempt that failed by the decision of its controller, of which only the journal knows", () => {
    const runs = tempFolder();
    const attempt = addAttempt(runs, spec, { state: "unfinished" });
    addFailure(addSweep(runs, "fusion", [spec]), spec, attempt);
    expect(planGarbage(request(runs)).removals).toEqual([]);
  });

  test("completed attempts that were refused, and not those whose process was killed before it accepted them", () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    addAttempt(runs, spec, { accepted: false });
    addAttempt(runs, other, { accepted: false });
    addSweep(runs, "fusion", [spec, other]);
    expect(removed(planGarbage(request(runs)), runs)).toEqual([`refused ${attemptPath(2)}`]);
  });

  test("results by other code with --old-code, where the current code has one too", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { code: oldCode });
    addAttempt(runs, spec);
    addAttempt(runs, other, { code: oldCode });
    addSweep(runs, "fusion", [spec, other]);
    const trial = new TrialStore(runs, spec.trial_id);
    const answers = trial.answersFolder(1, "test");
    mkdirSync(answers, { recursive: true });
    writeFileSync(join(answers, "predictions-test.parquet"), "predictions");
    expect(planGarbage(request(runs)).removals).toEqual([]);
    expect(planGarbage(request(runs)).more.map(({ reason }) => reason)).toContain("old_code");
    const result = await collectGarbage(request(runs, { oldCode: true }));
    expect(removed(result, runs)).toEqual([`old_code ${attemptPath(1)}`]);
    expect(trial.accepted().map(({ attempt }) => attempt)).toEqual([2]);
    expect(existsSync(answers)).toBe(false);
    expect(new TrialStore(runs, other.trial_id).accepted().length).toBe(1);
  });

  test("whole trials that no sweep asks for with --unasked", async () => {
    const runs = tempFolder();
    const listed = madeSpec("listed", 2);
    for (const each of [spec, other, listed]) addAttempt(runs, each);
    addSweep(runs, "fusion", [spec], { notAsked: [other] });
    expect(planGarbage(request(runs)).removals).toEqual([]);
    const result = await collectGarbage(request(runs, { unasked: true }));
    expect(removed(result, runs)).toEqual(
      [other, listed].map(({ trial_id }) => `unasked trials/${trial_id}`).sort(),
    );
    expect(readdirSync(join(runs, "trials"))).toEqual([spec.trial_id]);
  });

  test("models of the last epoch with --last-models, and never those of the best", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { bytes: 4000 });
    addSweep(runs, "fusion", [spec]);
    const result = await collectGarbage(request(runs, { lastModels: true }));
    expect(removed(result, runs)).toEqual([`last_model ${attemptPath(1)}/last.safetensors`]);
    expect(readdirSync(join(runs, attemptPath(1))).filter((name) => /^(best|last)/.test(name))).toEqual([
      "best.json",
      "best.safetensors",
    ]);
  });

  test("old logs of the cache", async () => {
    const runs = tempFolder();
    const { cache } = request(runs);
    mkdirSync(join(cache, "logs"), { recursive: true });
    const files = ["logs/worker-old.log", "logs/worker-new.log", "errors.log", "logs/notes.log"];
    for (const file of files) writeFileSync(join(cache, file), "text");
    for (const file of ["logs/worker-old.log", "logs/notes.log"]) age(join(cache, file), 40);
    age(join(cache, "errors.log"), 20);
    const result = await collectGarbage(request(runs));
    expect(result.removals.map(({ reason, path }) => [reason, path])).toEqual([
      ["log", join(cache, files[0] ?? "")],
    ]);
    const later = await collectGarbage(request(runs, { logsOlderThanDays: 10 }));
    expect(later.removals.map(({ path }) => path)).toEqual([join(cache, "errors.log")]);
    expect(tree(cache)).toEqual(["logs", "logs/notes.log", "logs/worker-new.log"]);
  });

  test("files that killed processes left, when they are older than a day", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const sweep = addSweep(runs, "fusion", [spec]);
    const audit = new AuditStore(runs, "film-val");
    mkdirSync(audit.folder, { recursive: true });
    writeFileSync(join(audit.folder, "audit.json"), "{");
    const staging = [
      join(audit.folder, ".AUDIT.md.0123456789ab.new"),
      join(sweep.folder, ".places.json.0123456789ab.new"),
      join(runs, attemptPath(1), ".best.safetensors.0123456789abcdef.new"),
    ];
    const fresh = join(sweep.folder, ".trials.jsonl.0123456789ab.new");
    for (const file of [...staging, fresh]) writeFileSync(file, "text");
    for (const file of staging) age(file, 2);
    const reports = [sweep, audit].map(({ folder }) => join(folder, ".report-Ab12Cd"));
    for (const folder of reports) mkdirSync(folder);
    const result = await collectGarbage(request(runs));
    expect(result.removals.map(({ reason, path }) => `${reason} ${path}`).sort()).toEqual(
      [...staging, ...reports].map((path) => `leftover ${path}`).sort(),
    );
    for (const path of [...staging, ...reports]) expect(existsSync(path), path).toBe(false);
    expect(existsSync(fresh)).toBe(true);
    expect(existsSync(join(audit.folder, "audit.json"))).toBe(true);
  });
});

describe("joint training sets of the cache", () => {
  const joint = { jointData: true };

  /** Those with these ids, each prepared from its annotations. */
  function addJoint(runs: string, ...ids: string[]): void {
    for (const id of ids) {
      mkdirSync(join(runs, "cache/joint", id, "annotations"), { recursive: true });
      mkdirSync(join(runs, "cache/prepared", id, "pixels"), { recursive: true });
      writeFileSync(join(runs, "cache/prepared", id, "dataset.json"), "{}");
    }
  }

  const unused = "0123456789abcdef";

  test("are removed with --joint-data if nothing uses them; other datasets stay", async () => {
    const runs = tempFolder();
    addSweep(runs, "fusion", [spec]);
    addAttempt(runs, spec);
    addJoint(runs, unused, spec.dataset.id);
    mkdirSync(join(runs, "cache/prepared/fedcba9876543210"));
    expect(removed(planGarbage(request(runs)), runs)).toEqual([]);
    expect(planGarbage(request(runs)).more.filter(({ reason }) => reason === "joint")).toHaveLength(2);
    const plan = await collectGarbage(request(runs, joint));
    expect(removed(plan, runs)).toEqual([`joint cache/joint/${unused}`, `joint cache/prepared/${unused}`]);
    expect(readdirSync(join(runs, "cache/prepared")).sort()).toEqual(
      ["fedcba9876543210", spec.dataset.id].sort(),
    );
    expect(readdirSync(join(runs, "cache/joint"))).toEqual([spec.dataset.id]);
  });

  test("stay while a sweep runs, or a trial cannot be read; a killed removal continues", async () => {
    const runs = tempFolder();
    const sweep = addSweep(runs, "fusion", [spec]);
    addJoint(runs, unused);
    renameSync(
      join(runs, "cache/prepared", unused),
      join(runs, "cache/prepared", `${unused}.removed-00000000`),
    );
    const user = startUser(sweep.lockFolder, "hold");
    await user.says("held");
    expect(removed(planGarbage(request(runs, joint)), runs)).toEqual([
      `leftover cache/prepared/${unused}.removed-00000000`,
    ]);
    user.child.kill("SIGKILL");
    await once(user.child, "close");
    addAttempt(runs, spec);
    writeFileSync(join(runs, "trials", spec.trial_id, "spec.json"), "{");
    expect(planGarbage(request(runs, joint)).removals.filter(({ reason }) => reason === "joint")).toEqual([]);
    rmSync(join(runs, "trials"), { recursive: true });
    await collectGarbage(request(runs, joint));
    expect([...readdirSync(join(runs, "cache/prepared")), ...readdirSync(join(runs, "cache/joint"))]).toEqual(
      [],
    );
  });
});

describe("cliprpn gc keeps", () => {
  test("everything of results that a sweep asks for, whatever the options", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { models: ["best"] });
    addAttempt(runs, other, { models: ["best"], code: oldCode });
    addSweep(runs, "fusion", [spec, other]);
    const before = tree(runs);
    const result = await collectGarbage(request(runs, everything));
    expect(result.removals).toEqual([]);
    expect(tree(runs)).toEqual(before);
  });

  test("everything without --yes", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "unfinished", bytes: 2_000_000, models: ["best"] });
    const before = tree(runs);
    const { code, out } = await cliprpn(["gc", "--unasked", "--runs-dir", runs], runs, {
      CLIPRPN_CACHE: tempFolder(),
    });
    expect(code).toBe(0);
    expect(out).toContain("2.0 MB");
    expect(out).toContain("--yes");
    expect(tree(runs)).toEqual(before);
  });

  test("a trial that a live process runs", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "unfinished" });
    const trial = new TrialStore(runs, spec.trial_id);
    const { child, says } = startUser(trial.claimFolder, "hold");
    await says("held");
    for (const plan of [
      planGarbage(request(runs, everything)),
      await collectGarbage(request(runs, everything)),
    ]) {
      expect(plan.removals).toEqual([]);
      expect(plan.skipped).toMatchObject([
        { trial_id: spec.trial_id, sweep: null, owner: { pid: child.pid } },
      ]);
    }
    expect(trial.attempts()).toEqual([1]);
    child.kill("SIGKILL");
    await until(() => planGarbage(request(runs)).skipped.length === 0);
    await collectGarbage(request(runs));
    expect(trial.attempts()).toEqual([]);
  });

  test("the trials of a sweep that a live process runs, and those that it may begin to ask for", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "unfinished" });
    addAttempt(runs, other);
    const sweep = addSweep(runs, "fusion", [spec]);
    await startUser(sweep.lockFolder, "hold").says("held");
    const result = await collectGarbage(request(runs, everything));
    expect(result.removals).toEqual([]);
    expect(result.skipped.map(({ trial_id, sweep }) => [trial_id, sweep]).sort()).toEqual(
      [spec, other].map(({ trial_id }) => [trial_id, "fusion"]).sort(),
    );
  });

  test("a model that a baseline of a sweep takes its boxes from", () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const sweep = addSweep(runs, "boxes", [other]);
    const places = JSON.parse(readFileSync(join(sweep.folder, "places.json"), "utf8"));
    const file = join(runs, attemptPath(1), "last.safetensors");
    writeFileSync(
      join(sweep.folder, "places.json"),
      JSON.stringify({ ...places, detector_files: { ["c".repeat(64)]: file } }),
    );
    const plan = planGarbage(request(runs, everything));
    expect([plan.removals, plan.more]).toEqual([[], []]);
  });

  test.each([
    "trials.jsonl",
    "places.json",
  ])("what a sweep may need whose %s cannot be read, and says so", async (file) => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "failed" });
    addAttempt(runs, other);
    const sweep = addSweep(runs, "damaged", [spec]);
    writeFileSync(join(sweep.folder, file), '{"schema_version": 2}\n');
    const result = await collectGarbage(request(runs, { unasked: true }));
    expect(result.removals).toEqual([]);
    expect(result.problems[0]).toContain(file);
  });

  test("a trial of a sweep of an earlier version that was not adopted", () => {
    const runs = makeOldRuns(tempFolder());
    for (const trial_id of leftTrials(runs).keys()) addAttempt(runs, { ...spec, trial_id });
    addAttempt(runs, other);
    expect(removed(planGarbage(request(runs, { unasked: true })), runs)).toEqual([
      `unasked trials/${other.trial_id}`,
    ]);
  });

  test("an attempt whose outcome was set aside", () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "unfinished" });
    addSweep(runs, "fusion", [spec]);
    writeFileSync(join(runs, attemptPath(1), "outcome-unreadable.json"), "{");
    expect(planGarbage(request(runs)).removals).toEqual([]);
  });

  test.each([
    ["", "trials.jsonl"],
    [undefined, "trials.jsonl"],
  ])("the trials of a sweep whose list of them is %j, and says so", async (text, file) => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const path = join(addSweep(runs, "damaged", [spec]).folder, file);
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text);
    const result = await collectGarbage(request(runs, everything));
    expect(result.removals.filter(({ reason }) => reason === "unasked")).toEqual([]);
    expect(result.problems[0]).toContain(file);
  });

  test("an accepted attempt without its outcome, and says so", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    addSweep(runs, "damaged", [spec]);
    rmSync(join(runs, attemptPath(1), "outcome.json"));
    const result = await collectGarbage(request(runs, everything));
    expect(result.removals).toEqual([]);
    expect(result.problems[0]).toContain("outcome.json");
  });

  test("a trial with a damaged file, and says so", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "unfinished" });
    writeFileSync(join(runs, attemptPath(1), "outcome.json"), "{");
    addAttempt(runs, other, { state: "unfinished" });
    const result = await collectGarbage(request(runs, { unasked: true }));
    expect(removed(result, runs)).toEqual([`unasked trials/${other.trial_id}`]);
    expect(result.problems[0]).toContain("outcome.json");
  });
});

describe("after a kill", () => {
  /** A trial of which everything but the newest attempt goes. */
  function madeTrial(runs: string): TrialStore {
    addAttempt(runs, spec, { state: "failed" });
    addAttempt(runs, spec, { code: oldCode });
    addAttempt(runs, spec);
    addAttempt(runs, spec, { accepted: false });
    addSweep(runs, "fusion", [spec]);
    const trial = new TrialStore(runs, spec.trial_id);
    for (const attempt of [2, 4]) {
      mkdirSync(trial.answersFolder(attempt, "test"), { recursive: true });
      writeFileSync(join(trial.answersFolder(attempt, "test"), "predictions-test.parquet"), "");
    }
    return trial;
  }

  function expectConsistent(trial: TrialStore): void {
    const attempts = trial.attempts();
    for (const { attempt } of trial.accepted()) expect(attempts).toContain(attempt);
    expect(trial.shown(currentCodeOf(spec))?.attempt).toBe(3);
    expect(trial.model(3)).toBeDefined();
    for (const attempt of attempts) expect(trial.outcome(attempt)).toBeDefined();
  }

  test("at any change of the disk, the trial is consistent and the next run continues", async () => {
    const expected = tempFolder();
    madeTrial(expected);
    await collectGarbage(request(expected, { oldCode: true }));
    let numChanges: number | undefined;
    for (let killAt = 1; numChanges === undefined; killAt += 1) {
      const runs = tempFolder();
      const trial = madeTrial(runs);
      numChanges = await killedAt(killAt, () => collectGarbage(request(runs, { oldCode: true })));
      expectConsistent(trial);
      await collectGarbage(request(runs, { oldCode: true }));
      expect(tree(runs)).toEqual(tree(expected));
      // Else it is not long, and a test of nothing.
      if (numChanges !== undefined) expect(numChanges).toBeGreaterThan(12);
    }
  });

  test("of a real process in its midst, the next run continues", async () => {
    const runs = tempFolder();
    const trial = madeTrial(runs);
    const script = join(packageRoot, "test/helpers/gc-and-die.ts");
    const child = spawn(process.execPath, ["--import", "tsx", script, runs, "10"], {
      cwd: packageRoot,
      stdio: ["ignore", "inherit", "inherit"],
    });
    const signal = await new Promise((resolve) => child.on("exit", (_code, name) => resolve(name)));
    expect(signal).toBe("SIGKILL");
    expectConsistent(trial);
    expect(trial.attempts()).not.toEqual([3]);
    await collectGarbage(request(runs, { oldCode: true }));
    expect(trial.attempts()).toEqual([3]);
    expect(planGarbage(request(runs, { oldCode: true })).removals).toEqual([]);
  });

  test("of the removal of a whole trial, its rest goes, and the trial can run again meanwhile", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const rest = `${new TrialStore(runs, spec.trial_id).folder}.removed-0123abcd`;
    renameSync(new TrialStore(runs, spec.trial_id).folder, rest);
    expect(addAttempt(runs, spec)).toBe(1);
    addSweep(runs, "fusion", [spec]);
    const result = await collectGarbage(request(runs));
    expect(removed(result, runs)).toEqual([`leftover ${rest.slice(runs.length + 1)}`]);
    expect(readdirSync(dirname(rest))).toEqual([spec.trial_id]);
  });
});

test("the number of a removed attempt is not used again, as the journal names it", async () => {
  const runs = tempFolder();
  addAttempt(runs, spec);
  addAttempt(runs, spec, { state: "unfinished" });
  addSweep(runs, "fusion", [spec]);
  await collectGarbage(request(runs));
  expect(new TrialStore(runs, spec.trial_id).attempts()).toEqual([1]);
  expect(addAttempt(runs, spec)).toBe(3);
});

test("cliprpn gc prints lines of 80 columns or whole paths, or JSON with totals", async () => {
  const runs = tempFolder();
  for (let seed = 0; seed < 12; seed += 1) addAttempt(runs, madeSpec("film", seed), { state: "unfinished" });
  const text = await cliprpn(["gc", "--runs-dir", runs], runs, { CLIPRPN_CACHE: runs });
  const lines = text.out.split("\n");
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(text.out).toContain("and 2 more");
  const json = await cliprpn(["gc", "--json", "--yes", "--runs-dir", runs], runs, { CLIPRPN_CACHE: runs });
  const { done, totals, removals } = JSON.parse(json.out);
  expect([done, totals[0].reason, totals[0].num, removals.length]).toEqual([true, "unfinished", 12, 12]);
  const again = await cliprpn(["gc", "--yes", "--runs-dir", runs], runs, { CLIPRPN_CACHE: runs });
  expect(again.out).toContain("Nothing was removed.");
});

test("cliprpn gc refuses ages that are no number of days", async () => {
  const runs = tempFolder();
  const { code, err } = await cliprpn(["gc", "--logs-older-than", "0"], runs);
  expect(code).toBe(2);
  expect(err).toContain("--logs-older-than");
});
