import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acquireOwnerLock } from "../../src/base/owner-lock.ts";
import { codeHash, codeOf } from "../../src/contract/code-identity.ts";
import type { ClipRpnSpec } from "../../src/contract/generated/types.ts";
import { showText } from "../../src/runs/show-text.ts";
import { showTrial } from "../../src/runs/show-trial.ts";
import { recordCode } from "../../src/store/code-manifests.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { cliprpn } from "../helpers/cli.ts";
import { addAttempt, addFailure, addSweep, oldCode } from "../helpers/made-runs.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const spec = madeSpec("film", 0);
const changed: ClipRpnSpec = {
  ...spec,
  settings: { ...spec.settings, neck_channels: null, training: { ...spec.settings.training, num_epochs: 5 } },
};

describe("cliprpn show", () => {
  test("names the settings that differ from the preset, and the sweeps that ask for the trial", () => {
    const runs = tempFolder();
    addAttempt(runs, changed);
    addSweep(runs, "first", [changed]);
    addSweep(runs, "second", [madeSpec("other", 0)], { notAsked: [changed] });
    const shown = showTrial(new TrialStore(runs, spec.trial_id));
    expect(shown.settings).toEqual([
      { key: "neck_channels", a: null, b: 256 },
      { key: "training.num_epochs", a: 5, b: 12 },
    ]);
    expect(shown.sweeps.map(({ name, label, asked }) => [name, label, asked]).sort()).toEqual([
      ["first", "film", true],
      ["second", "film", false],
    ]);
    expect(showText(shown)).toMatch(/training\.num_epochs +5 +\(preset: 12\)/);
  });

  test("shows the settings of a fusion from a file within 80 columns", () => {
    const runs = tempFolder();
    const source_sha256 = "a".repeat(64);
    const fusion = { kind: "file" as const, file: "/tmp/own.py:Own", source_sha256, params: { width: 4 } };
    addAttempt(runs, { ...spec, settings: { ...spec.settings, fusion } });
    const lines = showText(showTrial(new TrialStore(runs, spec.trial_id))).split("\n");
    expect(lines.join("\n")).toContain(source_sha256);
    expect(lines.filter((line) => line.length > 80 && !line.includes(runs))).toEqual([]);
  });

  test("shows each attempt: state, result, models, code and answers", () => {
    const runs = tempFolder();
    const trial = new TrialStore(runs, spec.trial_id);
    addAttempt(runs, spec, { state: "failed" });
    addAttempt(runs, spec, { state: "unfinished", models: ["best"] });
    addAttempt(runs, spec, { code: oldCode, acc: 0.4 });
    addAttempt(runs, spec, { acc: 0.6, models: ["best"], bytes: 2_500_000 });
    addAttempt(runs, spec, { accepted: false });
    const answers = trial.answersFolder(4, "test", "cafe");
    mkdirSync(answers, { recursive: true });
    writeFileSync(join(answers, "predictions-test.parquet"), "");
    const shown = showTrial(trial);
    expect(shown.attempts.map(({ number, state, accepted }) => [number, state, accepted])).toEqual([
      [5, "completed", false],
      [4, "completed", true],
      [3, "completed", true],
      [2, "unfinished", false],
      [1, "failed", false],
    ]);
    expect(shown.shown_attempt).toBe(4);
    expect(shown.attempts[1]).toMatchObject({
      metrics: { acc_at_50: 0.6 },
      models: [{ epoch: "best", bytes: 2_500_000 }],
      code: { is_current: true },
      answers: [
        { split: "val", dataset_id: null },
        { split: "test", dataset_id: "cafe", folder: answers },
      ],
    });
    expect(shown.attempts[2]?.code).toMatchObject({ is_current: false, changed: null });
    const text = showText(shown);
    expect(text).toContain("2.5 MB");
    expect(text).toContain("loss_not_finite");
    expect(text).toContain(trial.attempt(1).logFile);
  });

  test("says where an attempt ran: as its worker recorded it, else as the journal has it", () => {
    const runs = tempFolder();
    const trial = new TrialStore(runs, spec.trial_id);
    const sweep = addSweep(runs, "made", [spec]);
    addAttempt(runs, spec);
    addAttempt(runs, spec, { state: "unfinished" });
    const journal = sweep.journal.open();
    const worker = "n2 cuda:0, pid 71";
    journal.append({ type: "trial_started", trial_id: spec.trial_id, attempt: 2, slot: 0, worker });
    journal.close();
    const file = join(trial.attempt(1).folder, "outcome.json");
    const outcome = JSON.parse(readFileSync(file, "utf8"));
    const write = (environment: object): void =>
      writeFileSync(
        file,
        JSON.stringify({ ...outcome, environment: { ...outcome.environment, ...environment } }),
      );
    write({ host: "n1", cpu_name: "a CPU", device: "cuda:1", device_name: "a GPU" });
    expect(showText(showTrial(trial))).toMatch(
      /on cuda:1 \(a GPU\); shown\s+in reports\n {2}machine n1, a CPU, Python .*torch/,
    );
    expect(showText(showTrial(trial))).toMatch(/Attempt 2: never finished.*\n {2}worker n2 cuda:0, pid 71$/m);
    write({ host: undefined });
    expect(showText(showTrial(trial))).toMatch(/^ {2}machine not recorded, Python/m);
  });

  test("says where an attempt was resumed, and which batches fitted into memory", () => {
    const runs = tempFolder();
    const trial = new TrialStore(runs, spec.trial_id);
    addAttempt(runs, spec);
    const plain = showText(showTrial(trial));
    expect(plain).not.toMatch(/resumed|out of memory/);
    const file = join(trial.attempt(1).folder, "outcome.json");
    const outcome = JSON.parse(readFileSync(file, "utf8"));
    const resumed_from = { attempt: 7, epoch: 3, step: 20 };
    const batches = { micro_batch_size: 32, evaluation_batch_size: 128 };
    writeFileSync(file, JSON.stringify({ ...outcome, resumed_from, ...batches }));
    const shown = showTrial(trial);
    expect(shown.attempts[0]).toMatchObject({ resumed_from, ...batches });
    expect(showText(shown)).toMatch(
      /resumed from attempt 7, in epoch 3, step 21\n.* 32 expressions\n.* 128 expressions\n/,
    );
  });

  test("names the files that changed since an attempt", () => {
    const runs = tempFolder();
    const manifest = codeOf("cliprpn");
    const [file = ""] = Object.keys(manifest.files);
    const other = { ...manifest, files: { ...manifest.files, [file]: "0".repeat(64) } };
    recordCode(runs, codeHash(other), other);
    addAttempt(runs, spec, { code: codeHash(other) });
    const shown = showTrial(new TrialStore(runs, spec.trial_id));
    expect(shown.attempts[0]?.code).toMatchObject({ is_current: false, changed: [file] });
    expect(showText(shown)).toContain(file);
  });

  test("shows a failure that only the journal of a sweep records", () => {
    const runs = tempFolder();
    const attempt = addAttempt(runs, spec, { state: "unfinished" });
    addFailure(addSweep(runs, "fusion", [spec]), spec, attempt);
    const shown = showTrial(new TrialStore(runs, spec.trial_id));
    expect(shown.attempts[0]).toMatchObject({ state: "failed", error: { code: "worker_died" } });
  });

  test("shows the process that runs the newest attempt", async () => {
    const runs = tempFolder();
    const trial = new TrialStore(runs, spec.trial_id);
    addAttempt(runs, spec, { state: "unfinished" });
    addAttempt(runs, spec, { state: "unfinished" });
    const claim = await acquireOwnerLock(trial.claimFolder, {
      command: "cliprpn sweep a.json",
      onLost: () => {},
    });
    const shown = showTrial(trial);
    expect(shown.attempts.map(({ state }) => state)).toEqual(["running", "unfinished"]);
    expect(showText(shown)).toContain(`pid ${process.pid}`);
    await claim.release();
    expect(showTrial(trial).attempts[0]?.state).toBe("unfinished");
  });

  test("finds the trial by the start of its id, its folder, an attempt or a file in it", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const { folder } = new TrialStore(runs, spec.trial_id);
    const names = [spec.trial_id.slice(0, 6), folder, join(folder, "attempts/1"), join(folder, "spec.json")];
    for (const name of names) {
      const { code, out } = await cliprpn(["show", name, "--json", "--runs-dir", runs], "/");
      expect([code, JSON.parse(out).trial_id]).toEqual([0, spec.trial_id]);
    }
  });

  test.each([
    "ffffff",
    "ab",
    "nothing/here",
  ])("of %s is an error that says what is expected", async (name) => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const { code, out, err } = await cliprpn(["show", name, "--runs-dir", runs], runs);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/expected .*prefix of a trial id/);
  });

  test("shows a trial although a sweep cannot be read, and says so", () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const sweep = addSweep(runs, "bad", [spec]);
    writeFileSync(join(sweep.folder, "trials.jsonl"), `{"trial": "${spec.trial_id}"`);
    const shown = showTrial(new TrialStore(runs, spec.trial_id));
    expect(shown.problems[0]).toContain("trials.jsonl:1");
    expect(showText(shown)).toContain("trials.jsonl:1");
  });
});
