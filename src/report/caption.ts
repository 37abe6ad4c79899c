import { wrapText } from "../base/format.ts";

/** What is written below an image: a sentence, and what each drawn box is. */
export interface Caption {
  sentence: string;
  legend: { text: string; color: string; dashed?: boolean }[];
}

/** The caption as an SVG of the image's width. */
export function captionSvg({ sentence, legend }: Caption, width: number): { svg: string; height: number } {
  const columns = (indent: number): number =>
    Math.max(10, Math.floor((width - 2 * margin - indent) / (font * 0.58)));
  const rows = [
    ...wrapText(sentence, columns(0)).map((text) => ({ text, indent: 0, mark: "", weight: "bold" })),
    ...legend.flatMap(({ text, color, dashed }) =>
      wrapText(text, columns(swatch)).map((line, index) => ({
        text: line,
        indent: swatch,
        mark: index === 0 ? markSvg(color, dashed === true) : "",
        weight: "normal",
      })),
    ),
  ];
  const lines = rows.map(({ text, indent, mark, weight }, index) => {
    const y = margin + font + index * lineHeight;
    return `<g transform="translate(${margin} ${y})">${mark}<text x="${indent}" font-family="DejaVu Sans" font-weight="${weight}" font-size="${font}" fill="#222">${escapeXml(text)}</text></g>`;
  });
  const height = rows.length * lineHeight + 2 * margin;
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${lines.join("")}</svg>`,
    height,
  };
}

const font = 14;
const lineHeight = 20;
const margin = 8;
const swatch = 34;

function markSvg(color: string, dashed: boolean): string {
  const dashes = dashed ? ' stroke-dasharray="6 3"' : "";
  return `<line x1="0" y1="-5" x2="24" y2="-5" stroke="${color}" stroke-width="4"${dashes}/>`;
}

/** Text as it may stand in an SVG. */
export function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text
    .replace(/[&<>"']/g, (character) => entities[character] ?? character)
    .replace(/[^\P{Cc}\t]/gu, "");
}
