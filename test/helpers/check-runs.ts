/** What must hold for a runs folder at any time, whatever was killed before. Each check throws an AssertionError. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { hasCode } from "../../src/base/files.ts";
import { readOwner } from "../../src/base/owner-lock.ts";
import { stagingName } from "../../src/base/replace-file.ts";
import { listSweeps } from "../../src/runs/list-sweeps.ts";
import { readStored } from "../../src/store/files.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { sweepsIn } from "../../src/store/sweeps.ts";
import { looksAt } from "../../src/store/test-looks.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { trialStatuses } from "../../src/sweep/resume.ts";

/** Any reader may come at any time. */
export function checkReadable(runs: string): void {
  for (const { problem, name } of listSweeps(runs))
    if (problem !== null && new SweepStore(runs, name).exists)
      throw new assert.AssertionError({ message: problem });
  for (const store of sweepsIn(runs)) {
    const { trials, experiment } = store.read();
    trialStatuses(
      store,
      trials.map(({ spec }) => spec),
    );
    assert.equal(store.journal.content().numUnknown, 0, "the journal has lines that no version wrote");
    for (const version of versionsOf(store)) readStored("StoredExperiment", version);
    checkReports(store.folder);
    for (const { spec } of trials)
      for (const attempt of new TrialStore(runs, spec.trial_id).attempts())
        if (new TrialStore(runs, spec.trial_id).hasAnswers(attempt, "test"))
          assert(
            looksAt(runs, experiment.dataset.id).length > 0,
            `${spec.trial_id}: a look at test is not counted`,
          );
  }
  for (const id of trialIds(runs)) {
    const trial = new TrialStore(runs, id);
    if (trial.attempts().length > 0) assert.equal(trial.identity()?.trial_id, id);
    for (const { attempt } of trial.accepted())
      assert.equal(trial.outcome(attempt)?.state, "completed", `${id}: the accepted attempt ${attempt}`);
  }
}

export function versionsOf({ folder }: SweepStore): string[] {
  return readdirSync(folder)
    .filter((name) => /^experiment(-\d+)?\.json$/.test(name))
    .map((name) => join(folder, name));
}

function checkReports(folder: string): void {
  for (const name of readdirSync(folder).filter((each) => /^REPORT.*\.md$/.test(each))) {
    const text = readFileSync(join(folder, name), "utf8");
    const images = [...text.matchAll(/\]\((report\/[^)]+)\)/g)].map(([, file = ""]) => file);
    assert(images.length > 0, `${name} has no images`);
    assert.deepEqual(
      images.filter((file) => !existsSync(join(folder, file))),
      [],
      `${name}: images are missing`,
    );
    assert(text.includes("## Definitions"), `${name} is not complete`);
  }
}

/**
 * A trial has one completed attempt for each code, which is accepted, and ran again only if an attempt did not complete.
 *
 * @param maxLate attempts that may have completed although their worker counted as lost, and are not accepted.
 */
export function checkAttempts(trial: TrialStore, maxUnfinished: number, maxLate = 0): void {
  const outcomes = trial.attempts().map((attempt) => trial.outcome(attempt));
  const codes = outcomes.flatMap((outcome) => outcome?.sources_sha256 ?? []);
  const numLate = codes.length - new Set(codes).size;
  assert(numLate <= maxLate, `${trial.trial_id}: completed ${numLate + 1} times`);
  assert.deepEqual(
    trial
      .accepted()
      .map(({ sources_sha256 }) => sources_sha256)
      .sort(),
    [...new Set(codes)].sort(),
    `${trial.trial_id}: the accepted attempts`,
  );
  const numUnfinished = outcomes.length - codes.length;
  assert(numUnfinished <= maxUnfinished, `${trial.trial_id}: ${numUnfinished} unfinished attempts`);
}

/** All locks are free, and no more is left than files under temporary names, besides unfinished attempts. */
export function checkLeftovers(runs: string, maxTemporary: number): void {
  const names = readdirSync(runs, { recursive: true, encoding: "utf8" });
  const temporary = names.filter((name) => stagingName.test(basename(name)));
  assert(temporary.length <= maxTemporary, `left under temporary names: ${temporary.join(", ")}`);
  assert.deepEqual(
    names.filter((name) => basename(name).startsWith(".report-")),
    [],
    "reports that were not finished",
  );
  for (const lock of names.filter((name) => /(^|\/)(claim|lock|report-lock)$/.test(name))) {
    assert.equal(readdirSync(join(runs, lock)).length, 1, `${lock}: files of former owners`);
    checkFree(join(runs, lock));
  }
}

export function checkFree(lock: string): void {
  assert.equal(readOwner(lock), undefined, `${lock} is not free`);
}

/** The files that no later run may change: of completed attempts, acceptances, answers and earlier experiments. */
export function finishedFiles(runs: string): Map<string, string> {
  const isFinished = (file: string): boolean => {
    const [, id = "", , attempt = ""] = /^trials\/([^/]+)\/(attempts)\/([^/]+)\//.exec(file) ?? [];
    if (attempt !== "") return new TrialStore(runs, id).outcome(Number(attempt))?.state === "completed";
    return /^trials\/[^/]+\/(accepted|answers|spec|fusion)|^sweeps\/[^/]+\/experiment-\d|^code\//.test(file);
  };
  return new Map(
    [...hashesIn(runs)].filter(([file]) => isFinished(file) && !stagingName.test(basename(file))),
  );
}

/** All files below a folder with the hash of their content, by relative path. Some may be renamed or removed meanwhile. */
export function hashesIn(folder: string): Map<string, string> {
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return new Map(
    files
      .map((name) => join(folder, name))
      .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
      .flatMap((file) => {
        const content = contentOf(file);
        if (content === undefined) return [];
        return [[relative(folder, file), createHash("sha256").update(content).digest("hex")] as const];
      }),
  );
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
