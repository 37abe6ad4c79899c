import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Arguments, type Context, runContext } from "../../src/commands/command.ts";
import type { CompletedOutcome } from "../../src/contract/generated/types.ts";
import { type Adopted, adoptOldRuns, leftTrials } from "../../src/store/adopt/adopt.ts";
import { findModel, findTrial } from "../../src/store/find-model.ts";
import { readJournal } from "../../src/store/journal.ts";
import { imageSizeOf } from "../../src/store/model-facts.ts";
import { neededModel } from "../../src/store/needed-model.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import { countLooks } from "../../src/store/test-looks.ts";
import { trialIds } from "../../src/store/trial-ids.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { adoptRuns, checkNotLeft } from "../../src/sweep/adopt-runs.ts";
import { errorOf } from "../helpers/error-of.ts";
import { filesIn, makeOldRuns } from "../helpers/old-runs.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** Ids of the old layout, and of today. */
const film = { old: "8bdee996033f50e3", now: "d42e3c3ed0977987" };
const crossAttention = { old: "256e421f2b14a70d", now: "9cda19528be1a253" };
const myFusion = { old: "e6bb03464f2631f7", now: "87c7f8016c036d52" };
const failing = { old: "33368526027e58f6", now: "571a34acf41504e5" };
const wholeImage = { old: "eb6cbc5551ce7195", now: "3115c58c25833fa3" };
const filmSeed1 = { old: "95610039c6357f91", now: "8720d7ff0ecd4695" };
const oldCode = "3ace84094471b6e49905ede1937e877a687e7f1130017d35dd0bd0da38139f89";
const data = "126134604c544aaf";

