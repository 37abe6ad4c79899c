import type { PageData } from "../page-data.ts";
import { svg } from "./dom.ts";

/** How a box is drawn. Lines differ in color, in their kind and in their letter. */
export interface BoxStyle {
  letter: string;
  color: string;
  /** Lengths of dashes and gaps, or "double" for two lines; empty for a solid line. */
  line: string;
  /** Corner of the box where its letter is: boxes of one object often coincide. */
  corner: "top-left" | "top-right" | "bottom-left" | "bottom-right";
}

export const truthStyle: BoxStyle = { letter: "GT", color: "#111111", line: "7 4", corner: "bottom-right" };

/** The style of a configuration: solid for A, double for B, and dashes for those that are shown besides. */
export function styleOf(setting: number, a: number, b: number): BoxStyle {
  if (setting === a) return { letter: "A", color: "#0072b2", line: "", corner: "top-left" };
  if (setting === b) return { letter: "B", color: "#d55e00", line: "double", corner: "top-right" };
  const index = setting - Number(setting > a) - Number(b !== a && setting > b);
  const [color = "#555555", line = "9 2 2 2"] = otherLines[index % otherLines.length] ?? [];
  return { letter: String.fromCharCode(67 + index), color, line, corner: "bottom-left" };
}

const otherLines: [color: string, line: string][] = [
  ["#009e73", "10 3 2 3"],
  ["#a3568a", "5 2"],
  ["#8f6b00", "1 2"],
  ["#3b7ea1", "12 3"],
  ["#6a3d9a", "6 2 1 2 1 2"],
  ["#444444", "3 3 9 3"],
  ["#00695c", "2 6"],
  ["#8c2d04", "14 4 4 4"],
];

/** The boxes of an expression over its image. For the eye only: the answers are listed as text, too. */
export function drawBoxes(
  data: PageData,
  row: number,
  boxes: [column: number[], style: BoxStyle][],
): SVGSVGElement {
  const { width, height } = imageSize(data, row);
  // Lines and letters are as wide on a large image as on a small one.
  const unit = Math.max(width, height) / 256;
  const drawn = boxes.map(([column, style]) =>
    boxGroup(column.slice(4 * row, 4 * row + 4), style, unit, width, height),
  );
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...drawn);
}

export function imageSize({ images, expressions }: PageData, row: number): { width: number; height: number } {
  const image = expressions.image[row] ?? 0;
  return { width: images.width[image] ?? 1, height: images.height[image] ?? 1 };
}

function boxGroup(box: number[], style: BoxStyle, unit: number, width: number, height: number): SVGGElement {
  const inset = (style.line === "double" ? 4 : 1.5) * unit;
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box;
  const left = Math.min(Math.max(inset, x1), width - inset);
  const top = Math.min(Math.max(inset, y1), height - inset);
  const right = Math.max(left + unit, Math.min(width - inset, x2));
  const bottom = Math.max(top + unit, Math.min(height - inset, y2));
  const outlines = style.line === "double" ? [2.5 * unit, -2.5 * unit] : [0];
  return svg(
    "g",
    {},
    ...outlines.flatMap((by) => {
      const place = {
        x: left - by,
        y: top - by,
        width: right - left + 2 * by,
        height: bottom - top + 2 * by,
      };
      return outlined(place, style, unit, by === 0 ? 2 : 1.5);
    }),
    letter(style, unit, { left, top, right, bottom }),
  );
}

/** A rectangle above a white one, which keeps it visible on any background. */
function outlined(
  place: { x: number; y: number; width: number; height: number },
  { color, line }: BoxStyle,
  unit: number,
  thickness: number,
): SVGRectElement[] {
  const rect = {
    ...place,
    width: Math.max(unit, place.width),
    height: Math.max(unit, place.height),
    fill: "none",
    "stroke-dasharray": dashes(line, unit),
  };
  return [
    svg("rect", { ...rect, stroke: "white", "stroke-width": (thickness + 2) * unit }),
    svg("rect", { ...rect, stroke: color, "stroke-width": thickness * unit }),
  ];
}

function dashes(line: string, unit: number): string | undefined {
  if (line === "" || line === "double") return undefined;
  return line
    .split(" ")
    .map((part) => Number(part) * unit)
    .join(" ");
}

function letter(
  { letter, color, corner }: BoxStyle,
  unit: number,
  box: { left: number; top: number; right: number; bottom: number },
): SVGGElement {
  const [width, height] = [(6 + 8 * letter.length) * unit, 14 * unit];
  const x = corner.endsWith("left") ? box.left : Math.max(box.left, box.right - width);
  const y = corner.startsWith("top") ? box.top : Math.max(box.top, box.bottom - height);
  const text = {
    x: x + width / 2,
    y: y + 11 * unit,
    fill: "white",
    "font-size": 11 * unit,
    "text-anchor": "middle",
  };
  return svg(
    "g",
    { class: "letter" },
    svg("rect", { x, y, width, height, fill: color, stroke: "white", "stroke-width": unit }),
    svg("text", text, letter),
  );
}

/** A short line in the style of a box, for a legend. */
export function swatch({ color, line, letter }: BoxStyle): SVGSVGElement {
  const heights = line === "double" ? [5.5, 10.5] : [8];
  const stroke = {
    stroke: color,
    "stroke-width": line === "double" ? 2 : 3,
    "stroke-dasharray": dashes(line, 1),
  };
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 44 16", width: 44, height: 16, "aria-hidden": "true" },
    svg("rect", { x: 0, y: 0, width: 44, height: 16, fill: "white" }),
    ...heights.map((y) => svg("line", { x1: 0, y1: y, x2: 22, y2: y, ...stroke })),
    svg("rect", { x: 24, y: 1, width: 20, height: 14, fill: color }),
    svg("text", { x: 34, y: 12, fill: "white", "font-size": 11, "text-anchor": "middle" }, letter),
  );
}
