import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { wrapText } from "../../src/base/format.ts";
import { loadSharp } from "../../src/base/sharp.ts";
import { type Caption, checkImage, drawBoxes, joinSideBySide } from "../../src/report/draw.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("draw");
const image = join(folder, "gray.png");

beforeAll(async () => {
  await loadSharp(); // Before any other use of sharp: it sets the fonts of captions.
  await sharp({ create: { width: 200, height: 100, channels: 3, background: "#808080" } }).toFile(image);
});

/** [r, g, b] of a pixel. */
async function pixel(file: string, x: number, y: number): Promise<number[]> {
  return [
    ...(await sharp(file).extract({ left: x, top: y, width: 1, height: 1 }).removeAlpha().raw().toBuffer()),
  ];
}

test("the line of a box is on its edges, in pixels of the image", async () => {
  const out = join(folder, "box.png");
  await drawBoxes(image, [{ box_xyxy: [50, 20, 150, 80], color: "#ff0000" }], out);
  expect(await sharp(out).metadata()).toMatchObject({ width: 200, height: 100 });
  expect(await pixel(out, 100, 20)).toEqual([255, 0, 0]);
  expect(await pixel(out, 50, 50)).toEqual([255, 0, 0]);
  expect(await pixel(out, 100, 50)).toEqual([128, 128, 128]);
});

test("a box at or beyond the edge of the image keeps its whole line", async () => {
  const out = join(folder, "edge.png");
  await drawBoxes(image, [{ box_xyxy: [-5, 0, 200, 100], color: "#ff0000" }], out);
  for (const [x, y] of [
    [2, 50],
    [197, 50],
    [100, 2],
    [100, 97],
  ] as const)
    expect(await pixel(out, x, y)).toEqual([255, 0, 0]);
});

test("boxes are scaled with the image", async () => {
  const out = join(folder, "fit.png");
  await drawBoxes(image, [{ box_xyxy: [50, 20, 150, 80], color: "#ff0000" }], out, { fit: 400 });
  expect(await sharp(out).metadata()).toMatchObject({ width: 400, height: 200 });
  expect(await pixel(out, 200, 40)).toEqual([255, 0, 0]);
});

test("a caption with markup characters is drawn as text, with the same bytes each time", async () => {
  const caption = {
    sentence: "</text><script>alert('&')</script> in a long sentence that needs several lines",
    legend: [{ text: "film: IoU 0.50", color: "#0072b2" }],
  };
  const draw = async (name: string, options: { caption: Caption }): Promise<string> => {
    await drawBoxes(image, [], join(folder, name), options);
    return join(folder, name);
  };
  const [first, second] = [await draw("first.png", { caption }), await draw("second.png", { caption })];
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  const short = await draw("short.png", { caption: { ...caption, sentence: "the cup" } });
  const [{ height }, { height: shortHeight }] = [
    await sharp(first).metadata(),
    await sharp(short).metadata(),
  ];
  expect(shortHeight).toBeGreaterThan(100);
  expect(height).toBeGreaterThan(shortHeight + 40); // At least three more lines.
  await joinSideBySide([short, first], join(folder, "pair.png"));
  expect(await sharp(join(folder, "pair.png")).metadata()).toMatchObject({ width: 412, height });
});

test.each([
  ["one two three", 7, ["one two", "three"]],
  ["abcdefghij", 4, ["abcd", "efgh", "ij"]],
  ["", 4, []],
])("%j wrapped to %i columns", (text, columns, lines) => {
  expect(wrapText(text, columns)).toEqual(lines);
});

test("a file that is not an image is named", async () => {
  writeFileSync(join(folder, "text.jpg"), "hello");
  await expect(checkImage(join(folder, "text.jpg"))).rejects.toThrow(/text\.jpg: expected an image \(JPEG/);
  await expect(checkImage(join(folder, "none.jpg"))).rejects.toThrow(
    /none\.jpg: expected an image, found no file/,
  );
  await checkImage(image);
});
