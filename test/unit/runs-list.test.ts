import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acquireOwnerLock } from "../../src/base/owner-lock.ts";
import { listSweeps } from "../../src/runs/list-sweeps.ts";
import { listText } from "../../src/runs/list-text.ts";
import { cliprpn } from "../helpers/cli.ts";
import { addAttempt, addFailure, addSweep, oldCode } from "../helpers/made-runs.ts";
import { madeBaselineSpec, madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const [film0, film1, cross0, cross1] = [
  madeSpec("film", 0),
  madeSpec("film", 1),
  madeSpec("cross_attention", 0),
  madeSpec("cross_attention", 1),
];

describe("cliprpn list", () => {
  test("shows the question, the progress and the best configuration of each sweep", () => {
    const runs = tempFolder();
    addAttempt(runs, film0, { acc: 0.5 });
    addAttempt(runs, film1, { acc: 0.6 });
    addAttempt(runs, cross0, { acc: 0.58, code: oldCode });
    const sweep = addSweep(runs, "fusion", [film0, film1, cross0, cross1], {
      question: "Which fusion grounds best?",
      notAsked: [madeSpec("earlier", 0)],
    });
    addFailure(sweep, cross1, 1);
    const [listed, ...others] = listSweeps(runs);
    expect(others).toEqual([]);
    expect(listed).toMatchObject({
      name: "fusion",
      question: "Which fusion grounds best?",
      trials: { asked: 4, completed: 3, stale: 1, failed: 1, waiting: 0, not_asked: 1 },
      running: null,
      num_unknown_lines: 0,
      problem: null,
    });
    expect(listed?.best).toEqual({ label: "cross_attention", acc_at_50: 0.58, num_trials: 1 });
    // Of equal configurations one is the highest, and none the best.
    expect(listText(listSweeps(runs))).toContain("highest Acc@0.5 on val: cross_attention");
  });

  test("does not count an upper bound as the best", () => {
    const runs = tempFolder();
    const spec = madeBaselineSpec("gt boxes", { best_box: 1, detector: { kind: "gt_boxes" } });
    addAttempt(runs, spec, { acc: 0.9 });
    addAttempt(runs, film0, { acc: 0.5 });
    addSweep(runs, "bounds", [film0, spec]);
    expect(listSweeps(runs)[0]?.best?.label).toBe("film");
  });

  test("shows who runs a sweep", async () => {
    const runs = tempFolder();
    const sweep = addSweep(runs, "fusion", [film0]);
    const lock = await acquireOwnerLock(sweep.lockFolder, {
      command: "cliprpn sweep a.json",
      onLost: () => {},
    });
    expect(listSweeps(runs)[0]?.running).toContain(`pid ${process.pid}`);
    await lock.release();
    expect(listSweeps(runs)[0]?.running).toBeNull();
  });

  test.each([
    ["experiment.json", "{", "experiment.json"],
    ["experiment.json", '{"schema_version": 2}', "newer cliprpn"],
    ["trials.jsonl", "not json\n", "trials.jsonl:1"],
    ["trials.jsonl", undefined, "trials.jsonl: expected"],
  ])("lists a sweep whose %s is %j, and says so", (file, content, problem) => {
    const runs = tempFolder();
    for (const name of ["good", "bad"]) addSweep(runs, name, [film0]);
    const path = join(runs, "sweeps/bad", file);
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
    const listed = new Map(listSweeps(runs).map((sweep) => [sweep.name, sweep]));
    expect(listed.get("bad")?.problem).toContain(problem);
    expect(listed.get("good")?.problem).toBeNull();
    expect(listText([...listed.values()])).toContain("cannot be read");
  });

  test("counts the lines of a journal that this version does not know", () => {
    const runs = tempFolder();
    const sweep = addSweep(runs, "fusion", [film0]);
    appendFileSync(join(sweep.folder, "journal.jsonl"), '{"type": "paused", "schema_version": 2}\n');
    expect(listSweeps(runs)[0]?.num_unknown_lines).toBe(1);
  });

  test("lists a sweep of which only the lock exists", () => {
    const runs = tempFolder();
    mkdirSync(join(runs, "sweeps/new/lock"), { recursive: true });
    expect(listSweeps(runs)[0]).toMatchObject({ name: "new", question: null, trials: null, best: null });
  });

  test("prints lines of 80 columns at most, or JSON", async () => {
    const runs = tempFolder();
    addAttempt(runs, film0);
    addSweep(runs, "fusion", [film0, film1], {
      question: "Which of the fusions is the best one? ".repeat(6),
    });
    const text = await cliprpn(["list", "--runs-dir", runs], runs);
    expect(text.code).toBe(0);
    expect(text.out).toContain("1 of 2 trials completed, 1 waiting");
    expect(Math.max(...text.out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const json = await cliprpn(["list", "--json", "--runs-dir", runs], runs);
    expect(JSON.parse(json.out)).toEqual(JSON.parse(JSON.stringify(listSweeps(runs))));
  });

  test("of a folder without sweeps is empty, and changes nothing", async () => {
    const runs = join(tempFolder(), "missing");
    const { code, out, err } = await cliprpn(["list", "--runs-dir", runs], "/");
    expect([code, out]).toEqual([0, ""]);
    expect(err).toContain("cliprpn sweep");
    expect(() => readFileSync(runs)).toThrow("ENOENT");
  });
});
