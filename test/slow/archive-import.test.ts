import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { stagingName } from "../../src/base/replace-file.ts";
import type { JournalEntry } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { acceptLeftovers } from "../../src/store/accept-leftovers.ts";
import { checkArchive } from "../../src/store/archive/check-archive.ts";
import { importArchive } from "../../src/store/archive/import-archive.ts";
import { SweepArchive } from "../../src/store/archive/open-archive.ts";
import { allAudits } from "../../src/store/audit-store.ts";
import { placesOf } from "../../src/store/compose-spec.ts";
import { findModel, modelFile } from "../../src/store/find-model.ts";
import { neededModel } from "../../src/store/needed-model.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { countLooks } from "../../src/store/test-looks.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { makeReport } from "../../src/sweep/results/make-report.ts";
import { makeTerminal } from "../../src/terminal/make-terminal.ts";
import { cliprpn } from "../helpers/cli.ts";
import { examplesOf } from "../helpers/contract-examples.ts";
import {
  addAudits,
  addFinished,
  broken,
  edited,
  film,
  fusionSource,
  makeSweep,
  own,
  partsOf,
  specs,
  waiting,
  writeForged,
} from "../helpers/exported-runs.ts";
import { addAttempt, addSweep, currentCodeOf, oldCode } from "../helpers/made-runs.ts";
import { filesIn } from "../helpers/old-runs.ts";
import { madeSummary } from "../helpers/report-input.ts";
import { sharedFolder, tempFolder } from "../helpers/temp-folder.ts";
import { killedAt } from "../helpers/write-faults.ts";

/** A folder with the runs of another machine, and their archives: fusion.zip, and with-models.zip. */
const there = sharedFolder("exported");

beforeAll(async () => {
  makeSweep(join(there, "runs"));
  await cliprpn(["export", "fusion"], there);
  await cliprpn(["export", "fusion", "--models", "all", "--out", "with-models.zip"], there);
});

const archive = join(there, "fusion.zip");
const withModels = join(there, "with-models.zip");

function trialIn(cwd: string, { trial_id } = film): TrialStore {
  return new TrialStore(join(cwd, "runs"), trial_id);
}

/** Files of a runs folder without locks, and what killed processes left of a write. */
function content(cwd: string): Map<string, string> {
  const files = [...filesIn(join(cwd, "runs"))].filter(
    ([file]) =>
      !/(^|\/)(claim|lock|import-lock)\/\d/.test(file) && !stagingName.test(file.split("/").at(-1) ?? ""),
  );
  return new Map(files);
}

