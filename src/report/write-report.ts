import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { CliprpnError } from "../contract/errors.ts";
import type { Case } from "../contract/generated/types.ts";
import { drawBoxes, sideBySide } from "./draw.ts";
import { drawCharts } from "./draw-charts.ts";
import { render } from "./markdown.ts";
import type { Picture, ReportInput } from "./report-input.ts";
import { type ReportImages, reportBlocks } from "./sections.ts";

/**
 * Writes the report, its figures as JSON and its images: `REPORT.md`, `summary-val.json`, `report/val/`.
 *
 * @param folder the sweep's folder.
 * @returns the report's path.
 */
export async function writeReport(input: ReportInput, folder: string): Promise<string> {
  const { split } = input.summary;
  const pictures = await writeImages(input, folder);
  await writeFileAtomic(join(folder, `summary-${split}.json`), `${JSON.stringify(input.summary, null, 2)}\n`);
  const path = join(folder, split === "val" ? "REPORT.md" : `REPORT-${split}.md`);
  await writeFileAtomic(path, render(reportBlocks(input, pictures)));
  return path;
}

async function writeImages(input: ReportInput, folder: string): Promise<ReportImages> {
  const { summary } = input;
  const place = `report/${summary.split}`;
  await rm(join(folder, place), { recursive: true, force: true });
  await mkdir(join(folder, place), { recursive: true });
  return {
    ...(await drawCharts(input, folder, place)),
    ...(await drawGallery(input, folder, place)),
  };
}

async function drawGallery(
  { summary: { gallery } }: ReportInput,
  folder: string,
  place: string,
): Promise<Pick<ReportImages, "cases" | "unreadable">> {
  const unreadable = new Set<string>();
  const drawAll = async (cases: Case[], prefix: string): Promise<Picture[]> => {
    const pictures: Picture[] = [];
    for (const [index, shown] of cases.entries()) {
      const file = `${place}/${prefix}-${index + 1}.png`;
      const why = await drawCase(shown, join(folder, file)).catch(whyUnreadable);
      if (why === undefined) pictures.push({ file, alt: shown.sentence });
      else unreadable.add(why);
    }
    return pictures;
  };
  const pairs: Picture[] = [];
  for (const [index, pair] of gallery.pairs.entries()) {
    const halves = await drawAll(pair, `half-${index + 1}`);
    const file = `${place}/pair-${index + 1}.png`;
    const files = halves.map((half) => join(folder, half.file));
    if (halves.length === pair.length) {
      await sideBySide(files, join(folder, file));
      pairs.push({ file, alt: halves.map(({ alt }) => alt).join(" / ") });
    }
    await Promise.all(files.map((half) => rm(half)));
  }
  const cases = [
    { title: "Minimal pairs", pictures: pairs },
    { title: "Best cases", pictures: await drawAll(gallery.best, "best") },
    { title: "Worst cases", pictures: await drawAll(gallery.worst, "worst") },
  ];
  return { cases, unreadable: [...unreadable] };
}

/** An image that was moved, or is none, costs its case, not the report. */
function whyUnreadable(error: unknown): string {
  if (error instanceof CliprpnError && ["not_found", "data_invalid"].includes(error.code))
    return error.message;
  throw error;
}

/** The answers, the best setting's on top of the others, the truth dashed on top of all. */
async function drawCase(shown: Case, file: string): Promise<undefined> {
  const answers = shown.predictions.map(({ label, pred_box_xyxy, iou }, index) => ({
    box_xyxy: pred_box_xyxy,
    color: answerColors[index % answerColors.length] ?? "#0072b2",
    text: `${label}: IoU ${iou.toFixed(2)}`,
  }));
  const truth = { box_xyxy: shown.gt_box_xyxy, color: "#111111", dashed: true, text: "the truth" };
  await drawBoxes(shown.image_file, [...answers.toReversed(), truth], file, {
    fit: 480,
    upright: shown.upright,
    caption: { sentence: `“${shown.sentence}”`, legend: [...answers, truth] },
  });
}

const answerColors = ["#0072b2", "#d55e00"];
