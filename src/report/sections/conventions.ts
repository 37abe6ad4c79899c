import type { RootContent } from "mdast";
import type { ConventionFigure, SettingSummary, Summary } from "../../contract/generated/types.ts";
import { figureOf } from "../figures.ts";
import { bullets, heading, longTable, paragraph } from "../markdown.ts";
import { noValue, points, signedPoints } from "../points.ts";
import { rowNoun } from "../wording.ts";

type Convention = ConventionFigure["convention"];

/** Acc@0.5 as other programs compute it, if that changes a figure that is shown. */
export function conventions({ settings }: Summary): RootContent[] {
  const shown = (Object.keys(titles) as Convention[]).filter((convention) =>
    settings.some((setting) => Math.abs(changeBy(setting, convention) ?? 0) >= smallestShown),
  );
  if (shown.length === 0) return [];
  return [
    heading(2, "Acc@0.5 by other conventions"),
    paragraph(
      "Other programs decide differently what is a hit. In %, with the change to Acc@0.5 in points; the mean over runs.",
    ),
    bullets(shown.map((convention) => `${titles[convention]}: ${conventionDefinitions[convention]}`)),
    ...longTable(
      [rowNoun(settings), "Acc@0.5", ...shown.map((convention) => titles[convention])],
      settings.map((setting) => [
        setting.label,
        points(figureOf(setting, "acc_at_50")?.interval.mean ?? 0),
        ...shown.map((convention) => cell(setting, convention)),
      ]),
    ),
  ];
}

const titles: Record<Convention, string> = {
  plus_one_pixel: "+1 pixel",
  above: "IoU above 0.5",
  rounded: "rounded",
};

const conventionDefinitions: Record<Convention, string> = {
  plus_one_pixel:
    "widths and heights are one pixel larger in the IoU, as if a box included its last pixel (the IoU of Fast R-CNN's code, on corners). The IoU of MAttNet's code, on corner, width and height, is the one of this report.",
  above:
    "a hit has an IoU above 0.5, not at least 0.5 (the evaluation of VLM-R1; lmms-eval counts an IoU of 0.5 as a hit, too).",
  rounded: "the corners of a prediction are rounded to whole pixels before the IoU is computed.",
};

/** 0.05 points: the last digit that is shown. */
const smallestShown = 0.0005;

function changeBy(setting: SettingSummary, convention: Convention): number | undefined {
  const other = setting.conventions?.find((each) => each.convention === convention);
  const mean = figureOf(setting, "acc_at_50")?.interval.mean;
  return other === undefined || mean === undefined ? undefined : other.acc_at_50 - mean;
}

/** "53.2 (+0.1)". */
function cell(setting: SettingSummary, convention: Convention): string {
  const other = setting.conventions?.find((each) => each.convention === convention);
  const change = changeBy(setting, convention);
  if (other === undefined || change === undefined) return noValue;
  return `${points(other.acc_at_50)} (${signedPoints(change)})`;
}
