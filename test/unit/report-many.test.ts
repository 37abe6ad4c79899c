import { describe, expect, test } from "vitest";
import { accuracyAtIouChart } from "../../src/report/charts/accuracy-at-iou.ts";
import { errorsChart } from "../../src/report/charts/baseline-errors.ts";
import { curvesChart } from "../../src/report/charts/curves.ts";
import { forestChart } from "../../src/report/charts/forest.ts";
import { leaderboardChart } from "../../src/report/charts/leaderboard.ts";
import { paretoChart } from "../../src/report/charts/pareto.ts";
import { subsetDifferencesChart } from "../../src/report/charts/subset-differences.ts";
import { render } from "../../src/report/markdown.ts";
import { completedTrials, type ReportInput, type ReportTrial } from "../../src/report/report-input.ts";
import { countSteps } from "../helpers/count-steps.ts";
import { allBlocks } from "../helpers/report-blocks.ts";
import { type MadeSetting, madeInput } from "../helpers/report-input.ts";

const image = { file: "a.svg", alt: "a chart" };
const charts = { leaderboard: image, boxes: image, subsets: image, curves: image };

const summaryCharts = [
  leaderboardChart,
  forestChart,
  errorsChart,
  subsetDifferencesChart,
  accuracyAtIouChart,
];

const kinds: Record<string, (index: number) => MadeSetting> = {
  "trained configurations": (index) => ({ label: `film ${index}`, acc: [0.5, 0.6] }),
  "baselines with different boxes": (index) => ({
    label: `YOLO, crop, at most ${index} boxes`,
    acc: [0.5],
    baseline: { best_box: 0.8, max_boxes: index },
  }),
  "baselines with the same boxes": (index) => ({
    label: `YOLO, crop, template ${index}`,
    acc: [0.5],
    baseline: { best_box: 0.8, templates: [`photo ${index} of {}`] },
  }),
  "baselines with boxes of a detector and annotated ones": (index) => {
    const [template, isAnnotated] = [index >> 1, index % 2 === 1];
    const detector = isAnnotated ? ({ kind: "gt_boxes" } as const) : undefined;
    return {
      label: `${isAnnotated ? "ground-truth boxes" : "YOLO"}, crop, template ${template}`,
      acc: [0.5],
      baseline: { best_box: 0.8, templates: [`photo ${template} of {}`], ...(detector && { detector }) },
    };
  },
};

/** One trial is stale; each has a note of its own, one that all have, and one that four have. */
function manyInput(num: number, makeSetting: (index: number) => MadeSetting): ReportInput {
  const input = madeInput(Array.from({ length: num }, (_, index) => makeSetting(index)));
  const trials = input.trials.map((trial, index): ReportTrial => {
    const { spec, outcome } = trial;
    if (outcome?.state !== "completed") return trial;
    const notes = ["seen by all", `seen by ${spec.label}`, `seen by four from ${index >> 2}`];
    return { ...trial, outcome: { ...outcome, notes }, isStale: index === 0 };
  });
  const published = { split: "val", metric: "acc_at_50", low: 0.1, high: 0.2, source: "a paper" } as const;
  return { ...input, trials, published: [{ ...published, verified: true }] };
}

describe.each(Object.entries(kinds))("with many %s", (_kind, makeSetting) => {
  test("twice as many need twice the work for the report and its charts", () => {
    const work = (num: number): number => {
      const input = manyInput(num, makeSetting);
      const completed = completedTrials(input.trials);
      return countSteps(() => {
        allBlocks(input, charts, { groups: [], unreadable: [] }, { images: [], unreadable: [] });
        for (const chart of summaryCharts) chart(input.summary);
        curvesChart(input.summary, completed);
        paretoChart(input);
      });
    };
    const few = work(200);
    expect(few).toBeGreaterThan(10_000);
    expect(work(400) / few).toBeLessThan(2.1);
  });

  test("the report has a row and a note of each", () => {
    const input = manyInput(40, makeSetting);
    const written = render(
      allBlocks(input, charts, { groups: [], unreadable: [] }, { images: [], unreadable: [] }),
    );
    expect(written).toContain("- All configurations: seen by all.\n");
    for (const { label } of input.summary.settings) {
      expect(written).toContain(`\n| ${label} |`);
      expect(written).toContain(`: seen by ${label}.\n`);
    }
  });
});
