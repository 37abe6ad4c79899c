/** Answers of made models: of each the number of hits, and the IoU of every hit, are known by construction. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

export type Box = [number, number, number, number];

export interface MadeExpression {
  sent_id: number;
  image: string;
  sentence: string;
  split: string;
  /** Of the image, pixels. */
  size: [width: number, height: number];
  /** Xyxy, pixels; whole numbers also from 0 to 1000. */
  box: Box;
}

/** Sizes that differ in aspect ratio, so that a wrong frame or order of the coordinates shows. */
const sizes: [number, number][] = [
  [200, 100],
  [100, 200],
  [200, 200],
];

/** `numbers.length` splits with so many expressions, one per image, and their images. */
export async function makeExpressions(
  folder: string,
  numbers: Record<string, number>,
): Promise<MadeExpression[]> {
  mkdirSync(join(folder, "photos"), { recursive: true });
  const expressions: MadeExpression[] = [];
  for (const [split, number] of Object.entries(numbers))
    for (let index = 0; index < number; index += 1) {
      const sent_id = expressions.length;
      const size = sizes[index % sizes.length] ?? [200, 100];
      const image = `${sent_id}.png`;
      const background = { r: (sent_id * 7) % 256, g: (sent_id * 31) % 256, b: 90 };
      await sharp({ create: { width: size[0], height: size[1], channels: 3, background } })
        .png()
        .toFile(join(folder, "photos", image));
      const x = 4 + 2 * (index % 8);
      const box: Box = [x, 10, x + 60, 50];
      expressions.push({ sent_id, image, sentence: `the thing | number ${sent_id}`, split, size, box });
    }
  for (const split of Object.keys(numbers)) {
    const rows = expressions.filter((each) => each.split === split);
    writeFileSync(
      join(folder, `${split}.jsonl`),
      rows.map(({ size: _, ...row }) => `${JSON.stringify(row)}\n`).join(""),
    );
  }
  return expressions;
}

/** The first `numHits` boxes with an IoU of 0.8; the others beside the object. Pixels, xyxy. */
export function madeBoxes(expressions: readonly MadeExpression[], numHits: number): Box[] {
  return expressions.map(({ box: [x1, y1, x2, y2] }, index) =>
    index < numHits ? [x1, y1, x1 + 0.8 * (x2 - x1), y2] : [x1, y2 + 10, x2, y2 + 40],
  );
}

/** Xyxy in pixels as xyxy of another frame, such as 1000 x 1000. */
export function scaled(box: Box, size: [number, number], frame: [number, number]): Box {
  const scale = (value: number, side: 0 | 1): number => (value * frame[side]) / size[side];
  return [scale(box[0], 0), scale(box[1], 1), scale(box[2], 0), scale(box[3], 1)];
}

export function xywh([x1, y1, x2, y2]: Box): Box {
  return [x1, y1, x2 - x1, y2 - y1];
}
