import { join } from "node:path";
import { escapeXml } from "../../base/escape-xml.ts";
import { percent, wrapLines } from "../../base/format.ts";
import { oneLine } from "../../base/plain-text.ts";
import { loadSharp } from "../../base/sharp.ts";
import type { SentenceExample } from "../../contract/generated/types.ts";
import { boxSvg } from "../../report/images/boxes-svg.ts";

/** An image resized to fit its cell. */
interface Tile {
  input: Buffer;
  width: number;
  height: number;
  /** Pixels of the sheet per pixel of the original image. */
  zoom: number;
}

/**
 * Draws expressions and their boxes on the original images, in a grid with three columns. An image that
 * cannot be read leaves a gray cell.
 *
 * @param title above the grid.
 * @returns the file names of images that cannot be read.
 */
export async function writeContactSheet(
  examples: readonly SentenceExample[],
  images_dir: string,
  title: string,
  outFile: string,
): Promise<string[]> {
  const sharp = await loadSharp();
  const tiles = await Promise.all(examples.map((example) => loadTile(example, images_dir)));
  const rows = rowsOf(examples);
  const width = columns * cell + (columns + 1) * gap;
  const height = rows.at(-1)?.bottom ?? titleHeight;
  const positions = examples.map((_, index) => {
    const row = rows[Math.floor(index / columns)];
    return { left: gap + (index % columns) * (cell + gap), top: row?.top ?? 0 };
  });
  const drawings = examples.map((example, index) => {
    const { left, top } = positions[index] ?? { left: 0, top: 0 };
    return `<g transform="translate(${left} ${top})">${cellSvg(example, tiles[index])}</g>`;
  });
  const overlay = svg(
    width,
    height,
    `<text x="${gap}" y="38" font-family="DejaVu Sans" font-weight="bold" font-size="20" fill="#222">${escapeXml(oneLine(title))}</text>${drawings.join("")}`,
  );
  await sharp({ create: { width, height, channels: 3, background: "white" } })
    .composite([
      { input: Buffer.from(svg(width, height, positions.map(backdrop).join(""))), left: 0, top: 0 },
      ...tiles.flatMap((tile, index) => {
        const position = positions[index];
        return tile === undefined || position === undefined
          ? []
          : [
              {
                input: tile.input,
                left: position.left + Math.floor((cell - tile.width) / 2),
                top: position.top + Math.floor((imageHeight - tile.height) / 2),
              },
            ];
      }),
      { input: Buffer.from(overlay), left: 0, top: 0 },
    ])
    .png({ palette: false, compressionLevel: 9 })
    .toFile(outFile);
  return examples.flatMap(({ file_name }, index) => (tiles[index] === undefined ? [file_name] : []));
}

const columns = 3;
const cell = 440;
const imageHeight = 330;
const gap = 24;
const titleHeight = 62;
const fontSize = 17;
const lineHeight = 23;
const maxLines = 4;
/** Baseline of the first line below an image; the last line is the split, the category and the area. */
const captionTop = imageHeight + 26;

/** Each row is as tall as its longest expression needs. */
function rowsOf(examples: readonly SentenceExample[]): { top: number; bottom: number }[] {
  const rows: { top: number; bottom: number }[] = [];
  for (let index = 0; index < examples.length; index += columns) {
    const top = rows.at(-1)?.bottom ?? titleHeight;
    const lines = Math.max(
      ...examples.slice(index, index + columns).map(({ sentence }) => expressionLines(sentence).length),
    );
    rows.push({ top, bottom: top + captionTop + lines * lineHeight + gap });
  }
  return rows;
}

async function loadTile(
  { file_name, upright }: SentenceExample,
  images_dir: string,
): Promise<Tile | undefined> {
  const sharp = await loadSharp();
  try {
    const file = join(images_dir, file_name);
    const image = upright ? sharp(file).autoOrient() : sharp(file);
    const metadata = await image.metadata();
    const { width, height } = upright ? metadata.autoOrient : metadata;
    const zoom = Math.min(cell / width, imageHeight / height);
    const size = {
      width: Math.max(1, Math.round(width * zoom)),
      height: Math.max(1, Math.round(height * zoom)),
    };
    const input = await image
      .resize({ ...size, fit: "fill", kernel: "lanczos3" })
      .flatten({ background: "white" })
      .toColourspace("srgb")
      .png()
      .toBuffer();
    return { input, ...size, zoom };
  } catch {
    return undefined; // Missing or broken: `dataset check` reports it.
  }
}

function backdrop({ left, top }: { left: number; top: number }): string {
  return `<rect x="${left}" y="${top}" width="${cell}" height="${imageHeight}" fill="#f1f1f1"/>`;
}

/** The box and the text, relative to the cell. */
function cellSvg(example: SentenceExample, tile: Tile | undefined): string {
  const { sentence, box_xyxy } = example;
  const lines = expressionLines(sentence).map((line, index) =>
    text(line, 0, captionTop + index * lineHeight, 'font-weight="bold" fill="#222"'),
  );
  const details = text(
    detailsOf(example),
    0,
    captionTop + lines.length * lineHeight,
    'font-size="14" fill="#666"',
  );
  if (tile === undefined)
    return `${text("image cannot be read", cell / 2, imageHeight / 2, 'text-anchor="middle" fill="#888"')}${lines.join("")}${details}`;
  const left = Math.floor((cell - tile.width) / 2);
  const top = Math.floor((imageHeight - tile.height) / 2);
  const box = boxSvg({ box_xyxy, color }, tile.zoom, tile);
  return `<g transform="translate(${left} ${top})">${box}</g>${lines.join("")}${details}`;
}

const color = "#d55e00";

function detailsOf({ split, category, width, height, box_xyxy }: SentenceExample): string {
  const [x1, y1, x2, y2] = box_xyxy;
  const area =
    width === null || height === null
      ? []
      : [`${percent(((x2 - x1) * (y2 - y1)) / (width * height))} of the image`];
  return [split, ...(category === "" ? [] : [category]), ...area].join("  ·  ");
}

/** At most four lines; a longer expression ends in an ellipsis. */
function expressionLines(sentence: string): string[] {
  return wrapLines(sentence, Math.floor(cell / (fontSize * 0.66)), maxLines);
}

function text(content: string, x: number, y: number, attributes: string): string {
  const size = attributes.includes("font-size") ? "" : ` font-size="${fontSize}"`;
  return `<text x="${x}" y="${y}" font-family="DejaVu Sans"${size} ${attributes}>${escapeXml(oneLine(content))}</text>`;
}

function svg(width: number, height: number, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`;
}
