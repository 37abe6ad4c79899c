/** Whether a sweep that was disturbed has the same results as one that was not. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { stagingName } from "../../src/base/replace-file.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { TrialStore, trialIds } from "../../src/store/trial-store.ts";
import { checkAttempts, checkFree, checkLeftovers } from "../helpers/check-runs.ts";
import { patternOf } from "./places.ts";
import { sweepName, type WorkFolder } from "./work-folder.ts";

/** @throws AssertionError with the first difference. @param numFaults kills and other faults that `disturbed` has had. */
export function compareRuns(undisturbed: WorkFolder, disturbed: WorkFolder, numFaults: number): void {
  const ids = trialIds(undisturbed.runs).sort();
  assert.deepEqual(trialIds(disturbed.runs).sort(), ids, "the trials");
  for (const id of ids) {
    checkAttempts(new TrialStore(disturbed.runs, id), numFaults);
    assert.deepEqual(results(disturbed, id), results(undisturbed, id), `results of the trial ${id}`);
  }
  checkLeftovers(disturbed.runs, maxTemporary * numFaults);
  checkFree(join(disturbed.runs, "sweeps", sweepName, "lock"));
  assert.deepEqual(reportJson(disturbed), reportJson(undisturbed), "report.json");
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

/** Hashes of what a trial's accepted attempt has. */
function results({ runs }: WorkFolder, id: string): Record<string, string> {
  const trial = new TrialStore(runs, id);
  const [accepted] = trial.accepted();
  assert(accepted !== undefined, `${id}: no attempt is accepted`);
  const { folder } = trial.attempt(accepted.attempt);
  const names = readdirSync(folder).filter((name) => /\.(safetensors|parquet|json)$/.test(name));
  return Object.fromEntries(
    names.filter((name) => name !== "outcome.json").map((name) => [name, hashOf(join(folder, name))]),
  );
}

function reportJson({ runs, folder }: WorkFolder): unknown {
  const text = readFileSync(join(sweepFolder(runs), "report.json"), "utf8").replaceAll(folder, "FOLDER");
  return JSON.parse(text, (key, value) => {
    if (/_ms$|_at$|^attempts?$|^starts$|^peak_memory_bytes$/.test(key)) return undefined;
    return Array.isArray(value) ? value.filter((each) => !isAboutResuming(each)) : value;
  });
}

function reportText({ runs, folder }: WorkFolder): string[] {
  return readFileSync(new SweepStore(runs, sweepName).reportFile("val"), "utf8")
    .replaceAll(folder, "FOLDER")
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

function isAboutResuming(text: unknown): boolean {
  return typeof text === "string" && /trials? (was|were) interrupted and resumed/.test(text);
}

/** Hashes of charts, examples and tables, but for those that show times. */
function reportFiles({ runs }: WorkFolder): Record<string, string> {
  const folder = join(sweepFolder(runs), "report", "val");
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

function sweepFolder(runs: string): string {
  return new SweepStore(runs, sweepName).folder;
}

function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
