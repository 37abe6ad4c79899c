import { escapeXml } from "../../base/escape-xml.ts";

/** A box to draw, in pixels of the original image. */
export interface DrawnBox {
  box_xyxy: [number, number, number, number];
  color: string;
  /** Solid by default; boxes are told apart without their color. */
  line?: LineStyle;
  /** One or two letters, drawn at the box. */
  tag?: string;
}

export type LineStyle = "solid" | "double" | "dashed";

interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Size {
  width: number;
  height: number;
}

/**
 * The boxes as SVG, each above those before it, and their tags above all.
 *
 * @param zoom pixels of the drawn image per pixel of the original.
 * @param size of the drawn image.
 */
export function boxesSvg(boxes: DrawnBox[], zoom: number, size: Size): string {
  const placed: Rect[] = [];
  const tags = boxes.flatMap((box) => {
    if (box.tag === undefined) return [];
    const place = placeTag(box.tag, boxOnImage(box, zoom, size), placed.length, size, placed);
    placed.push(place);
    return [tagSvg(box.tag, box.color, place)];
  });
  return [...boxes.map((box) => boxSvg(box, zoom, size)), ...tags].join("");
}

/** A box without its tag. */
export function boxSvg(box: DrawnBox, zoom: number, size: Size): string {
  const rect = boxOnImage(box, zoom, size);
  const stroke = strokeOf(size);
  const { color, line = "solid" } = box;
  // The line of another box at the same place stays visible between the two lines.
  if (line === "double")
    return [doubleOffset(stroke), -doubleOffset(stroke)]
      .map((by) => outlinedSvg(grown(rect, by), color, thinStroke(stroke)))
      .join("");
  return outlinedSvg(
    rect,
    color,
    stroke,
    line === "dashed" ? ` stroke-dasharray="${stroke * 3} ${stroke * 3}"` : "",
  );
}

/** At the edge of the image, half of the line would be cut off, so the box is moved inside. */
function boxOnImage({ box_xyxy, line }: DrawnBox, zoom: number, size: Size): Rect {
  const stroke = strokeOf(size);
  const half = line === "double" ? doubleOffset(stroke) + thinStroke(stroke) / 2 : stroke / 2;
  const inset = half + 1;
  const [x1, y1, x2, y2] = box_xyxy.map((value) => value * zoom) as DrawnBox["box_xyxy"];
  const left = clamp(x1, inset, size.width - inset - 1);
  const top = clamp(y1, inset, size.height - inset - 1);
  const width = Math.max(1, Math.min(size.width - inset, x2) - left);
  const height = Math.max(1, Math.min(size.height - inset, y2) - top);
  return { left, top, width, height };
}

function strokeOf({ width, height }: Size): number {
  return Math.max(2, Math.round(Math.min(width, height) / 130));
}

function thinStroke(stroke: number): number {
  return Math.max(1.5, stroke * 0.6);
}

/** Distance of each of two lines from the edge of the box. */
function doubleOffset(stroke: number): number {
  return stroke + 1;
}

function grown({ left, top, width, height }: Rect, by: number): Rect {
  return {
    left: left - by,
    top: top - by,
    width: Math.max(1, width + 2 * by),
    height: Math.max(1, height + 2 * by),
  };
}

/** A white outline keeps the line visible on any background; the gaps between dashes stay transparent. */
function outlinedSvg(rect: Rect, color: string, stroke: number, dashes = ""): string {
  const draw = (ink: string, thickness: number): string =>
    `<rect x="${rect.left}" y="${rect.top}" width="${rect.width}" height="${rect.height}" fill="none" stroke="${ink}" stroke-width="${thickness}"${dashes}/>`;
  return draw("white", stroke + 2) + draw(color, stroke);
}

const tagFontSize = 13;
const tagHeight = 18;
/** Distance between a tag and the edge of its box. */
const tagGap = 6;

/**
 * At a corner of the box, where it covers no other tag if possible.
 *
 * @param turn tags of boxes at the same place start at different corners.
 */
function placeTag(tag: string, box: Rect, turn: number, size: Size, placed: Rect[]): Rect {
  const [first, ...others] = tagPlaces(tagWidth(tag), box, turn, size);
  const isFree = (place: Rect): boolean => !placed.some((other) => overlap(place, other));
  return [first, ...others].find(isFree) ?? first;
}

/** Inside of the image: outside of the box where there is room, then inside of it. */
function tagPlaces(width: number, box: Rect, turn: number, size: Size): [Rect, ...Rect[]] {
  const bottom = box.top + box.height;
  const above = { outside: box.top - tagHeight - tagGap, inside: box.top + tagGap };
  const below = { outside: bottom + tagGap, inside: bottom - tagHeight - tagGap };
  const right = box.left + box.width - width;
  const corners = [
    { left: box.left, ...above },
    { left: right, ...above },
    { left: box.left, ...below },
    { left: right, ...below },
  ];
  const turned = [...corners.slice(turn % 4), ...corners.slice(0, turn % 4)];
  const place = (left: number, top: number): Rect => ({
    left: clamp(left, 1, size.width - width - 1),
    top: clamp(top, 1, size.height - tagHeight - 1),
    width,
    height: tagHeight,
  });
  const outside = turned
    .filter((corner) => corner.outside >= 1 && corner.outside + tagHeight < size.height)
    .map((corner) => place(corner.left, corner.outside));
  const inside = turned.map((corner) => place(corner.left, corner.inside));
  const last = place(box.left, above.inside);
  const [first = last, ...others] = [...outside, ...inside];
  return [first, ...others];
}

function tagWidth(tag: string): number {
  return 8 + tag.length * 11;
}

function overlap(a: Rect, b: Rect): boolean {
  return (
    a.left < b.left + b.width &&
    b.left < a.left + a.width &&
    a.top < b.top + b.height &&
    b.top < a.top + a.height
  );
}

/** A tag, dark on white. */
export function tagSvg(tag: string, color: string, { left, top, width, height }: Rect): string {
  return `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="3" fill="white" stroke="${color}" stroke-width="1.5"/><text x="${left + width / 2}" y="${top + 13.5}" text-anchor="middle" font-family="DejaVu Sans" font-weight="bold" font-size="${tagFontSize}" fill="#111">${escapeXml(tag)}</text>`;
}

/** The lower limit wins if the image is too small for both. */
function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
