import { loadSharp } from "../sharp.ts";

/** A box to draw: corners in pixels of the original picture. */
export interface DrawnBox {
  box_xyxy: [number, number, number, number];
  color: string;
  label?: string;
  dashed?: boolean;
}

/** Draws boxes on a picture in its original pixels, with the sentence below it, and writes a PNG. */
export async function drawBoxes(
  imageFile: string,
  boxes: DrawnBox[],
  outFile: string,
  options: { caption?: string; minWidth?: number } = {},
): Promise<void> {
  const sharp = await loadSharp();
  const picture = sharp(imageFile);
  const { width, height } = await picture.metadata();
  const zoom = Math.max(1, Math.ceil((options.minWidth ?? 0) / width));
  const size = { width: width * zoom, height: height * zoom };
  const scaled = boxes.map((box) => ({ ...box, box_xyxy: scale(box.box_xyxy, zoom) }));
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${scaled.map((box) => boxSvg(box, size)).join("")}</svg>`;
  const drawn = await picture
    .resize({ ...size, fit: "fill", kernel: "lanczos3" })
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .composite([{ input: Buffer.from(overlay), left: 0, top: 0 }])
    .png()
    .toBuffer();
  if (options.caption === undefined) {
    await sharp(drawn).toFile(outFile);
    return;
  }
  const caption = captionSvg(options.caption, size.width);
  await sharp(drawn)
    .extend({ bottom: caption.height, background: "white" })
    .composite([{ input: Buffer.from(caption.svg), left: 0, top: size.height }])
    .png()
    .toFile(outFile);
}

/** Puts pictures of one height side by side, for a minimal pair. */
export async function sideBySide(files: string[], outFile: string, gap = 12): Promise<void> {
  const sharp = await loadSharp();
  const sizes = await Promise.all(files.map((file) => sharp(file).metadata()));
  const width = sizes.reduce((sum, size) => sum + size.width, 0) + gap * (files.length - 1);
  const height = Math.max(...sizes.map((size) => size.height));
  let left = 0;
  const placed = files.map((input, index) => {
    const at = { input, left, top: 0 };
    left += (sizes[index]?.width ?? 0) + gap;
    return at;
  });
  await sharp({ create: { width, height, channels: 3, background: "white" } })
    .composite(placed)
    .png()
    .toFile(outFile);
}

function boxSvg(box: DrawnBox, size: { width: number; height: number }): string {
  const [x1, y1, x2, y2] = box.box_xyxy;
  const stroke = Math.max(2, Math.round(Math.min(size.width, size.height) / 120));
  const dash = box.dashed === true ? ` stroke-dasharray="${stroke * 3} ${stroke * 2}"` : "";
  // A light halo below the coloured line keeps it visible on any background.
  const rect = (color: string, width: number, more: string) =>
    `<rect x="${x1}" y="${y1}" width="${Math.max(1, x2 - x1)}" height="${Math.max(1, y2 - y1)}" fill="none" stroke="${color}" stroke-width="${width}"${more}/>`;
  return rect("white", stroke + 2, "") + rect(box.color, stroke, dash) + labelSvg(box, size);
}

function labelSvg(box: DrawnBox, size: { width: number; height: number }): string {
  if (box.label === undefined) return "";
  const [x1, y1] = box.box_xyxy;
  const font = Math.max(10, Math.round(Math.min(size.width, size.height) / 26));
  const width = Math.ceil(box.label.length * font * 0.62 + font * 0.8);
  const height = Math.ceil(font * 1.5);
  const left = Math.max(0, Math.min(x1, size.width - width));
  const top = y1 >= height ? y1 - height : Math.min(y1, size.height - height);
  return (
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="${box.color}"/>` +
    `<text x="${left + font * 0.4}" y="${top + font * 1.1}" font-family="DejaVu Sans" font-size="${font}" fill="white">${escapeXml(box.label)}</text>`
  );
}

function captionSvg(caption: string, width: number): { svg: string; height: number } {
  const font = 15;
  const lines = wrap(caption, Math.max(10, Math.floor((width - 16) / (font * 0.6))));
  const height = lines.length * Math.round(font * 1.4) + 14;
  const text = lines
    .map(
      (line, index) =>
        `<text x="8" y="${22 + index * Math.round(font * 1.4)}" font-family="DejaVu Sans" font-size="${font}" fill="#222">${escapeXml(line)}</text>`,
    )
    .join("");
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${text}</svg>`,
    height,
  };
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function scale([x1, y1, x2, y2]: DrawnBox["box_xyxy"], zoom: number): DrawnBox["box_xyxy"] {
  return [x1 * zoom, y1 * zoom, x2 * zoom, y2 * zoom];
}

function escapeXml(text: string): string {
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