describe("an import", () => {
  test("adds the sweep with its trials, marked as imported", async () => {
    const cwd = tempFolder();
    const { code, out } = await cliprpn(["import", archive, "--json"], cwd);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      num_new: 2,
      num_known: 0,
      num_not_accepted: 0,
      num_untrusted: 1,
    });
    const accepted = trialIn(cwd).shown(currentCodeOf(film));
    expect(accepted?.origin).toEqual({ kind: "import", from: "fusion.zip" });
    const { experiment, trials, places } = new SweepStore(join(cwd, "runs"), "fusion").read();
    expect(experiment.question).toBe("Which is best?");
    expect(trials.map(({ spec }) => spec.trial_id)).toEqual(specs.map(({ trial_id }) => trial_id));
    expect(places.dataset_root).toBe(join(cwd, "data", "mine"));
    expect(countLooks(join(cwd, "runs"), "made", "test")).toBe(1);
    const listed = JSON.parse((await cliprpn(["list", "--json"], cwd)).out);
    expect(listed[0].trials).toMatchObject({ completed: 2, failed: 1, waiting: 1, stale: 0 });
    const shown = JSON.parse((await cliprpn(["show", film.trial_id, "--json"], cwd)).out);
    expect(shown.attempts[0]).toMatchObject({ number: 1, origin: { from: "fusion.zip" } });
    expect(readFileSync(join(cwd, "runs/sweeps/fusion/REPORT.md"), "utf8")).toMatch(
      /^> Imported from fusion\.zip/,
    );
    // The number of the failed attempt, which is not in the archive.
    expect(trialIn(cwd, broken).newAttempt().number).toBe(2);
    expect(existsSync(trialIn(cwd, waiting).folder)).toBe(false);
  });

  test("gives the same report, except for the mark", async () => {
    const cwd = tempFolder();
    await cliprpn(["import", archive], cwd);
    const [before, after] = [await reportOf(there), await reportOf(cwd)];
    expect(before).not.toContain("Imported results");
    expect(after).toContain(
      "Imported results, which did not run here (from fusion.zip): film, seed 0; own, seed 1.",
    );
    // The section has only this mark. Archives name no machine, also not to count it.
    const marked = after.replace(/## What differs\n[^#]*/, "");
    expect(marked.replace(/^The machines .* are not recorded\.$/m, "The 2 trials ran on one machine.")).toBe(
      before,
    );
  });

  test("finds the dataset that lies on this machine", async () => {
    const cwd = tempFolder();
    addDataset(join(cwd, "data", "renamed"));
    await cliprpn(["import", archive], cwd);
    expect(new SweepStore(join(cwd, "runs"), "fusion").places()?.dataset_root).toBe(
      join(cwd, "data", "renamed"),
    );
  });

  test("done again, adds nothing", async () => {
    const cwd = tempFolder();
    await cliprpn(["import", archive], cwd);
    const before = content(cwd);
    const { code, out } = await cliprpn(["import", archive, "--json"], cwd);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ num_new: 0, num_known: 2 });
    expect(content(cwd)).toEqual(before);
  });

  test("into the runs folder that exported it, adds nothing", async () => {
    const cwd = tempFolder();
    cpSync(there, cwd, { recursive: true });
    const before = content(cwd);
    expect((await cliprpn(["import", withModels], cwd)).code).toBe(0);
    expect(content(cwd)).toEqual(before);
    expect(trialIn(cwd).accepted()).toMatchObject([{ attempt: 1, origin: null }]);
  });

  test("of an archive with models adds them to the results of the one without", async () => {
    const cwd = tempFolder();
    await cliprpn(["import", archive], cwd);
    const needed = (): string => neededModel(trialIn(cwd), 1);
    expect(needed).toThrow(/fusion\.zip.*--models best/);
    await cliprpn(["import", withModels], cwd);
    expect(readFileSync(needed(), "utf8")).toHaveLength(1000);
    expect(trialIn(cwd).attempts()).toEqual([1]);
  });

  test("keeps the result that the trial has by the same code, and adds its own next to it", async () => {
    const cwd = tempFolder();
    addFinished(join(cwd, "runs"), film, { acc: 0.1 });
    const { out } = await cliprpn(["import", archive, "--json"], cwd);
    expect(JSON.parse(out)).toMatchObject({ num_new: 2, num_not_accepted: 1 });
    expect(trialIn(cwd).attempts()).toEqual([1, 2]);
    expect(trialIn(cwd).accepted()).toMatchObject([{ attempt: 1, origin: null }]);
    const shown = JSON.parse((await cliprpn(["show", film.trial_id, "--json"], cwd)).out);
    expect(shown.attempts).toMatchObject([{ number: 2, origin: { from: "fusion.zip" } }, { origin: null }]);
    const entries = new SweepStore(join(cwd, "runs"), "fusion").journal.entries();
    expect(attemptsOf(entries, film.trial_id)).toEqual([2]);
  });

  test("counts for its code next to a result by other code", async () => {
    const cwd = tempFolder();
    addAttempt(join(cwd, "runs"), film, { code: oldCode });
    addAttempt(join(cwd, "runs"), broken, { state: "unfinished" });
    await cliprpn(["import", archive], cwd);
    expect(trialIn(cwd).shown(currentCodeOf(film))).toMatchObject({ attempt: 2, origin: { kind: "import" } });
    expect(trialIn(cwd).shown(oldCode)).toMatchObject({ attempt: 1, origin: null });
    // The attempt 1 of this machine did not fail.
    const entries = new SweepStore(join(cwd, "runs"), "fusion").journal.entries();
    expect(attemptsOf(entries, broken.trial_id)).toEqual([]);
  });

  test("of a newer archive of a sweep adds the results that are new", async () => {
    const [older, cwd] = [tempFolder(), tempFolder()];
    cpSync(there, older, { recursive: true });
    await cliprpn(["import", archive], cwd);
    addFinished(join(older, "runs"), waiting, { acc: 0.7 });
    await cliprpn(["export", "fusion", "--out", "newer.zip"], older);
    const { out } = await cliprpn(["import", join(older, "newer.zip"), "--json"], cwd);
    expect(JSON.parse(out)).toMatchObject({ num_new: 1, num_known: 2 });
    expect(trialIn(cwd, waiting).accepted()).toMatchObject([{ origin: { from: "newer.zip" } }]);
    const listed = JSON.parse((await cliprpn(["list", "--json"], cwd)).out);
    expect(listed).toHaveLength(1);
    expect(listed[0].trials).toMatchObject({ completed: 3, failed: 1 });
  });

  test("leaves another sweep of its name alone, and takes another name", async () => {
    const cwd = tempFolder();
    addSweep(join(cwd, "runs"), "fusion", [waiting], { question: "Mine?" });
    const before = content(cwd);
    expect(await cliprpn(["import", archive], cwd)).toMatchObject({
      code: 2,
      err: expect.stringContaining("--name NEW"),
    });
    expect(content(cwd)).toEqual(before);
    expect((await cliprpn(["import", archive, "--name", "theirs"], cwd)).code).toBe(0);
    const runs = join(cwd, "runs");
    expect(new SweepStore(runs, "fusion").read().experiment.question).toBe("Mine?");
    expect(new SweepStore(runs, "theirs").read().experiment).toMatchObject({ name: "theirs" });
    expect((await cliprpn(["import", archive, "--name", "../x"], cwd)).code).toBe(2);
  });

  test("never makes a result the newest by its own word", async () => {
    const cwd = tempFolder();
    const forged = join(cwd, "forged.zip");
    const parts = await partsOf(archive);
    writeForged(
      forged,
      edited(parts, new RegExp(`${film.trial_id}/accepted`), (text) =>
        text.replace(/"accepted_at":"[^"]*"/, '"accepted_at":"9999-01-01T00:00:00Z"'),
      ),
    );
    await cliprpn(["import", forged], cwd);
    expect(Date.parse(trialIn(cwd).accepted()[0]?.accepted_at ?? "")).toBeLessThanOrEqual(Date.now());
  });
});

