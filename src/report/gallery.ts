import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RootContent } from "mdast";
import { CliprpnError } from "../contract/errors.ts";
import type { Case, Summary } from "../contract/generated/types.ts";
import { drawBoxes, joinSideBySide } from "./draw.ts";
import { bullets, heading, images, paragraph } from "./markdown.ts";
import { quoteLabel, type ReportImage } from "./report-input.ts";

/** The drawn cases of the gallery. */
export interface Gallery {
  groups: { title: string; images: ReportImage[] }[];
  /** Reasons for missing cases: a message for each image that cannot be read. */
  unreadable: string[];
}

export function gallery(summary: Summary, { groups, unreadable }: Gallery): RootContent[] {
  const drawn = groups.filter((group) => group.images.length > 0);
  if (drawn.length === 0 && unreadable.length === 0) return [];
  return [
    heading(2, "Gallery"),
    paragraph(`Predictions of ${shownSettings(summary)}; the ground truth is dashed.`),
    ...drawn.flatMap((group) => [heading(3, group.title), images(group.images)]),
    ...(unreadable.length === 0
      ? []
      : [paragraph("Cases whose image cannot be read are missing:"), bullets(unreadable)]),
  ];
}

/** "film (first seed) and of token". */
function shownSettings({ gallery: { best }, settings }: Summary): string {
  const several = new Set(settings.filter(({ trial_ids }) => trial_ids.length > 1).map(({ label }) => label));
  const labels = best[0]?.predictions.map(({ label }) => label) ?? [];
  return labels
    .map((label) => `${quoteLabel(label)}${several.has(label) ? " (first seed)" : ""}`)
    .join(" and of ");
}

/**
 * Draws the cases as PNG.
 *
 * @param place where they go, relative to the folder.
 */
export async function drawGallery(
  { gallery: { best, worst, pairs } }: Summary,
  folder: string,
  place: string,
): Promise<Gallery> {
  const unreadable = new Set<string>();
  const drawAll = async (cases: Case[], prefix: string): Promise<ReportImage[]> => {
    const drawn: ReportImage[] = [];
    for (const [index, shown] of cases.entries()) {
      const file = `${place}/${prefix}-${index + 1}.png`;
      const problem = await drawCase(shown, join(folder, file)).catch(explainUnreadable);
      if (problem === undefined) drawn.push({ file, alt: shown.sentence });
      else unreadable.add(problem);
    }
    return drawn;
  };
  const drawnPairs: ReportImage[] = [];
  for (const [index, pair] of pairs.entries()) {
    const halves = await drawAll(pair, `half-${index + 1}`);
    const file = `${place}/pair-${index + 1}.png`;
    const files = halves.map((half) => join(folder, half.file));
    if (halves.length === pair.length) {
      await joinSideBySide(files, join(folder, file));
      drawnPairs.push({ file, alt: halves.map(({ alt }) => alt).join(" / ") });
    }
    await Promise.all(files.map((half) => rm(half)));
  }
  const groups = [
    { title: "Minimal pairs", images: drawnPairs },
    { title: "Best cases", images: await drawAll(best, "best") },
    { title: "Worst cases", images: await drawAll(worst, "worst") },
  ];
  return { groups, unreadable: [...unreadable] };
}

/** A missing or broken image costs only its cases, not the report. */
function explainUnreadable(error: unknown): string {
  if (error instanceof CliprpnError && ["not_found", "data_invalid"].includes(error.code))
    return error.message;
  throw error;
}

/** The predictions, the best configuration's above the others, and the dashed ground truth above all. */
async function drawCase(shown: Case, file: string): Promise<undefined> {
  const predictions = shown.predictions.map(({ label, pred_box_xyxy, iou }, index) => ({
    box_xyxy: pred_box_xyxy,
    color: predictionColors[index % predictionColors.length] ?? "#0072b2",
    text: `${label}: IoU ${iou.toFixed(2)}`,
  }));
  const truth = { box_xyxy: shown.gt_box_xyxy, color: "#111111", dashed: true, text: "ground truth" };
  await drawBoxes(shown.image_file, [...predictions.toReversed(), truth], file, {
    fit: 480,
    upright: shown.upright,
    caption: { sentence: `“${shown.sentence}”`, legend: [...predictions, truth] },
  });
}

const predictionColors = ["#0072b2", "#d55e00"];
