import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findSweep } from "../../src/store/find-sweep.ts";
import { errorOf } from "../helpers/error-of.ts";
import { addSweep } from "../helpers/made-runs.ts";
import { makeOldRuns } from "../helpers/old-runs.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("a sweep is found by its folder or its name, also if another folder has that name", () => {
  const cwd = tempFolder();
  const runs = join(cwd, "runs");
  const { folder } = addSweep(runs, "fusion", [madeSpec("film", 0)]);
  mkdirSync(join(cwd, "fusion"));
  for (const name of ["fusion", folder, "runs/sweeps/fusion", undefined])
    expect(findSweep(name, runs, cwd).folder).toBe(folder);
  mkdirSync(join(cwd, "other"));
  const { code, message } = errorOf(() => findSweep("other", runs, cwd));
  expect([code, message]).toEqual(["not_found", expect.stringContaining("it has fusion")]);
});

test("a sweep in the layout of an early version is refused with the command that adopts it", () => {
  const cwd = tempFolder();
  const runs = makeOldRuns(join(cwd, "other"));
  const [name = ""] = readdirSync(runs);
  const { code, message } = errorOf(() => findSweep(join(runs, name), join(cwd, "runs"), cwd));
  expect([code, message]).toEqual(["bad_input", expect.stringContaining(`cliprpn list --runs-dir ${runs}`)]);
});