describe("a runs folder of the first layout", () => {
  test("becomes trials and sweeps of today", async () => {
    const runs = makeOldRuns(tempFolder());
    expect(await adopt(runs)).toEqual({ numTrials: 6, numSweeps: 3, missingSources: [], left: [] });
    expect(readdirSync(runs).sort()).toEqual(["adopt-lock", "sweeps", "test-looks.jsonl", "trials"]);
    const all = [film, crossAttention, myFusion, failing, wholeImage, filmSeed1];
    expect(trialIds(runs).sort()).toEqual(all.map(({ now }) => now).sort());
    for (const id of trialIds(runs)) expect(new TrialStore(runs, id).identity()?.trial_id).toBe(id);
  });

  test("may contain files and broken links of others", async () => {
    const runs = makeOldRuns(tempFolder());
    writeFileSync(join(runs, ".DS_Store"), "");
    symlinkSync(join(runs, "nowhere"), join(runs, "link"));
    expect((await adopt(runs)).numSweeps).toBe(3);
    expect(readdirSync(runs)).toEqual(expect.arrayContaining([".DS_Store", "link"]));
  });

  test("keeps every file that is not JSON or a lock", async () => {
    const runs = makeOldRuns(tempFolder());
    const before = stubs(runs);
    await adopt(runs);
    expect(stubs(runs)).toEqual(before);
    expect(before.length).toBeGreaterThan(40);
  });

  test("has the newest sweep of a name as the sweep, with the trials of the others", async () => {
    const runs = makeOldRuns(tempFolder());
    await adopt(runs);
    const sweep = new SweepStore(runs, "demo");
    const { experiment, trials, places } = sweep.read();
    expect(experiment.question).toBe("Which fusion grounds best now?");
    expect(trials.map(({ spec, asked, attempt }) => [spec.trial_id, asked, attempt])).toEqual([
      [film.now, true, 3],
      [wholeImage.now, true, 2],
      [filmSeed1.now, true, 1],
      [crossAttention.now, false, 1],
      [myFusion.now, false, 1],
      [failing.now, false, null],
    ]);
    expect(places).toMatchObject({
      dataset_name: "demo",
      cache_dir: "/home/user/.cache/cliprpn",
      device: "cpu",
    });
    expect(readFileSync(sweep.reportFile("val"), "utf8")).toContain("demo-d61aee02/REPORT.md");
    const kept = join(sweep.folder, "adopted");
    expect(readdirSync(kept).sort()).toEqual(["demo-1773116b", "demo-d61aee02"]);
    expect(readFileSync(join(kept, "demo-1773116b/REPORT-test.md"), "utf8")).toContain("stub");
    expect(new SweepStore(runs, "demo-8bdee996").read().trials.map(({ attempt }) => attempt)).toEqual([3]);
  });

  test("keeps the lines of its journals; those that say the same today are read", async () => {
    const runs = makeOldRuns(tempFolder());
    const before = readFileSync(join(runs, "demo-d61aee02/journal.jsonl"), "utf8");
    await adopt(runs);
    const file = join(new SweepStore(runs, "demo").folder, "journal.jsonl");
    expect(readFileSync(file, "utf8")).toBe(before);
    const { entries, numUnknown } = readJournal(file);
    expect(entries.map(({ type }) => type)).toEqual(["sweep_started", "sweep_finished"]);
    expect(numUnknown).toBe(0);
  });

  test("has an attempt for each time that a trial ran, and the newest one counts", async () => {
    const runs = makeOldRuns(tempFolder());
    await adopt(runs);
    const trial = new TrialStore(runs, film.now);
    expect(trial.attempts()).toEqual([1, 2, 3]);
    expect(trial.accepted()).toEqual([
      {
        schema_version: 1,
        attempt: 3,
        sources_sha256: oldCode,
        accepted_at: "2026-11-29T18:54:34.000Z",
        origin: { kind: "adopted", from: "demo-d61aee02" },
      },
    ]);
    expect(trial.outcome(1)).toMatchObject({ schema_version: 1, state: "completed", trial_id: film.now });
    const failed = new TrialStore(runs, failing.now);
    expect(failed.outcome(1)).toMatchObject({ state: "failed", error: { code: "internal" } });
    expect(failed.accepted()).toEqual([]);
  });

  test("has its models in today's format, with the source of a person's fusion", async () => {
    const work = tempFolder();
    const runs = makeOldRuns(work);
    await adopt(runs);
    const model = neededModel(new TrialStore(runs, myFusion.now), 1);
    expect(imageSizeOf(model)).toEqual({ image_size_px: 224, resize: "squash" });
    const facts = JSON.parse(readFileSync(model.replace("safetensors", "json"), "utf8"));
    expect(Object.keys(facts).sort()).toEqual(
      [
        ...["backbone", "epoch", "kind", "map_channels", "num_threads", "pooled_dim", "schema_version"],
        ...["seed", "settings", "trial_id", "word_dim"],
      ].sort(),
    );
    expect(facts.settings.fusion.file).toBe("fusion.py:MyFusion");
    expect(facts.settings.training.batch_by).toBe("image");
    const source = readFileSync(join(work, "my_fusion.py"), "utf8");
    const trial = new TrialStore(runs, myFusion.now);
    expect(readFileSync(trial.fusionFile, "utf8")).toBe(source);
    expect(readFileSync(join(trial.attempt(1).folder, "fusion.py"), "utf8")).toBe(source);
  });

  test.each(["edited", "gone"])("names the place for the source of a fusion that is %s", async (how) => {
    const work = tempFolder();
    const runs = makeOldRuns(work);
    const source = join(work, "my_fusion.py");
    if (how === "gone") rmSync(source);
    else writeFileSync(source, "# another one\n");
    const { missingSources } = await adopt(runs);
    const trial = new TrialStore(runs, myFusion.now);
    expect(missingSources.map(({ file, original }) => [file, original.file])).toEqual([
      [join(trial.attempt(1).folder, "fusion.py"), `${source}:MyFusion`],
    ]);
    expect(existsSync(trial.fusionFile)).toBe(false);
    expect(trial.accepted().length).toBe(1);
  });

  test("has later answers outside of the attempt", async () => {
    const runs = makeOldRuns(tempFolder());
    const trialFolder = join(runs, "demo-1773116b", crossAttention.old);
    mkdirSync(join(trialFolder, "evaluated-best-on-0123456789abcdef"));
    writeFileSync(join(trialFolder, "evaluated-best-on-0123456789abcdef/predictions-val.parquet"), "other");
    await adopt(runs);
    const trial = new TrialStore(runs, crossAttention.now);
    expect([trial.hasAnswers(1, "val"), trial.hasAnswers(1, "test")]).toEqual([true, true]);
    expect(readdirSync(trial.answersFolder(1, "test")).sort()).toEqual([
      "evaluated-last",
      "metrics-test.json",
      "on-0123456789abcdef",
      "predictions-test.parquet",
    ]);
    const other = trial.answersFolder(1, "val", "0123456789abcdef");
    expect(readFileSync(join(other, "predictions-val.parquet"), "utf8")).toBe("other");
  });

  test("counts its looks at test, once", async () => {
    const work = tempFolder();
    const runs = makeOldRuns(work);
    await adopt(runs);
    expect(countLooks(runs, data, "test")).toBe(1);
    makeOldRuns(work, (path) => path.includes("demo-1773116b"));
    await adopt(runs);
    expect(countLooks(runs, data, "test")).toBe(1);
  });

  test("has trials that never ran in its list only", async () => {
    const runs = makeOldRuns(
      tempFolder(),
      (path) => !path.includes(crossAttention.old) || path.endsWith("spec.json"),
    );
    expect((await adopt(runs)).numTrials).toBe(5);
    expect(trialIds(runs)).not.toContain(crossAttention.now);
    const row = new SweepStore(runs, "demo")
      .read()
      .trials.find(({ spec }) => spec.trial_id === crossAttention.now);
    expect(row).toMatchObject({ asked: false, attempt: null });
  });

  test("is found by the ids and folders of that layout", async () => {
    const runs = makeOldRuns(tempFolder());
    const folder = join(runs, "demo-1773116b", film.old);
    await adopt(runs);
    expect(findTrial(film.old, runs).trial_id).toBe(film.now);
    expect(findModel(folder, { runsDir: runs, cwd: runs }, () => oldCode)).toMatchObject({ attempt: 3 });
    expect(errorOf(() => findTrial("0".repeat(16), runs)).code).toBe("not_found");
  });

  test("gets no number of a removed attempt", async () => {
    const runs = makeOldRuns(tempFolder());
    mkdirSync(join(runs, "trials", crossAttention.now, "attempts/7.removed"), { recursive: true });
    await adopt(runs);
    expect(new TrialStore(runs, crossAttention.now).attempts()).toEqual([8]);
  });

  test("is adopted beside what is there already", async () => {
    const work = tempFolder();
    const runs = makeOldRuns(work, (path) => !path.includes("demo-1773116b/"));
    await adopt(runs);
    makeOldRuns(work, (path) => path.includes("demo-1773116b/"));
    expect(await adopt(runs)).toMatchObject({ numSweeps: 1, numTrials: 5, left: [] });
    const { experiment, trials } = new SweepStore(runs, "demo").read();
    expect(experiment.question).toBe("Which fusion grounds best now?");
    expect(trials.map(({ asked }) => asked)).toEqual([true, true, true, false, false, false]);
    expect(new TrialStore(runs, film.now).attempts()).toEqual([1, 2, 3]);
  });

  test("becomes a sweep with the folder's name if the name has other data", async () => {
    const runs = makeOldRuns(tempFolder());
    const plan = join(runs, "demo-1773116b/plan.json");
    writeFileSync(plan, readFileSync(plan, "utf8").replaceAll(data, "f".repeat(16)));
    utimesSync(plan, 0, 0);
    await adopt(runs);
    expect(readdirSync(join(runs, "sweeps")).sort()).toEqual(["demo", "demo-1773116b", "demo-8bdee996"]);
    expect(new SweepStore(runs, "demo-1773116b").experiment()).toMatchObject({
      name: "demo-1773116b",
      question: "Which fusion grounds best?",
      dataset: { id: "f".repeat(16) },
    });
  });
});

