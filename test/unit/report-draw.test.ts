import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { wrapLines, wrapText } from "../../src/base/format.ts";
import { shortLine } from "../../src/base/plain-text.ts";
import { loadSharp } from "../../src/base/sharp.ts";
import { boxesSvg, type DrawnBox } from "../../src/report/images/boxes-svg.ts";
import type { Caption } from "../../src/report/images/caption-svg.ts";
import { checkImage, drawBoxes, joinSideBySide } from "../../src/report/images/draw-boxes.ts";
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

/** The colors on a horizontal line through the left edge of a box at x = 50, outwards in both directions. */
async function acrossEdge(box: Omit<DrawnBox, "box_xyxy" | "color">): Promise<string> {
  const out = join(folder, "line.png");
  await drawBoxes(image, [{ box_xyxy: [50, 20, 150, 80], color: "#ff0000", ...box }], out);
  const names: Record<string, string> = { "255,0,0": "r", "255,255,255": "w", "128,128,128": "." };
  const colors: string[] = [];
  for (let x = 40; x < 60; x++) colors.push(names[(await pixel(out, x, 50)).join()] ?? "?");
  return colors.join("");
}

test("boxes can be told apart without color: solid, double and dashed", async () => {
  expect((await acrossEdge({ line: "solid" })).match(/r+/g)).toHaveLength(1);
  // The image, or another box at the same place, is visible between the two lines.
  expect(await acrossEdge({ line: "double" })).toMatch(/^\.+[^.]+\.+[^.]+\.+$/);
  const out = join(folder, "dashed.png");
  await drawBoxes(image, [{ box_xyxy: [50, 20, 150, 80], color: "#ff0000", line: "dashed" }], out);
  const alongEdge: string[] = [];
  for (let x = 55; x < 145; x++) alongEdge.push((await pixel(out, x, 20)).join());
  const runs = alongEdge.filter((color, index) => color !== alongEdge[index - 1]);
  expect(runs.filter((color) => color === "255,0,0").length).toBeGreaterThan(4);
  expect(runs.filter((color) => color === "128,128,128").length).toBeGreaterThan(4);
});

test("tags of boxes at the same place do not cover each other, and stay in the image", async () => {
  const box_xyxy: DrawnBox["box_xyxy"] = [40, 30, 160, 70];
  const tags = (boxes: DrawnBox[]): { x: number; y: number; width: number; height: number }[] =>
    [
      ...boxesSvg(boxes, 1, { width: 200, height: 100 }).matchAll(
        /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" rx/g,
      ),
    ].map(([, ...numbers]) => {
      const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
      return { x, y, width, height };
    });
  for (const box of [box_xyxy, [-9, -9, 300, 300], [0, 0, 1, 1], [199, 99, 200, 100]] as const) {
    const drawn = tags(["A", "B", "GT"].map((tag) => ({ box_xyxy: [...box], color: "#ff0000", tag })));
    expect(drawn).toHaveLength(3);
    for (const [index, a] of drawn.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(0);
      expect(a.y).toBeGreaterThanOrEqual(0);
      expect(a.x + a.width).toBeLessThanOrEqual(200);
      expect(a.y + a.height).toBeLessThanOrEqual(100);
      if (box !== box_xyxy) continue;
      for (const b of drawn.slice(index + 1))
        expect(
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y,
        ).toBe(true);
    }
  }
});

test.each([
  ["a very wide one", 3000, 20],
  ["a very narrow one", 20, 3000],
  ["one pixel", 1, 1],
])("%s can be drawn with a caption", async (name, width, height) => {
  const file = join(folder, `${width}-${height}.png`);
  await sharp({ create: { width, height, channels: 3, background: "#808080" } }).toFile(file);
  const out = join(folder, "drawn.png");
  const legend = [{ text: name, color: "#0072b2", tag: "A" }];
  const box: DrawnBox = { box_xyxy: [0, 0, width, height], color: "#0072b2", line: "double", tag: "A" };
  await drawBoxes(file, [box], out, { fit: 480, caption: { sentence: name, legend } });
  const drawn = await sharp(out).metadata();
  expect(drawn.width).toBeGreaterThanOrEqual(320);
  expect(drawn.width).toBeLessThanOrEqual(480);
});

const hostile = [
  "",
  " ",
  "\u0000\u0007\u001b[31mred\u001b[0m\u0085",
  "\ud800 \udfff \ufffe \uffff",
  "\u202eevil\u202c \u2066isolated\u2069",
  "הכוס האדומה משמאל",
  "الكوب الأحمر",
  "😀👩‍👩‍👧‍👦🏳️‍🌈 the cup",
  "红色的杯子".repeat(40),
  `z${"\u0301".repeat(500)}`,
  "]]></text></svg><!--",
  "&lt;&#0;&bogus;",
  "word ".repeat(2000),
  "w".repeat(20_000),
];

test("any text can be drawn, in a few lines", async () => {
  for (const text of hostile) {
    const out = join(folder, "hostile.png");
    const legend = [{ text, color: "#0072b2", tag: "A" }];
    await drawBoxes(image, [], out, { caption: { note: text, sentence: text, legend } });
    expect((await sharp(out).metadata()).height).toBeLessThanOrEqual(100 + 2 * 8 + 7 * 21);
  }
});

test("an expression in an image's description is one short line without control characters", () => {
  for (const text of hostile) {
    const line = shortLine(text, 200);
    expect(line).toMatch(/^[^\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]*$/u);
    expect([...line].length).toBeLessThanOrEqual(203);
  }
  expect(shortLine("the cup\n\n# left of\tit", 200)).toBe("the cup # left of it");
  expect(shortLine(`${"a".repeat(300)}b`, 200)).toBe(`${"a".repeat(100)} … ${"a".repeat(99)}b`);
});

test.each([
  ["one two three", 7, 2, ["one two", "three"]],
  ["one two three", 7, 1, ["one t …"]],
  ["one \n\n  two", 3, 2, ["one", "two"]],
  ["😀".repeat(9), 4, 2, ["😀😀😀😀", "😀😀 …"]],
])("%j in %i columns and %i lines", (text, columns, maxLines, lines) => {
  expect(wrapLines(text, columns, maxLines)).toEqual(lines);
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
  expect(await sharp(join(folder, "pair.png")).metadata()).toMatchObject({ width: 2 * 320 + 12, height });
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

test.skipIf(!existsSync("/dev/full"))("a full disk is an error with a code", async () => {
  const full = join(folder, "full.png");
  symlinkSync("/dev/full", full);
  await expect(drawBoxes(image, [], full)).rejects.toMatchObject({ code: "ENOSPC" });
  await expect(joinSideBySide([image, image], full)).rejects.toMatchObject({ code: "ENOSPC" });
});

test.each(["png", "jpeg", "webp"])("an image is written as %s by its extension", async (format) => {
  const out = join(folder, `by-extension.${format}`);
  await drawBoxes(image, [], out);
  expect((await sharp(out).metadata()).format).toBe(format);
});
