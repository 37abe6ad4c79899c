import { escapeXml } from "../../base/escape-xml.ts";
import { wrapLines } from "../../base/format.ts";
import { visibleText } from "../../base/plain-text.ts";
import { type DrawnBox, type LineStyle, tagSvg } from "./boxes-svg.ts";

/** Below an image: an expression, and a legend of the boxes. */
export interface Caption {
  /** Small, above the expression. */
  note?: string | undefined;
  sentence: string;
  legend: LegendRow[];
}

export interface LegendRow extends Pick<DrawnBox, "color" | "line" | "tag"> {
  text: string;
}

/** The caption as SVG. Long texts end in an ellipsis. */
export function captionSvg(
  { note, sentence, legend }: Caption,
  width: number,
): { svg: string; height: number } {
  const rows = [
    ...(note === undefined ? [] : textRows(note, width, 1, { size: 12, ink: "#555" })),
    ...textRows(sentence, width, maxSentenceLines, { weight: "bold" }),
    ...legend.flatMap((row) => legendRows(row, width)),
  ];
  const lines = rows.map((svg, index) => {
    const y = margin + fontSize + index * lineHeight;
    return `<g transform="translate(${margin} ${y})">${svg}</g>`;
  });
  const height = rows.length * lineHeight + 2 * margin;
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${lines.join("")}</svg>`,
    height,
  };
}

const fontSize = 14;
const lineHeight = 21;
const margin = 8;
const maxSentenceLines = 4;
const maxLegendLines = 2;

/** The first line has a sample of the box's line, and its tag. */
function legendRows({ text, color, line, tag }: LegendRow, width: number): string[] {
  const sample = lineSvg(color, line);
  const label = tag === undefined ? "" : tagSvg(tag, color, { left: 36, top: -14, width: 30, height: 18 });
  const indent = tag === undefined ? 36 : 74;
  const rows = textRows(text, width, maxLegendLines, { indent });
  return rows.map((row, index) => (index === 0 ? `${sample}${label}${row}` : row));
}

function lineSvg(color: string, line: LineStyle = "solid"): string {
  const draw = (y: number, stroke: number, dashes = ""): string =>
    `<line x1="0" y1="${y}" x2="28" y2="${y}" stroke="${color}" stroke-width="${stroke}"${dashes}/>`;
  if (line === "double") return draw(-9, 2) + draw(-2, 2);
  return draw(-5, 3.5, line === "dashed" ? ' stroke-dasharray="7 4"' : "");
}

interface TextStyle {
  indent?: number;
  size?: number;
  weight?: "normal" | "bold";
  ink?: string;
}

function textRows(text: string, width: number, maxLines: number, style: TextStyle): string[] {
  const { indent = 0, size = fontSize, weight = "normal", ink = "#222" } = style;
  const room = width - 2 * margin - indent;
  const shown = visibleText(text);
  const start = shown.slice(0, 1000);
  const columns = Math.max(10, Math.floor((room * start.length) / widthOf(start, size)));
  return wrapLines(shown, columns, maxLines).map((line) => {
    // A line of wide characters is shrunk.
    const fitting = Math.min(size, (size * room) / widthOf(line, size));
    return `<text x="${indent}" font-family="DejaVu Sans" font-weight="${weight}" font-size="${fitting.toFixed(1)}" fill="${ink}">${escapeXml(line)}</text>`;
  });
}

/** Estimated from the kinds of characters, in pixels; at least 1. */
function widthOf(text: string, size: number): number {
  const ems = [...text].map((character) => {
    if (character > "\u1100") return 1.2;
    if (/[WM@%]/.test(character)) return 1.12;
    return /[\p{Lu}\d#&]/u.test(character) ? 0.8 : 0.62;
  });
  return Math.max(1, size * ems.reduce((sum, em) => sum + em, 0));
}
