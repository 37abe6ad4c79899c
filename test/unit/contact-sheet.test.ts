import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { SentenceExample } from "../../src/contract/generated/types.ts";
import { writeContactSheet } from "../../src/dataset/card/contact-sheet.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const base: SentenceExample = {
  split: "val",
  sentence: "the <b> & the café on the left",
  category: "cup",
  file_name: "blue.png",
  upright: false,
  width: 88,
  height: 66,
  box_xyxy: [22, 11, 66, 55],
};
// The first cell: 24 px from the left, below the title; 440 x 330, so 5 px per image pixel.
const left = 24;
const top = 62;

test("boxes are drawn at their place in the original image, in every cell of the grid", async () => {
  const folder = await drawImages();
  const pixel = await sheetOf(
    folder,
    Array.from({ length: 4 }, () => base),
  );
  for (const cell of [left, left + 440 + 24, left + 2 * (440 + 24)]) {
    expect(pixel(cell + 44 * 5, top + 11 * 5), "top edge of the box").toEqual(ink);
    expect(pixel(cell + 22 * 5, top + 33 * 5), "left edge of the box").toEqual(ink);
    expect(pixel(cell + 44 * 5, top + 33 * 5), "center of the box").toEqual(blue);
    expect(pixel(cell + 10, top + 10), "outside the box").toEqual(blue);
  }
  expect(pixel.height).toBeGreaterThan(2 * 330);
});

test("EXIF orientation is applied if the boxes are in the upright frame", async () => {
  const folder = await drawImages();
  const oriented = { ...base, file_name: "sideways.jpg", upright: true };
  const pixel = await sheetOf(folder, [oriented]);
  expect(pixel(left + 44 * 5, top + 11 * 5)).toEqual(ink);
  // As stored it would be 66 wide and 88 high, with gray on both sides.
  expect(pixel(left + 10, top + 165)[2]).toBeGreaterThan(200);
  const asStored = await sheetOf(folder, [{ ...oriented, upright: false, width: 66, height: 88 }]);
  expect(asStored(left + 10, top + 165)).toEqual(gray);
});

test("a missing image leaves a gray cell, and the others are drawn", async () => {
  const folder = await drawImages();
  const pixel = await sheetOf(folder, [{ ...base, file_name: "missing.png" }, base]);
  expect(pixel(left + 44 * 5, top + 11 * 5)).toEqual(gray);
  expect(pixel(left + 464 + 44 * 5, top + 11 * 5)).toEqual(ink);
});

test("a long expression is cut after four lines", async () => {
  const folder = await drawImages();
  const short = await sheetOf(folder, [base]);
  const long = await sheetOf(folder, [{ ...base, sentence: "on and on ".repeat(100) }]);
  expect(long.height - short.height).toBe(3 * 23);
});

const ink = [213, 94, 0];
const blue = [0, 0, 255];
const gray = [241, 241, 241];

async function drawImages(): Promise<string> {
  const folder = tempFolder();
  const create = { width: 88, height: 66, channels: 3, background: "#0000ff" } as const;
  await sharp({ create }).png().toFile(join(folder, "blue.png"));
  const encoded = await sharp({ create }).png().toBuffer();
  await sharp(encoded)
    .rotate(-90)
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 100 })
    .toFile(join(folder, "sideways.jpg"));
  return folder;
}

async function sheetOf(
  folder: string,
  examples: SentenceExample[],
): Promise<((x: number, y: number) => number[]) & { height: number }> {
  const file = join(folder, "sheet.png");
  await writeContactSheet(examples, folder, "a < b", file);
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const pixel = (x: number, y: number): number[] => {
    const at = (y * info.width + x) * info.channels;
    return [...data.subarray(at, at + 3)];
  };
  return Object.assign(pixel, { height: info.height });
}
