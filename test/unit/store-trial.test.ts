import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TrialOutcome } from "../../src/contract/generated/types.ts";
import { acceptLeftovers } from "../../src/store/accept-leftovers.ts";
import { answersFolder, findModel, findTrial } from "../../src/store/find-model.ts";
import { neededModel } from "../../src/store/needed-model.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { errorOf } from "../helpers/error-of.ts";
import { addAttempt as writeTrial } from "../helpers/made-runs.ts";
import { failed, madeBaselineSpec, madeOutcome, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { writeAttempt } from "../helpers/write-attempt.ts";

const code = "a".repeat(64);
const otherCode = "b".repeat(64);
const spec = madeSpec("film", 0);

function madeTrial(runs = tempFolder(), trial_id = spec.trial_id): TrialStore {
  const trial = new TrialStore(runs, trial_id);
  trial.create({ ...spec, trial_id });
  return trial;
}

/** An attempt as its worker leaves it. */
function addAttempt(
  trial: TrialStore,
  sources_sha256 = code,
  made: TrialOutcome = madeOutcome(spec),
  changes: object = {},
): number {
  return writeAttempt(trial, { ...made, trial_id: trial.trial_id, sources_sha256, ...changes });
}

describe("a trial's folder", () => {
  test("keeps what decides the result, and no label, path or device", () => {
    const trial = madeTrial();
    const text = readFileSync(trial.specFile, "utf8");
    expect(trial.identity()?.trial_id).toBe(spec.trial_id);
    for (const place of [spec.label, spec.dataset.root, spec.cache_dir, "device"])
      expect(text).not.toContain(place);
  });

  test("keeps its first spec, and repairs a damaged copy of a fusion's source", () => {
    const trial = madeTrial();
    const before = readFileSync(trial.specFile, "utf8");
    trial.create(spec, Buffer.from("source"));
    writeFileSync(trial.fusionFile, "sour");
    trial.create({ ...spec, label: "another" }, Buffer.from("source"));
    expect(readFileSync(trial.specFile, "utf8")).toBe(before);
    expect(readFileSync(trial.fusionFile, "utf8")).toBe("source");
    expect(readdirSync(trial.folder).sort()).toEqual(["fusion.py", "spec.json"]);
  });

  test("knows which attempts can be continued: those with a checkpoint and no outcome, newest first", () => {
    const trial = madeTrial();
    for (const number of [trial.newAttempt().number, trial.newAttempt().number, addAttempt(trial)])
      writeFileSync(trial.checkpointFile(number), "checkpoint");
    trial.newAttempt();
    expect(trial.resumable()).toEqual([2, 1]);
    trial.removeCheckpoints();
    expect(trial.resumable()).toEqual([]);
    expect(trial.attempts()).toEqual([1, 2, 3, 4]);
  });

  test("gives every attempt a new folder, also after one that was left by a killed process", () => {
    const trial = madeTrial();
    expect([trial.newAttempt().number, trial.newAttempt().number]).toEqual([1, 2]);
    mkdirSync(join(trial.folder, "attempts", "7"));
    expect(trial.newAttempt().number).toBe(8);
    expect(trial.attempts()).toEqual([1, 2, 7, 8]);
  });
});

describe("an accepted attempt", () => {
  test("is the first one of its code, for good", () => {
    const trial = madeTrial();
    const [first, second] = [addAttempt(trial), addAttempt(trial)];
    expect(trial.accept(first, code)).toBe(first);
    expect(trial.accept(second, code)).toBe(first);
    expect(trial.accepted().map(({ attempt }) => attempt)).toEqual([first]);
    expect(readFileSync(trial.model(first) ?? "", "utf8")).toBe("model 1");
  });

  test("of the current code is shown, else the newest of another", () => {
    const trial = madeTrial();
    const old = addAttempt(trial, otherCode);
    trial.accept(old, otherCode);
    expect(trial.shown(code)?.attempt).toBe(old);
    const current = addAttempt(trial, code);
    trial.accept(current, code);
    expect(trial.shown(code)?.attempt).toBe(current);
    expect(trial.shown(otherCode)?.attempt).toBe(old);
  });

  test("is found after a kill between its outcome and its acceptance, each for its own code; failed ones do not count", () => {
    const trial = madeTrial();
    trial.newAttempt();
    addAttempt(trial, code, failed("film", 0, "diverged"));
    acceptLeftovers(trial);
    expect(trial.accepted()).toEqual([]);
    const [completed, other] = [code, otherCode, code].map((each) => addAttempt(trial, each));
    acceptLeftovers(trial);
    expect(trial.shown(code)?.attempt).toBe(completed);
    expect(trial.shown(otherCode)?.attempt).toBe(other);
    expect(trial.accepted()).toHaveLength(2);
  });

  test.each([
    "outcome.json",
    "",
  ])("without %j in its folder is an error that says how to run the trial again", (name) => {
    const trial = madeTrial();
    trial.accept(addAttempt(trial), code);
    rmSync(join(trial.attempt(1).folder, name), { recursive: true });
    const error = errorOf(() => trial.shown(code));
    expect(error.code).toBe("bad_input");
    expect(error.message).toContain(join(trial.attempt(1).folder, "outcome.json"));
    expect(error.message).toContain(`remove ${trial.acceptedFile(code)}`);
    rmSync(trial.acceptedFile(code));
    expect(trial.shown(code)).toBeUndefined();
  });

  test("of a newer version of the format is an error that says so", () => {
    const trial = madeTrial();
    const number = addAttempt(trial, code, madeOutcome(spec), { schema_version: 2 });
    const error = errorOf(() => trial.outcome(number));
    expect(error.code).toBe("bad_input");
    expect(error.message).toMatch(/outcome\.json.*found 2.*newer cliprpn/);
  });

  test.each([
    '{"state": "comp',
    "",
    "[]",
    '{"state": "paused"}',
  ])("with the outcome %j is an error that names the file", (text) => {
    const trial = madeTrial();
    const { number, folder } = trial.newAttempt();
    writeFileSync(join(folder, "outcome.json"), text);
    const error = errorOf(() => trial.outcome(number));
    expect(error.code).toBe("bad_input");
    expect(error.message).toContain(join(folder, "outcome.json"));
  });
});

test("predictions on val lie in the attempt, later ones next to the attempts, by attempt and dataset", () => {
  const trial = madeTrial();
  const attempt = addAttempt(trial);
  expect(trial.answersFolder(attempt, "val")).toBe(join(trial.folder, "attempts/1"));
  expect(trial.answersFolder(attempt, "test")).toBe(join(trial.folder, "answers/1"));
  expect(trial.answersFolder(attempt, "val", "cafe")).toBe(join(trial.folder, "answers/1/on-cafe"));
  expect(trial.hasAnswers(attempt, "test")).toBe(false);
  mkdirSync(trial.answersFolder(attempt, "test"), { recursive: true });
  writeFileSync(join(trial.answersFolder(attempt, "test"), "predictions-test.parquet"), "");
  expect(trial.hasAnswers(attempt, "test")).toBe(true);
});

describe("a model", () => {
  const currentCode = (): string => code;

  test("is found by the start of a trial's id, by a trial's and an attempt's folder, and by its file", () => {
    const runs = tempFolder();
    const trial = madeTrial(runs, "0abc0123456789de");
    madeTrial(runs, "1abc0123456789de");
    const attempt = addAttempt(trial);
    trial.accept(attempt, code);
    const { folder } = trial.attempt(attempt);
    const found = (name: string): unknown => {
      const model = findModel(name, { runsDir: runs, cwd: runs }, currentCode);
      return model.kind === "trial" ? [model.trial.trial_id, model.attempt, model.file] : model;
    };
    expect(trialIds(runs).sort()).toEqual(["0abc0123456789de", "1abc0123456789de"]);
    const expected = ["0abc0123456789de", attempt, undefined];
    expect(found("0abc")).toEqual(expected);
    expect(found(trial.folder)).toEqual(expected);
    expect(found("trials/0abc0123456789de")).toEqual(expected);
    expect(found(folder)).toEqual(expected);
    const last = join(folder, "last.safetensors");
    writeFileSync(last, "");
    expect(found(last)).toEqual(["0abc0123456789de", attempt, last]);
    const elsewhere = join(tempFolder(), "model.safetensors");
    writeFileSync(elsewhere, "");
    expect(found(elsewhere)).toEqual({ kind: "file", file: elsewhere });
  });

  test("is found by the start of a trial's id although a folder has that name", () => {
    const runs = tempFolder();
    const trial = madeTrial(runs, "0abc0123456789de");
    trial.accept(addAttempt(trial), code);
    mkdirSync(join(runs, "0abc"));
    expect(findModel("0abc", { runsDir: runs, cwd: runs }, currentCode)).toMatchObject({ attempt: 1 });
  });

  test("has a folder for new predictions that is never its attempt's", () => {
    const runs = tempFolder();
    const trial = madeTrial(runs, "0abc0123456789de");
    trial.accept(addAttempt(trial), code);
    const file = join(trial.attempt(1).folder, "last.safetensors");
    writeFileSync(file, "");
    const later = join(trial.folder, "answers/1");
    const folderOf = (name: string, dataset?: string): string =>
      answersFolder(findModel(name, { runsDir: runs, cwd: runs }, currentCode), "val", dataset);
    expect(folderOf("0abc")).toBe(later);
    expect(folderOf("0abc", "cafe")).toBe(join(later, "on-cafe"));
    expect(folderOf(file)).toBe(join(later, "evaluated-last"));
  });

  test.each([
    "0ab",
    "2abc",
    "trials",
    "",
    "../trials/0abc",
    "x".repeat(5000),
  ])("is not found as %j", (name) => {
    const runs = tempFolder();
    madeTrial(runs, "0abc0123456789de");
    const error = errorOf(() => findModel(name, { runsDir: runs, cwd: runs }, currentCode));
    expect(error.code).toBe("not_found");
  });

  test("with an ambiguous name is an error that lists all matches", () => {
    const runs = tempFolder();
    const ids = ["0abc0123456789de", "0abc0123456789ff"];
    for (const id of ids) madeTrial(runs, id);
    const { message } = errorOf(() => findTrial("0abc", runs));
    expect(message).toContain("found 2");
    for (const id of ids) expect(message).toContain(id);
  });

  test("that was not kept is an error that says what to do; a baseline has none", () => {
    const runs = tempFolder();
    const attempt = writeTrial(runs, spec, { models: [] });
    const error = errorOf(() => neededModel(new TrialStore(runs, spec.trial_id), attempt));
    expect(error.code).toBe("not_found");
    expect(error.message).toContain("--set keep_models=best --runs-dir");
    const baseline = madeBaselineSpec("whole image", { best_box: 0.5 });
    writeTrial(runs, baseline, { models: [] });
    const { message } = errorOf(() => neededModel(new TrialStore(runs, baseline.trial_id), 1));
    expect(message).toContain("baseline");
    expect(message).not.toContain("keep_models");
  });

  test("of a trial that never completed is not found", () => {
    const runs = tempFolder();
    madeTrial(runs, "0abc0123456789de").newAttempt();
    const { message } = errorOf(() => findModel("0abc", { runsDir: runs, cwd: runs }, currentCode));
    expect(message).toContain("found 1 unfinished");
  });
});
