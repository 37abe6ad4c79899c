import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { Case } from "../contract/generated/types.ts";
import { chartSvg, curvesChart, leaderboardChart, strataChart } from "./charts.ts";
import { type DrawnBox, drawBoxes, sideBySide } from "./draw.ts";
import { render } from "./markdown.ts";
import { completedTrials, type ReportInput } from "./report-input.ts";
import { type ReportPictures, reportBlocks } from "./sections.ts";

/**
 * Writes the report and its pictures.
 *
 * @param folder the sweep's folder; pictures go to `report/` in it.
 * @param file the report's name in the folder: `REPORT.md`.
 * @returns the report's path.
 */
export async function writeReport(input: ReportInput, folder: string, file: string): Promise<string> {
  const pictures = await writePictures(input, folder);
  const path = join(folder, file);
  await writeFileAtomic(path, render(reportBlocks(input, pictures)));
  return path;
}

async function writePictures(input: ReportInput, folder: string): Promise<ReportPictures> {
  const { split, gallery } = input.summary;
  await mkdir(join(folder, "report"), { recursive: true });
  const save = async (name: string, svg: string): Promise<string> => {
    await writeFileAtomic(join(folder, "report", name), svg);
    return `report/${name}`;
  };
  const curves = completedTrials(input.trials).map(({ spec, outcome }) => ({
    label: spec.label,
    seed: spec.seed,
    outcome,
  }));
  const strata = strataChart(input.summary);
  const pictures: ReportPictures = {
    leaderboard: await save(`leaderboard-${split}.svg`, await chartSvg(leaderboardChart(input.summary))),
    curves: await save(`curves-${split}.svg`, await chartSvg(curvesChart(curves))),
    cases: [],
  };
  if (strata !== undefined) pictures.strata = await save(`strata-${split}.svg`, await chartSvg(strata));
  const draw = async (shown: Case, name: string): Promise<{ file: string; sentence: string }> => {
    await drawBoxes(shown.image_file, boxesOf(shown), join(folder, "report", name), {
      caption: `“${shown.sentence}”`,
      minWidth: 400,
    });
    return { file: `report/${name}`, sentence: shown.sentence };
  };
  const all = async (cases: Case[], prefix: string): Promise<{ file: string; sentence: string }[]> => {
    const files = [];
    for (const [index, shown] of cases.entries())
      files.push(await draw(shown, `${prefix}-${split}-${index + 1}.png`));
    return files;
  };
  const pairs = [];
  for (const [index, pair] of gallery.pairs.entries()) {
    const halves = await all(pair, `pair-${index + 1}`);
    const name = `pair-${split}-${index + 1}.png`;
    await sideBySide(
      halves.map((half) => join(folder, half.file)),
      join(folder, "report", name),
    );
    pairs.push({ file: `report/${name}`, sentence: halves.map(({ sentence }) => sentence).join(" / ") });
  }
  pictures.cases = [
    { title: "Minimal pairs", files: pairs },
    { title: "Best cases", files: await all(gallery.best, "best") },
    { title: "Worst cases", files: await all(gallery.worst, "worst") },
  ];
  return pictures;
}

/** The truth dashed, then the answers; the last one drawn, the best setting's, lies on top. */
function boxesOf(shown: Case): DrawnBox[] {
  const answers = shown.predictions.map(({ label, pred_box_xyxy, iou }, index) => ({
    box_xyxy: pred_box_xyxy,
    color: answerColors[index % answerColors.length] ?? "#08519c",
    label: `${label} IoU ${iou.toFixed(2)}`,
  }));
  return [...answers.reverse(), { box_xyxy: shown.gt_box_xyxy, color: "#1a7f37", dashed: true }];
}

const answerColors = ["#08519c", "#cf222e", "#e6550d", "#756bb1", "#8c6d31"];
