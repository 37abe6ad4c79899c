import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wrapText } from "../../src/base/format.ts";
import { loadSharp } from "../../src/base/sharp.ts";
import { captionSvg } from "../../src/report/caption.ts";
import { checkImage, drawBoxes, sideBySide } from "../../src/report/draw.ts";

const folder = mkdtempSync(join(tmpdir(), "cliprpn-draw-"));
const picture = join(folder, "grey.png");

beforeAll(async () => {
  await loadSharp(); // First, with the fonts of its captions.
  await sharp({ create: { width: 200, height: 100, channels: 3, background: "#808080" } }).toFile(picture);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** [r, g, b] of a pixel. */
async function pixel(file: string, x: number, y: number): Promise<number[]> {
  return [
    ...(await sharp(file).extract({ left: x, top: y, width: 1, height: 1 }).removeAlpha().raw().toBuffer()),
  ];
}

test("a box's line lies on its edges, in the image's own pixels", async () => {
  const out = join(folder, "box.png");
  await drawBoxes(picture, [{ box_xyxy: [50, 20, 150, 80], color: "#ff0000" }], out);
  expect(await sharp(out).metadata()).toMatchObject({ width: 200, height: 100 });
  expect(await pixel(out, 100, 20)).toEqual([255, 0, 0]);
  expect(await pixel(out, 50, 50)).toEqual([255, 0, 0]);
  expect(await pixel(out, 100, 50)).toEqual([128, 128, 128]);
});

test("a box at the image's edge, or beyond it, keeps its whole line", async () => {
  const out = join(folder, "edge.png");
  await drawBoxes(picture, [{ box_xyxy: [-5, 0, 200, 100], color: "#ff0000" }], out);
  for (const [x, y] of [
    [2, 50],
    [197, 50],
    [100, 2],
    [100, 97],
  ] as const)
    expect(await pixel(out, x, y)).toEqual([255, 0, 0]);
});

test("the boxes grow and shrink with the image", async () => {
  const out = join(folder, "fit.png");
  await drawBoxes(picture, [{ box_xyxy: [50, 20, 150, 80], color: "#ff0000" }], out, { fit: 400 });
  expect(await sharp(out).metadata()).toMatchObject({ width: 400, height: 200 });
  expect(await pixel(out, 200, 40)).toEqual([255, 0, 0]);
});

test("the same drawing has the same bytes; hostile words are only words", async () => {
  const caption = {
    sentence: "</text><script>alert('&')</script> of a very long sentence that has to stand in several lines",
    legend: [{ text: "film: IoU 0.50", color: "#0072b2" }],
  };
  const files = ["one.png", "two.png"].map((name) => join(folder, name));
  for (const file of files) await drawBoxes(picture, [], file, { caption });
  const [one, two] = files.map((file) => readFileSync(file));
  expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
  const { height } = await sharp(files[0] ?? "").metadata();
  expect(height).toBe(100 + captionSvg(caption, 200).height);
  await sideBySide(files, join(folder, "pair.png"));
  expect(await sharp(join(folder, "pair.png")).metadata()).toMatchObject({ width: 412, height });
});

test.each([
  ["one two three", 7, ["one two", "three"]],
  ["abcdefghij", 4, ["abcd", "efgh", "ij"]],
  ["", 4, []],
])("%j in lines of %i", (text, columns, lines) => {
  expect(wrapText(text, columns)).toEqual(lines);
});

test("what is no image is named", async () => {
  writeFileSync(join(folder, "text.jpg"), "hello");
  await expect(checkImage(join(folder, "text.jpg"))).rejects.toThrow(/text\.jpg: expected an image \(JPEG/);
  await expect(checkImage(join(folder, "none.jpg"))).rejects.toThrow(
    /none\.jpg: expected an image, found no file/,
  );
  await checkImage(picture);
});
