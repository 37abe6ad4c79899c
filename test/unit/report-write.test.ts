import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { loadSharp } from "../../src/base/sharp.ts";
import type { Case } from "../../src/contract/generated/types.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { madeInput, madeSummary } from "../helpers/report-input.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const settings = [{ label: "film", acc: [0.6, 0.62] }];

test("images that cannot be read are named and their cases left out of the report", async () => {
  await loadSharp(); // Before any other use of sharp: it sets the fonts of captions.
  const folder = tempFolder();
  const [good, gone, cut, text] = ["good.png", "gone.png", "cut.png", "text.jpg"].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const noise = { type: "gaussian" as const, mean: 128, sigma: 30 };
  await sharp({ create: { width: 200, height: 100, channels: 3, background: "gray", noise } }).toFile(good);
  writeFileSync(cut, readFileSync(good).subarray(0, 2000)); // The header is valid.
  writeFileSync(text, "hello");
  const gallery = { best: [gone, good].map(shown), worst: [cut, text].map(shown), pairs: [pair(good, gone)] };
  const summary = madeSummary(settings, { gallery });
  const written = readFileSync(await writeReport(madeInput(settings, { summary }), folder), "utf8");
  const drawn = [...written.matchAll(/\]\((report\/val\/[^)]+\.png)\)/g)].map(([, file]) => file ?? "");
  expect(drawn).toEqual(["report/val/best-2.png"]);
  expect(existsSync(join(folder, drawn[0] ?? ""))).toBe(true);
  expect(existsSync(join(folder, "report/val/half-1-1.png"))).toBe(false);
  for (const name of ["gone.png", "cut.png", "text.jpg"])
    expect(written.split(`${name}: expected an image`)).toHaveLength(2);
  expect(written).not.toContain("good.png");
});

function shown(image_file: string): Case {
  return {
    sent_id: 1,
    image_file,
    upright: false,
    sentence: "the cup",
    gt_box_xyxy: [9, 9, 50, 50],
    predictions: [],
  };
}

function pair(left: string, right: string): [Case, Case] {
  return [shown(left), shown(right)];
}

test("baselines have a chart of errors and no learning curves", async () => {
  const folder = tempFolder();
  const input = madeInput([{ label: "YOLO n, crop", acc: [0.5], baseline: { best_box: 0.8 } }]);
  const written = readFileSync(await writeReport(input, folder), "utf8");
  const drawn = [...written.matchAll(/\]\(report\/val\/([^)]+\.svg)\)/g)].map(([, file]) => file ?? "");
  expect(drawn).toEqual(["leaderboard.svg", "boxes.svg", "strata.svg"]);
  expect(readdirSync(join(folder, "report/val")).sort()).toEqual(drawn.sort());
});
