/** Whether a sweep that was disturbed has the same results as one that was not. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { stagingName } from "../../src/base/replace-file.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { checkAttempts, checkFree, checkLeftovers } from "../helpers/check-runs.ts";
import { patternOf } from "./places.ts";
import { hashOf, isAboutResuming, reportOf, resultsOf } from "./results.ts";
import { sweepName, type WorkFolder } from "./work-folder.ts";

/**
 * @param numFaults kills and other faults that `disturbed` has had.
 * @param numFrozen of these, workers that were frozen, and may have completed their trial later.
 * @throws AssertionError with the first difference.
 */
export function compareRuns(
  undisturbed: WorkFolder,
  disturbed: WorkFolder,
  { numFaults, numFrozen }: { numFaults: number; numFrozen: number },
): void {
  const ids = trialIds(undisturbed.runs).sort();
  assert.deepEqual(trialIds(disturbed.runs).sort(), ids, "the trials");
  for (const id of ids) {
    checkAttempts(new TrialStore(disturbed.runs, id), numFaults, numFrozen);
    assert.deepEqual(
      resultsOf(disturbed.runs, id),
      resultsOf(undisturbed.runs, id),
      `results of the trial ${id}`,
    );
  }
  checkLeftovers(disturbed.runs, maxTemporary * numFaults);
  checkFree(join(disturbed.runs, "sweeps", sweepName, "lock"));
  assert.deepEqual(
    reportOf(storeOf(disturbed), disturbed.folder),
    reportOf(storeOf(undisturbed), undisturbed.folder),
    "report.json",
  );
  const [found, expectedText] = [reportText(disturbed), reportText(undisturbed)];
  assert.deepEqual(linesBeside(found, expectedText), linesBeside(expectedText, found), "REPORT.md");
  assert.deepEqual(reportFiles(disturbed), reportFiles(undisturbed), "files of the report");
  const expected = new Set(cacheFiles(undisturbed));
  assert.deepEqual(
    cacheFiles(disturbed).filter((file) => !expected.has(file)),
    [],
    "files that are left in the cache",
  );
}

/** Of the CLI and of two processes of Python that die with it. */
const maxTemporary = 3;

function reportText(work: WorkFolder): string[] {
  return readFileSync(storeOf(work).reportFile("val"), "utf8")
    .replaceAll(work.folder, "FOLDER")
    .replace(/^## Estimated and measured\n[\s\S]*?(?=^## )/m, "") // A row for each start.
    .replace(/(no faster configuration is as accurate as: )[^\]]*/g, "$1MEASURED") // Which ones depends on their times.
    .replace(/\b[\d.,]+ (ms|s|seconds|min|minutes|h|MB|GB)\b/g, "MEASURED")
    .split("\n")
    .filter((line) => !isAboutResuming(line));
}

/** The lines in which a text differs from another one. */
function linesBeside(lines: readonly string[], others: readonly string[]): string[] {
  return lines.filter((line, index) => line !== others[index]);
}

/** Hashes of charts, examples and tables, but for those that show times. */
function reportFiles(work: WorkFolder): Record<string, string> {
  const folder = join(storeOf(work).folder, "report", "val");
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        /^(time\.svg|ablation\.tex)$|\.csv$/.test(name) ? "" : hashOf(join(folder, name)),
      ]),
  );
}

/** Kinds of files in the cache, without locks, logs, and temporary files whose names say what they are. */
function cacheFiles({ cache }: WorkFolder): string[] {
  if (!existsSync(cache)) return [];
  return readdirSync(cache, { recursive: true, encoding: "utf8" })
    .filter((name) => !/^logs\/|\.owners\/|^own-python/.test(name) && !stagingName.test(basename(name)))
    .map((name) => patternOf(`/${name}`));
}

function storeOf({ runs }: WorkFolder): SweepStore {
  return new SweepStore(runs, sweepName);
}
