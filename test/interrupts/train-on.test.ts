/** A sweep on a joint training set: killed while the set is made, then run to its report. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLines } from "../../src/store/journal.ts";
import { startCli } from "../helpers/cli-process.ts";
import { makeJointData } from "../helpers/joint-data.ts";
import { markProcesses, until, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("train_on leaves out what evaluate_on evaluates, also after kills; the report has all splits", async () => {
  const folder = tempFolder();
  await makeJointData(folder);
  const cache = join(folder, "cache");
  const processes = markProcesses();
  const sweep = () =>
    startCli(["sweep", "e.json", "--python", testPython()], folder, {
      ...processes.env,
      CLIPRPN_CACHE: cache,
    });
  const idOf = () => (existsSync(join(cache, "joint")) ? readdirSync(join(cache, "joint"))[0] : undefined);
  for (const isReached of [
    () => idOf() !== undefined,
    () => existsSync(join(cache, "prepared", idOf() ?? "none", "pixels")),
  ]) {
    const run = sweep();
    await until(isReached);
    run.child.kill("SIGKILL");
    await run.ended;
    await untilNone(processes);
    expect(existsSync(join(folder, "runs/trials"))).toBe(false);
  }
  const run = sweep();
  expect(await run.ended, run.err()).toBe(0);
  expect(run.err()).toMatch(/15 images with .* 1 image of evaluation splits, .* was left out of training/);
  const report = readFileSync(join(folder, "runs/sweeps/joint/REPORT.md"), "utf8");
  expect(report).toMatch(/1 image of evaluation splits/);
  expect(report).toMatch(/## Other splits[\s\S]*\| a:val[^|]*\| a:test[^|]*\| b:val[^|]*\| b:test/);
  const table = readFileSync(join(folder, "runs/sweeps/joint/report/val/splits.tex"), "utf8");
  expect(table).toContain("1 image of evaluation splits");
  expect(table).toContain("\\multicolumn{2}{c}{a} & \\multicolumn{2}{c}{b}");
  expect(looks(folder)).toEqual(["a test", "b test"]);
  const answers = readdirSync(join(folder, "runs/trials"), { recursive: true, encoding: "utf8" });
  expect(answers.filter((name) => /on-[0-9a-f]+\/predictions-test\.parquet$/.test(name))).toHaveLength(2);
  const again = sweep();
  expect(await again.ended).toBe(0);
  expect(looks(folder)).toHaveLength(2);
});

function looks(folder: string): string[] {
  return readLines(join(folder, "runs/test-looks.jsonl")).map((look) => {
    const { dataset_name, split } = look as { dataset_name: string; split: string };
    return `${dataset_name} ${split}`;
  });
}
