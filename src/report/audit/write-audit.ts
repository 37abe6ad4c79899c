import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { shortLine } from "../../base/plain-text.ts";
import { replaceFile } from "../../base/replace-file.ts";
import { check } from "../../contract/check.ts";
import type { AuditExample, AuditSummary, StoredAudit } from "../../contract/generated/types.ts";
import type { Chart } from "../charts/chart-spec.ts";
import { renderSvg } from "../charts/render-svg.ts";
import { htmlReport } from "../html/html-report.ts";
import { drawBoxes } from "../images/draw-boxes.ts";
import { explainUnreadable, truthStyle } from "../images/draw-gallery.ts";
import { render } from "../markdown.ts";
import type { ReportImage } from "../report-input.ts";
import { shownAudit } from "../shown-input.ts";
import { withStaging } from "../staging.ts";
import { type AuditImages, auditBlocks } from "./audit-blocks.ts";
import { kindsChart, wordsChart } from "./audit-charts.ts";

/**
 * Writes `AUDIT.md`, `AUDIT.html`, `audit.json` and the charts and images in `audit/`.
 *
 * @param folder of the audit, which exists.
 * @returns the path of AUDIT.md.
 */
export async function writeAudit(audit: StoredAudit, folder: string): Promise<string> {
  const json = `${JSON.stringify(check("StoredAudit", audit, "audit.json"), null, 2)}\n`;
  return withStaging(folder, place, async (staging) => {
    const shown = shownAudit(audit);
    const drawn: AuditImages[] = [];
    for (const [index, { summary }] of shown.models.entries())
      drawn.push(
        await drawModel(summary, audit.models[index]?.summary.examples ?? [], index, staging.folder),
      );
    const blocks = auditBlocks(shown, drawn);
    const page = await htmlReport(
      {
        title: `Audit ${shown.name}`,
        main: blocks,
        details: [],
        explorer: undefined,
        isDemo: audit.dataset.name === "demo",
        noun: "model",
      },
      staging.folder,
    );
    const names = await readdir(join(staging.folder, place));
    await mkdir(join(folder, place), { recursive: true });
    // New files come before the text and earlier ones go after it: a kill leaves no text without its images.
    for (const name of names) await rename(join(staging.folder, place, name), join(folder, place, name));
    replaceFile(join(folder, "audit.json"), json);
    replaceFile(join(folder, "AUDIT.html"), page);
    const path = join(folder, "AUDIT.md");
    replaceFile(path, render(blocks));
    const earlier = (await readdir(join(folder, place))).filter((name) => !names.includes(name));
    for (const name of earlier) await rm(join(folder, place, name), { recursive: true });
    return path;
  });
}

const place = "audit";

async function drawModel(
  summary: AuditSummary,
  examples: readonly AuditExample[],
  index: number,
  folder: string,
): Promise<AuditImages> {
  const draw = async (name: string, chart: Chart): Promise<ReportImage> => {
    const file = `${place}/${name}-${index + 1}.svg`;
    replaceFile(join(folder, file), await renderSvg(chart, `${name}-${index + 1}`));
    return { file, alt: chart.alt };
  };
  const words = wordsChart(summary);
  const drawn: ReportImage[] = [];
  const unreadable = new Set<string>();
  for (const [position, example] of examples.slice(0, maxDrawn).entries()) {
    const file = `${place}/example-${index + 1}-${position + 1}.png`;
    const problem = await drawExample(example, position + 1, join(folder, file)).catch(explainUnreadable);
    if (problem !== undefined) unreadable.add(problem);
    else
      drawn.push({
        file,
        alt: `${position + 1}: “${shortLine(example.sentence, 90)}”, with the box of the whole expression`,
      });
  }
  return {
    kinds: await draw("kinds", kindsChart(summary)),
    words: words === undefined ? undefined : await draw("words", words),
    examples: drawn,
    unreadable: [...unreadable],
  };
}

const maxDrawn = 4;

/** @returns why it has no image; undefined if it is drawn. */
async function drawExample(example: AuditExample, number: number, file: string): Promise<string | undefined> {
  if (example.image_file === null) return "the dataset was prepared without images";
  const answer = {
    box_xyxy: example.pred_box_xyxy,
    color: "#0072b2",
    tag: "A",
    text: `answer, IoU ${example.iou.toFixed(2)}`,
  };
  const truth = { ...truthStyle, box_xyxy: example.gt_box_xyxy, text: "ground truth" };
  await drawBoxes(example.image_file, [answer, truth], file, {
    fit: 480,
    upright: example.upright,
    caption: { note: `expression ${number}`, sentence: example.sentence, legend: [answer, truth] },
  });
  return undefined;
}
