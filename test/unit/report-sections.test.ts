import { expect, test } from "vitest";
import type { Charts } from "../../src/report/draw-charts.ts";
import type { Gallery } from "../../src/report/gallery.ts";
import { render } from "../../src/report/markdown.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { rowCommand } from "../../src/report/reproduce.ts";
import { reportBlocks } from "../../src/report/write-report.ts";
import { failed, madeInput, madeSpec, madeTrial } from "../helpers/report-input.ts";

const charts: Charts = {
  leaderboard: { file: "leaderboard.svg", alt: "leaderboard" },
  boxes: { file: "boxes.svg", alt: "boxes" },
  subsets: { file: "strata.svg", alt: "subsets" },
  curves: { file: "curves.svg", alt: "curves" },
};
const gallery: Gallery = {
  groups: [{ title: "Wins", text: "4 of 965", images: [{ file: "best-1.png", alt: "the cup" }] }],
  unreadable: [],
};
const film = { label: "film", acc: [0.6, 0.62] };
const token = { label: "token", acc: [0.5, 0.52] };

const report = (changes: Partial<ReportInput> = {}): string =>
  render(reportBlocks(madeInput([film, token], changes), charts, gallery)).replaceAll("\u00a0", " ");

test("the question is the title, the verdict the first sentence", () => {
  const [title, , answer] = report().split("\n");
  expect(title).toBe("# Which fusion grounds best?");
  expect(answer).toMatch(/^\*\*film outperforms token, .*\*\*$/);
});

test("the leaderboard has the figure of every seed, and the baselines without the expression", () => {
  const written = report();
  expect(written).toContain(
    "| film | 61.0 (59.0 to 63.0) | 61.0 (59.0 to 63.0) | 61.0 (59.0 to 63.0) | 0: 60.0, 1: 62.0 |",
  );
  expect(written).toContain("| *constant box* | 2.0 (0.0 to 4.0) |");
});

test("the report has every metric", () => {
  const titles =
    "Acc@0.25 Acc@0.5 Acc@0.75 Acc@0.9 mAcc mIoU oIoU Recall@1 Recall@5 Recall@10 Recall@100".split(" ");
  for (const title of [...titles, "center accuracy", "pair accuracy"])
    expect(report()).toContain(`| ${title} `);
});

test("every subset has its accuracy and its pair accuracy", () => {
  expect(report()).toContain("| configuration | attribute (300) | size or part (300) | two hop (300) |");
  expect(report()).toContain("| configuration | attribute (100) | size or part (100) | two hop (100) |");
});

test("failed and waiting trials are listed with the reason", () => {
  const input = madeInput([film, token]);
  const written = report({
    trials: [
      ...input.trials,
      madeTrial(madeSpec("token", 2), failed("token", 2, "loss | is <nan>\n\nat step `3`")),
      madeTrial(madeSpec("film", 2), undefined),
    ],
  });
  expect(written).toContain("4 of 6 trials complete");
  expect(written).toContain("1 trial failed");
  expect(written).toMatch(/- token, seed 2 \(`\w+`\): loss_not_finite: loss \| is \\<nan> at step \\`3\\`/);
  expect(written).toMatch(/- film, seed 2 \(`\w+`\): not run yet/);
});

test("stale and imported trials are listed", () => {
  const trials = madeInput([film, token]).trials.map((trial, index) => ({
    ...trial,
    isStale: index === 0,
    origin: index >= 2 ? { kind: "import" as const, from: "results.zip" } : null,
  }));
  expect(report({ trials })).toMatch(/^- Stale.*: film, seed 0\.$/m);
  expect(report({ trials })).toMatch(/^- Imported.*results\.zip.*: token, seed 0; token, seed 1\.$/m);
  expect(report()).not.toMatch(/Stale|Imported/);
});

test("trials adopted from an earlier version's folders are not called imported", () => {
  const trials = madeInput([film]).trials.map((trial) => ({
    ...trial,
    origin: { kind: "adopted" as const, from: "runs/made-0123abcd" },
  }));
  expect(report({ trials })).not.toContain("Imported");
});

test("trials that are no longer asked for are named, the first of many", () => {
  const notAsked = (num: number): ReportInput["trials"][number]["spec"][] =>
    Array.from({ length: num }, (_, seed) => madeSpec("old", seed));
  expect(report({ notAsked: notAsked(1) })).toMatch(/^- Kept but not shown.*asked for it: old, seed 0\.$/m);
  expect(report({ notAsked: notAsked(2) })).toMatch(/^- Kept.*for them: old, seed 0; old, seed 1\.$/m);
  expect(report({ notAsked: notAsked(1000) })).toMatch(/^- Kept.*old, seed 0; .*; and \d\d\d more\.$/m);
  expect(report()).not.toContain("not shown");
});

test("the report says how often the test splits were evaluated", () => {
  expect(report()).toMatch(/The test splits .*not been evaluated/);
  expect(report({ numTestLooks: 1 })).toMatch(/The test splits .*evaluated once/);
  expect(report({ numTestLooks: 3 })).toMatch(/The test splits .*evaluated 3 times/);
});

test("the reference preset is explained if it was run", () => {
  expect(report({ trials: withPreset("reference", 30) })).toMatch(/ClipRPN \(Trento\).*BatchNorm frozen/);
  expect(report()).not.toMatch(/Trento|BatchNorm/);
});

test("another number of epochs than the preset's is stated once per configuration", () => {
  const written = report({ trials: withPreset("reference", 2) });
  expect(written.match(/film .*reference preset, 2 epochs \(preset: 30\)/g)).toHaveLength(1);
  expect(report({ trials: withPreset("default", 1) })).toContain("default preset, 1 epoch (preset: 2)");
  expect(report({ trials: withPreset("reference", 30) })).not.toContain("(preset:");
  expect(report()).not.toContain("(preset:");
});

/** Trials of two seeds with this preset and number of epochs. */
function withPreset(preset: "default" | "reference", num_epochs: number): ReportInput["trials"] {
  return madeInput([film]).trials.map(({ spec, ...trial }) => {
    if (spec.kind !== "cliprpn") return { spec, ...trial };
    const settings = { ...spec.settings, training: { ...spec.settings.training, num_epochs } };
    return { spec: { ...spec, preset, settings }, ...trial };
  });
}

test("published results of this split are next to every configuration", () => {
  const band = { metric: "miou" as const, low: 0.4, high: 0.5, source: "its report", verified: false };
  const written = report({
    published: [
      { ...band, split: "val" },
      { ...band, split: "test", source: "elsewhere" },
    ],
  });
  expect(written).toContain("| film | mIoU | its report | no | 40.0 to 50.0 | 61.0 (59.0 to 63.0) | above |");
  expect(written).not.toContain("elsewhere");
});

test("the command of a row has the overrides of the sweep, its configuration and its seed, with shell quotes", () => {
  const source = { file: "experiments/my file.json", sets: ['vary.fusion=["film"]'] };
  expect(rowCommand(source, { kind: "cliprpn", label: "text=words coordinates=on", seed: 2 }, "cuda:0")).toBe(
    "npx cliprpn train 'experiments/my file.json' --set 'vary.fusion=[\"film\"]' --setting 'text=words coordinates=on' --seed 2 --device cuda:0",
  );
});
