import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { codeHash, codeOf } from "../../src/contract/code-identity.ts";
import { diffText } from "../../src/runs/diff-text.ts";
import { diffTrials } from "../../src/runs/diff-trials.ts";
import { recordCode } from "../../src/store/code-manifests.ts";
import { TrialStore } from "../../src/store/trial-store.ts";
import { cliprpn } from "../helpers/cli.ts";
import { addAttempt, addSweep, oldCode } from "../helpers/made-runs.ts";
import { madeSpec } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const spec = madeSpec("film", 0);
const other = {
  ...madeSpec("slow", 1),
  settings: {
    ...spec.settings,
    fusion: { kind: "concatenation" as const },
    training: { ...spec.settings.training, num_epochs: 9 },
  },
  backbone: { ...spec.backbone, weights_id: "others" },
};

function side(runs: string, { trial_id }: typeof spec, attempt?: number) {
  return { trial: new TrialStore(runs, trial_id), attempt };
}

describe("cliprpn diff", () => {
  test("lists the settings, the seed and the weights that differ by their keys", () => {
    const runs = tempFolder();
    for (const each of [spec, other]) addAttempt(runs, each);
    addSweep(runs, "both", [spec, other]);
    const { settings, a, b } = diffTrials(side(runs, spec), side(runs, other));
    expect([a.label, b.label]).toEqual(["film", "slow"]);
    expect(settings).toEqual(
      expect.arrayContaining([
        { key: "seed", a: 0, b: 1 },
        { key: "backbone.weights_id", a: "made", b: "others" },
        { key: "training.num_epochs", a: 12, b: 9 },
        { key: "fusion.kind", a: "switched", b: "concatenation" },
        { key: "fusion.text", a: "words" },
      ]),
    );
    expect(settings.map(({ key }) => key)).not.toContain("training.batch_size");
  });

  test("compares the metrics of the attempts that reports show", () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { acc: 0.5 });
    addAttempt(runs, spec, { state: "unfinished" });
    addAttempt(runs, other, { acc: 0.625 });
    const result = diffTrials(side(runs, spec), side(runs, other));
    expect(result.a).toMatchObject({ attempt: 1, state: "completed" });
    expect(result.metrics.find(({ metric }) => metric === "acc_at_50")).toEqual({
      metric: "acc_at_50",
      a: 0.5,
      b: 0.625,
      difference: 0.125,
    });
    expect(diffText(result)).toMatch(/Acc@0\.5 +50\.0 +62\.5 +\+12\.5/);
  });

  test("names the files of the code that differ between two attempts of a trial", () => {
    const runs = tempFolder();
    const manifest = codeOf("cliprpn");
    const [file = ""] = Object.keys(manifest.files);
    const earlier = { ...manifest, files: { ...manifest.files, [file]: "0".repeat(64) } };
    recordCode(runs, codeHash(earlier), earlier);
    addAttempt(runs, spec, { code: codeHash(earlier), acc: 0.4 });
    addAttempt(runs, spec, { acc: 0.5 });
    const { code, settings, a, b } = diffTrials(side(runs, spec, 1), side(runs, spec, 2));
    expect([a.attempt, b.attempt]).toEqual([1, 2]);
    expect(settings).toEqual([]);
    expect(code).toEqual({ state: "different", changed: [file] });
  });

  test("says so when the code of an attempt is unknown, and when it is the same", () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { code: oldCode });
    addAttempt(runs, spec);
    addAttempt(runs, other);
    expect(diffTrials(side(runs, spec, 1), side(runs, other)).code).toEqual({ state: "unknown" });
    expect(diffTrials(side(runs, spec, 2), side(runs, other)).code).toEqual({ state: "same" });
  });

  test("compares the settings of trials that are not complete", () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { state: "failed" });
    addAttempt(runs, other);
    const result = diffTrials(side(runs, spec), side(runs, other));
    expect(result.metrics).toEqual([]);
    expect(result.settings.length).toBeGreaterThan(0);
    expect(diffText(result)).toContain("not compared");
  });

  test("takes attempt folders, and prints text or JSON", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec, { acc: 0.4, code: oldCode });
    addAttempt(runs, spec, { acc: 0.5 });
    const { folder } = new TrialStore(runs, spec.trial_id);
    const names = [join(folder, "attempts/1"), join(folder, "attempts/2")];
    const json = await cliprpn(["diff", ...names, "--json"], runs);
    expect(JSON.parse(json.out)).toMatchObject({ a: { attempt: 1 }, b: { attempt: 2 } });
    const text = await cliprpn(["diff", ...names], runs);
    expect(text.out).toContain("Settings: the same");
    expect(Math.max(...text.out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("of a trial that does not exist is an error", async () => {
    const runs = tempFolder();
    addAttempt(runs, spec);
    const { code, err } = await cliprpn(["diff", spec.trial_id, "ffffff", "--runs-dir", runs], runs);
    expect(code).toBe(2);
    expect(err).toContain("ffffff: expected");
  });
});