describe("a trial that the earlier version was about to run again", () => {
  const folder = (runs: string): string => join(runs, "demo-1773116b", crossAttention.old);
  const setAside = (runs: string): void =>
    renameSync(join(folder(runs), "outcome.json"), join(folder(runs), "outcome-3ace8409.json"));

  test("counts while its results are those of the renamed outcome", async () => {
    const runs = makeOldRuns(tempFolder());
    setAside(runs);
    await adopt(runs);
    const trial = new TrialStore(runs, crossAttention.now);
    expect(trial.outcome(1)).toMatchObject({ state: "completed", sources_sha256: oldCode });
    expect(trial.accepted().length).toBe(1);
  });

  test.each<[what: string, change: (folder: string) => void]>([
    ["other metrics", (folder) => changeMetrics(join(folder, "metrics-val.json"))],
    ["no metrics", (folder) => rmSync(join(folder, "metrics-val.json"))],
    ["no model", (folder) => rmSync(join(folder, "best.safetensors"))],
  ])("is unfinished with %s", async (_, change) => {
    const runs = makeOldRuns(tempFolder());
    setAside(runs);
    change(folder(runs));
    await adopt(runs);
    const trial = new TrialStore(runs, crossAttention.now);
    expect([trial.outcome(1), trial.accepted()]).toEqual([undefined, []]);
    expect(existsSync(join(trial.attempt(1).folder, "outcome-3ace8409.json"))).toBe(true);
  });
});