describe("the fusion of an archive", () => {
  test("cannot run without --trust", async () => {
    const cwd = tempFolder();
    const { err } = await cliprpn(["import", withModels], cwd);
    expect(err).toContain("--trust");
    expect([...content(cwd).keys()].filter((file) => file.endsWith(".py"))).toEqual([]);
    const context = { runsDir: join(cwd, "runs"), cwd };
    const { folder } = trialIn(cwd, own).attempt(1);
    for (const name of [
      own.trial_id,
      folder,
      join(folder, "best.safetensors"),
      join(folder, "last.safetensors"),
    ]) {
      const load = (): string => modelFile(findModel(name, context, () => currentCodeOf(own)));
      expect(load, name).toThrow(expect.objectContaining({ code: "weights_unsafe" }));
      expect(load, name).toThrow(/with-models\.zip.*--trust/);
    }
    // Copied elsewhere too.
    renameSync(folder, join(cwd, "copy"));
    const copied = findModel(join(cwd, "copy", "best.safetensors"), context, () => "");
    expect(() => modelFile(copied)).toThrow(expect.objectContaining({ code: "weights_unsafe" }));
    // Cliprpn's own fusions need no trust.
    expect(modelFile(findModel(film.trial_id, context, () => ""))).toContain(film.trial_id);
    expect(existsSync(join(cwd, "fusion-ran"))).toBe(false);
  });

  test("may run with --trust, also after an import without", async () => {
    const cwd = tempFolder();
    await cliprpn(["import", withModels], cwd);
    const { out } = await cliprpn(["import", withModels, "--trust", "--json"], cwd);
    expect(JSON.parse(out)).toMatchObject({ num_new: 0, num_untrusted: 0 });
    const trial = trialIn(cwd, own);
    for (const folder of [trial.folder, trial.attempt(1).folder]) {
      expect(readFileSync(join(folder, "fusion.py"), "utf8")).toBe(fusionSource);
      expect(existsSync(join(folder, "fusion.py.untrusted"))).toBe(false);
    }
    expect(neededModel(trial, 1)).toContain("best.safetensors");
  });

  test("may run if it is the person's own file: its trial ran here", async () => {
    const cwd = tempFolder();
    addFinished(join(cwd, "runs"), own, { acc: 0.1 });
    const { out } = await cliprpn(["import", withModels, "--json"], cwd);
    expect(JSON.parse(out)).toMatchObject({ num_untrusted: 0 });
    expect(neededModel(trialIn(cwd, own), 2)).toContain("attempts/2/best.safetensors");
  });

  test("stays untrusted when the sweep is exported and imported again", async () => {
    const [first, second] = [tempFolder(), tempFolder()];
    await cliprpn(["import", withModels], first);
    await cliprpn(["export", "fusion", "--models", "all", "--out", "again.zip"], first);
    await cliprpn(["import", join(first, "again.zip")], second);
    expect(() => neededModel(trialIn(second, own), 1)).toThrow(
      expect.objectContaining({ code: "weights_unsafe" }),
    );
    expect([...content(second).keys()].filter((file) => file.endsWith(".py"))).toEqual([]);
    expect(trialIn(second).accepted()).toMatchObject([{ origin: { kind: "import", from: "again.zip" } }]);
  });
});

