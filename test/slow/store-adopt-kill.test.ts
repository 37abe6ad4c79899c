import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stagingName } from "../../src/base/replace-file.ts";
import { packageRoot } from "../../src/package-root.ts";
import { adoptOldRuns } from "../../src/store/adopt/adopt.ts";
import { countLooks } from "../../src/store/test-looks.ts";
import { filesIn, makeOldRuns } from "../helpers/old-runs.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { killedAt } from "../helpers/write-faults.ts";

/** A trial in two sweeps, one with a person's fusion and an evaluation on test, and a sweep that becomes the one of the name. */
const kept = /^[^/]+$|8bdee996033f50e3\/|e6bb03464f2631f7\/|^runs\/demo-(1773116b|d61aee02)\/[^/]+$/;
const isKept = (path: string): boolean => kept.test(path) && !path.includes("demo-8bdee996/");

test("killed at any change of the disk, the next run ends with the same files", async () => {
  const folder = tempFolder();
  const work = join(folder, "work");
  const runs = makeOldRuns(work, isKept);
  cpSync(work, join(folder, "before"), { recursive: true, preserveTimestamps: true });
  await killedAt(Number.POSITIVE_INFINITY, () => adopt(runs));
  const expected = content(runs);
  let killAt = 0;
  for (let wasKilled = true; wasKilled; ) {
    killAt += 1;
    const copy = join(folder, String(killAt));
    cpSync(join(folder, "before"), copy, { recursive: true, preserveTimestamps: true });
    const copyRuns = join(copy, "runs");
    wasKilled = (await killedAt(killAt, () => adopt(copyRuns))) === undefined;
    await killedAt(Number.POSITIVE_INFINITY, () => adopt(copyRuns));
    expect(content(copyRuns), `killed at change ${killAt}`).toEqual(expected);
    expect(countLooks(copyRuns, "126134604c544aaf", "test"), `killed at change ${killAt}`).toBe(1);
  }
  expect(killAt).toBeGreaterThan(80);
});

test.each([10, 45, 80])("killed with SIGKILL at change %i, another process finishes", async (killAt) => {
  const runs = makeOldRuns(tempFolder(), isKept);
  const whole = makeOldRuns(tempFolder(), isKept);
  await adopt(whole);
  const { signal } = spawnSync(
    process.execPath,
    ["--import", "tsx", join(packageRoot, "test/helpers/adopt-and-die.ts"), runs, String(killAt)],
    { cwd: packageRoot, encoding: "utf8" },
  );
  expect(signal).toBe("SIGKILL");
  await adopt(runs);
  expect([...content(runs).keys()]).toEqual([...content(whole).keys()]);
});

function adopt(runs: string): Promise<unknown> {
  return adoptOldRuns(runs, { command: "cliprpn report" });
}

/** Files without locks, what killed processes left of a write, and the looks, of which a line may be torn. */
function content(runs: string): Map<string, string> {
  const files = [...filesIn(runs)].filter(
    ([file]) =>
      !/(^|\/)(claim|lock|adopt-lock)\/|^test-looks\.jsonl$/.test(file) &&
      !stagingName.test(file.split("/").at(-1) ?? ""),
  );
  return new Map(files);
}
