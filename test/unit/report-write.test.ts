import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { loadSharp } from "../../src/base/sharp.ts";
import type { Case } from "../../src/contract/generated/types.ts";
import type { ReportInput } from "../../src/report/report-input.ts";
import { withStaging } from "../../src/report/staging.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { madeInput, madeSummary } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const settings = [{ label: "film", acc: [0.6, 0.62] }];

test("the examples of the gallery are drawn beside the report", async () => {
  await loadSharp(); // Before any other use of sharp: it sets the fonts of captions.
  const folder = tempFolder();
  const image_file = join(folder, "image.png");
  await sharp({ create: { width: 200, height: 100, channels: 3, background: "gray" } }).toFile(image_file);
  const shown: Case = {
    sent_id: 1,
    image_file,
    upright: false,
    sentence: "the cup",
    gt_box_xyxy: [9, 9, 50, 50],
    predictions: [{ label: "film", pred_box_xyxy: [9, 9, 50, 50], iou: 1 }],
  };
  const { gallery, ...summary } = madeSummary(settings);
  const group = { subset: null, num_found: 1, num_total: 965, examples: [{ cases: [shown] as [Case] }] };
  const groups = [{ ...group, kind: "wins" as const }];
  const input = madeInput(settings, { summary: { ...summary, gallery: { ...gallery, groups } } });
  const written = readFileSync(await write(input, folder), "utf8");
  const drawn = [...written.matchAll(/\]\((report\/val\/[^)]+\.png)\)/g)].map(([, file]) => file ?? "");
  expect(drawn).toEqual(["report/val/wins-1.png"]);
  expect(existsSync(join(folder, drawn[0] ?? ""))).toBe(true);
});

test("baselines have a chart of errors and no learning curves", async () => {
  const folder = tempFolder();
  const input = madeInput([{ label: "YOLO n, crop", acc: [0.5], baseline: { best_box: 0.8 } }]);
  const written = readFileSync(await write(input, folder), "utf8");
  const drawn = [...written.matchAll(/\]\(report\/val\/([^)]+\.svg)\)/g)].map(([, file]) => file ?? "");
  expect(drawn).toEqual([
    "leaderboard.svg",
    "boxes.svg",
    "error-classes.svg",
    "accuracy-at-iou.svg",
    "risk-coverage.svg",
    "reliability.svg",
  ]);
  const charts = readdirSync(join(folder, "report/val")).filter((name) => name.endsWith(".svg"));
  expect(charts.sort()).toEqual(drawn.sort());
});

test("an error while drawing leaves the earlier report as it was", async () => {
  const folder = tempFolder();
  await write(madeInput(settings), folder);
  const before = contentOf(folder);
  expect(Object.keys(before)).toContain("report/val/leaderboard.svg");
  // The charts are drawn by then.
  const broken = { ...madeInput(settings, { question: "Another?" }), published: undefined };
  await expect(write(broken as never, folder)).rejects.toThrow();
  expect(contentOf(folder)).toEqual(before);
});

test("images of an earlier report and what a killed process left are removed", async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, ".report-abc123/report/val"), { recursive: true });
  mkdirSync(join(folder, "report/val"), { recursive: true });
  mkdirSync(join(folder, "report/test"), { recursive: true });
  for (const place of [".report-abc123/report/val", "report/val", "report/test"])
    writeFileSync(join(folder, place, "pair-9.png"), "");
  await write(madeInput(settings), folder);
  const files = Object.keys(contentOf(folder));
  expect(files.filter((file) => file.includes("pair-9.png"))).toEqual(["report/test/pair-9.png"]);
  expect(readdirSync(folder).sort()).toEqual(["REPORT.html", "REPORT.md", "report", "report.json"]);
});

function write(input: ReportInput, folder: string): Promise<string> {
  return withStaging(folder, "report/val", (staging) => writeReport(input, staging, folder));
}

/** The text of every file in a folder, by its path. */
function contentOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    names.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [relative(folder, file), readFileSync(file, "utf8")];
    }),
  );
}