test("a damaged outcome is kept and does not count", async () => {
  const runs = makeOldRuns(tempFolder());
  writeFileSync(join(runs, "demo-1773116b", crossAttention.old, "outcome.json"), '{"state": "comp');
  await adopt(runs);
  const trial = new TrialStore(runs, crossAttention.now);
  expect([trial.outcome(1), trial.accepted()]).toEqual([undefined, []]);
  expect(readFileSync(join(trial.attempt(1).folder, "outcome-unreadable.json"), "utf8")).toContain("comp");
});

test("a link to a sweep's folder is replaced by the folder", async () => {
  const work = tempFolder();
  const runs = makeOldRuns(work);
  const elsewhere = join(work, "elsewhere");
  renameSync(join(runs, "demo-1773116b"), elsewhere);
  symlinkSync("../elsewhere", join(runs, "demo-1773116b"));
  expect(await adopt(runs)).toMatchObject({ numTrials: 6, numSweeps: 3, left: [] });
  expect(readdirSync(work).sort()).toEqual(["fails_late.py", "my_fusion.py", "runs"]);
  expect(existsSync(join(runs, "sweeps/demo/adopted/demo-1773116b/plan.json"))).toBe(true);
  expect(readdirSync(runs)).not.toContain("demo-1773116b");
});

test("a sweep whose plan cannot be read stays, the others are adopted", async () => {
  const runs = makeOldRuns(tempFolder());
  const plan = join(runs, "demo-1773116b/plan.json");
  writeFileSync(plan, readFileSync(plan, "utf8").slice(0, 500));
  const { numSweeps, left } = await adopt(runs);
  expect(numSweeps).toBe(2);
  expect(left.map(({ folder, trial_ids }) => [folder, trial_ids])).toEqual([
    [join(runs, "demo-1773116b"), []],
  ]);
  expect(left[0]?.why).toContain("plan.json");
});

test("sweeps of the name that an earlier version is running stay until it ends", async () => {
  const runs = makeOldRuns(tempFolder());
  const before = filesIn(runs);
  const lock = join(runs, "demo-1773116b/lock");
  mkdirSync(lock);
  const beats = setInterval(() => utimesSync(lock, new Date(), new Date()), 100);
  try {
    const { numSweeps, left } = await adopt(runs);
    expect([numSweeps, left.length]).toEqual([0, 3]);
    const unchanged = [...filesIn(runs)].filter(([file]) => !file.startsWith("adopt-lock"));
    expect(new Map(unchanged)).toEqual(before);
    expect(leftTrials(runs).get(crossAttention.now)).toBe(join(runs, "demo-1773116b"));
    const trial = { ...madeSpec("film", 0), trial_id: crossAttention.now };
    expect(errorOf(() => checkNotLeft(runs, [trial])).code).toBe("locked");
  } finally {
    clearInterval(beats);
  }
  utimesSync(lock, 0, 0);
  expect((await adopt(runs)).numSweeps).toBe(3);
});

test("the terminal says once what was adopted, and what a model needs", async () => {
  const work = tempFolder();
  const runs = makeOldRuns(work);
  rmSync(join(work, "my_fusion.py"));
  const terminal = recordingTerminal();
  const { signal } = new AbortController();
  const context: Context = { terminal, cwd: work, env: {}, signal, commandLine: "cliprpn report" };
  await adoptRuns(runContext(new Arguments({}), context));
  expect(terminal.lines).toEqual([
    expect.stringContaining("Adopted 6 trials of 3 sweeps"),
    expect.stringContaining(join(new TrialStore(runs, myFusion.now).attempt(1).folder, "fusion.py")),
  ]);
  await adoptRuns(runContext(new Arguments({}), context));
  expect(terminal.lines.length).toBe(2);
});

test("a folder without the first layout is not touched", async () => {
  const runs = tempFolder();
  mkdirSync(join(runs, "notes"));
  expect((await adopt(runs)).numSweeps).toBe(0);
  expect(readdirSync(runs)).toEqual(["notes"]);
  expect((await adopt(join(runs, "missing"))).numSweeps).toBe(0);
});

function adopt(runs: string): Promise<Adopted> {
  return adoptOldRuns(runs, { command: "cliprpn report" });
}

/** Texts of the files that adoption does not convert, sorted. */
function stubs(runs: string): string[] {
  return [...filesIn(runs).values()].filter((text) => text.startsWith("stub of")).sort();
}

function changeMetrics(file: string): void {
  const metrics: CompletedOutcome["metrics"] = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...metrics, miou: metrics.miou / 2 }));
}