describe("an import that is killed", () => {
  test("at any change of the disk is finished by the next one", async () => {
    const whole = tempFolder();
    addFinished(join(whole, "runs"), film, { acc: 0.1, code: oldCode });
    const start = join(tempFolder(), "start");
    cpSync(whole, start, { recursive: true });
    const changes = (await killedAt(Number.POSITIVE_INFINITY, () => imported(whole))) ?? 0;
    const expected = content(whole);
    expect(changes).toBeGreaterThan(100);
    for (let killAt = 1; killAt <= changes; killAt += 1) {
      const cwd = `${start}-${killAt}`;
      cpSync(start, cwd, { recursive: true });
      expect(await killedAt(killAt, () => imported(cwd))).toBeUndefined();
      // Nothing that is found is incomplete, and what is found is marked.
      const trial = trialIn(cwd);
      for (const number of trial.attempts().filter((each) => each !== 1))
        expect(trial.outcome(number)?.state, `killed at ${killAt}`).toBe("completed");
      acceptLeftovers(trial);
      for (const { attempt, origin } of trial.accepted())
        expect(origin, `killed at ${killAt}`).toEqual(
          attempt === 1 ? null : { kind: "import", from: "with-models.zip" },
        );
      await killedAt(Number.POSITIVE_INFINITY, () => imported(cwd));
      expect(withoutTimes(content(cwd)), `killed at ${killAt}`).toEqual(withoutTimes(expected));
      expect(countLooks(join(cwd, "runs"), "made", "test"), `killed at ${killAt}`).toBe(1);
      rmSync(cwd, { recursive: true });
    }
  });
});

/** Imports the archive with models, as the command does. */
async function imported(cwd: string): Promise<void> {
  const opened = await SweepArchive.open(withModels);
  const { signal } = new AbortController();
  try {
    const checked = await checkArchive(opened, { signal, onProgress: () => undefined });
    await importArchive(opened, checked, {
      runsDir: join(cwd, "runs"),
      name: "fusion",
      from: "with-models.zip",
      trust: false,
      places: placesOf(film, []),
      command: "cliprpn import",
      signal,
      onWait: () => undefined,
      onWaitForImport: () => undefined,
      onProgress: () => undefined,
    });
  } finally {
    opened.close();
  }
}

/** An attempt that another process accepted after a kill has the time of then; a line of the looks may be incomplete. */
function withoutTimes(files: Map<string, string>): Map<string, string> {
  const others = [...files].filter(([file]) => file !== "test-looks.jsonl");
  return new Map(others.map(([file, text]) => [file, text.replace(/"accepted_at": ?"[^"]*"/, "")]));
}

function attemptsOf(entries: JournalEntry[], trial_id: string): number[] {
  return entries.flatMap((entry) =>
    "trial_id" in entry && entry.trial_id === trial_id ? [entry.attempt] : [],
  );
}

/** The report of the sweep, with figures from its outcomes. */
async function reportOf(cwd: string): Promise<string> {
  addDataset(join(cwd, "data", "mine"));
  const summary = madeSummary([
    { label: "film", acc: [0.6] },
    { label: "own", acc: [0.5] },
  ]);
  const engine = { call: () => Promise.resolve(summary) } as unknown as Engine;
  const context = {
    terminal: makeTerminal({ stdout: { write: () => undefined }, stderr: { write: () => undefined } }),
    cwd,
    env: {},
    signal: new AbortController().signal,
    commandLine: "cliprpn report",
  };
  const { file } = await makeReport(new SweepStore(join(cwd, "runs"), "fusion"), "val", engine, context);
  return readFileSync(join(cwd, file), "utf8");
}

function addDataset(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const splits = [{ split: "val", num_images: 10, num_refs: 10, num_sentences: 10 }];
  writeFileSync(
    join(folder, "dataset.json"),
    JSON.stringify({ ...Object(examplesOf("PreparedDataset")[0]), id: "made", splits }),
  );
}

test("audits come with a sweep, say where from, and replace none of this machine", async () => {
  const cwd = tempFolder();
  makeSweep(join(cwd, "runs"));
  await addAudits(join(cwd, "runs"));
  await cliprpn(["export", "fusion"], cwd);
  const here = tempFolder();
  await cliprpn(["import", join(cwd, "fusion.zip")], here);
  const [audit, ...others] = allAudits(join(here, "runs"));
  expect(others).toEqual([]);
  expect(audit?.read()?.models[0]?.trial_ids).toEqual([film.trial_id]);
  const report = join(audit?.folder ?? "", "AUDIT.md");
  expect(readFileSync(report, "utf8")).toMatch(/^> Imported from fusion\.zip/);
  writeFileSync(report, "of this machine");
  await cliprpn(["import", join(cwd, "fusion.zip")], here);
  expect(readFileSync(report, "utf8")).toBe("of this machine");
});
