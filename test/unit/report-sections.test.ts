import { expect, test } from "vitest";
import { render } from "../../src/report/markdown.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { rowCommand } from "../../src/report/reproduce.ts";
import { type ReportImages, reportBlocks } from "../../src/report/sections.ts";
import { failed, madeInput, madeSpec } from "../helpers/report-input.ts";

const pictures: ReportImages = {
  leaderboard: { file: "leaderboard.svg", alt: "leaderboard" },
  boxes: { file: "boxes.svg", alt: "boxes" },
  strata: { file: "strata.svg", alt: "strata" },
  curves: { file: "curves.svg", alt: "curves" },
  cases: [{ title: "Best cases", pictures: [{ file: "best-1.png", alt: "the cup" }] }],
  unreadable: [],
};
const film = { label: "film", acc: [0.6, 0.62] };
const token = { label: "token", acc: [0.5, 0.52] };

const report = (changes: Partial<ReportInput> = {}): string =>
  render(reportBlocks(madeInput([film, token], changes), pictures)).replaceAll("\u00a0", " ");

test("the question is the title, its answer the first sentence", () => {
  const [title, , answer] = report().split("\n");
  expect(title).toBe("# Which fusion grounds best?");
  expect(answer).toMatch(/^\*\*film grounds best, .*\*\*$/);
});

test("the leaderboard has every seed's figure, and the floors", () => {
  const written = report();
  expect(written).toContain(
    "| film | 61.0 (59.0 to 63.0) | 61.0 (59.0 to 63.0) | 61.0 (59.0 to 63.0) | 0: 60.0, 1: 62.0 |",
  );
  expect(written).toContain("| *floor: constant box* | 2.0 (0.0 to 4.0) |");
});

test("every figure of the field is there", () => {
  const titles =
    "Acc@0.25 Acc@0.5 Acc@0.75 Acc@0.9 mAcc mIoU oIoU Recall@1 Recall@5 Recall@10 Recall@100 pointing".split(
      " ",
    );
  for (const title of [...titles, "pairs both right"]) expect(report()).toContain(`| ${title} `);
});

test("each kind of sentence has its accuracy and its pairs", () => {
  expect(report()).toContain("| setting | attribute (300) | size or part (300) | two hop (300) |");
  expect(report()).toContain("| setting | attribute (100) | size or part (100) | two hop (100) |");
});

test("a failed and a waiting trial are named with their reason", () => {
  const input = madeInput([film, token]);
  const written = report({
    trials: [
      ...input.trials,
      { spec: madeSpec("token", 2), outcome: failed("token", 2, "loss | is <nan>\n\nat step `3`") },
      { spec: madeSpec("film", 2), outcome: undefined },
    ],
  });
  expect(written).toContain("4 of 6 trials complete");
  expect(written).toContain("1 trial failed and is not in any figure");
  expect(written).toMatch(/- token, seed 2 \(`\w+`\): loss_not_finite: loss \| is \\<nan> at step \\`3\\`/);
  expect(written).toMatch(/- film, seed 2 \(`\w+`\): has not run yet/);
});

test("rows made by other sources than today's are named as stale", () => {
  const [first, ...others] = madeInput([film, token]).trials;
  if (first?.outcome === undefined) throw new Error("a made trial has an outcome");
  const other = { ...first, outcome: { ...first.outcome, sources_sha256: "f".repeat(64) } };
  expect(report({ trials: [other, ...others] })).toContain(
    "- Stale, made by other Python sources or another lock than today's: film, seed 0.\n",
  );
  expect(report()).not.toContain("Stale");
});

test("looks at test are counted", () => {
  expect(report()).toContain("The test split has not been looked at.");
  expect(report({ testReads: 1 })).toContain("The test split has been looked at once in this sweep.");
  expect(report({ testReads: 3 })).toContain("The test split has been looked at 3 times in this sweep.");
});

test("the reference preset is explained where it was run", () => {
  const [first] = madeInput([film]).trials;
  const reference =
    first === undefined ? [] : [{ ...first, spec: { ...first.spec, preset: "reference" as const } }];
  expect(report({ trials: reference })).toContain(
    "all sentences, without augmentation, with CLIP's BatchNorm frozen",
  );
  expect(report()).not.toContain("BatchNorm");
});

test("published bands of this split stand beside every setting", () => {
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

test("a row's command has the sweep's changes, its setting and its seed, safe to paste", () => {
  const source = { file: "experiments/my file.json", sets: ['vary.fusion=["film"]'] };
  expect(rowCommand(source, { kind: "cliprpn", label: "text=words coordinates=on", seed: 2 }, "cuda:0")).toBe(
    "npx cliprpn train 'experiments/my file.json' --set 'vary.fusion=[\"film\"]' --setting 'text=words coordinates=on' --seed 2 --device cuda:0",
  );
});
