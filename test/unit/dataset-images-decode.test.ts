import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sharp } from "sharp";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { BoxXyxy, PreparedImage, Resize, WantedImage } from "../../src/contract/generated/types.ts";
import {
  DEFAULT_MAX_PIXELS,
  type Decoded,
  type DecodeOptions,
  decode,
} from "../../src/dataset/images/decode.ts";
import { sizeInFrame } from "../../src/dataset/images/orientation.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const defaults: DecodeOptions = {
  image_size_px: 32,
  resize: "squash",
  max_pixels: DEFAULT_MAX_PIXELS,
  follow_links: false,
};
const color = { r: 200, g: 100, b: 50 };

describe("every format decodes to the colors that a viewer shows", () => {
  const rgb: [number, number, number] = [200, 100, 50];
  const gray8 = new Uint8Array(60 * 40).fill(100);
  const gray16 = new Uint16Array(60 * 40).fill(40_000);
  const rgb16 = new Uint16Array(60 * 40 * 3).map((_, index) => (rgb[index % 3] ?? 0) * 257);

  test.each<[format: string, image: () => Sharp, expected: [number, number, number], tolerance: number]>([
    ["jpeg", () => plain().jpeg({ quality: 100 }), rgb, 2],
    ["progressive jpeg", () => plain().jpeg({ quality: 100, progressive: true }), rgb, 2],
    ["gray jpeg", () => raw(gray8, 1).toColourspace("b-w").jpeg({ quality: 100 }), [100, 100, 100], 1],
    // Converted to a print profile and back, which cannot represent this blue.
    ["CMYK jpeg", () => plain().toColourspace("cmyk").jpeg({ quality: 100 }), rgb, 30],
    ["png", () => plain().png(), rgb, 0],
    ["interlaced png", () => plain().png({ progressive: true }), rgb, 0],
    ["palette png", () => plain().png({ palette: true }), rgb, 1],
    ["16-bit gray png", () => raw(gray16, 1).toColourspace("grey16").png(), [156, 156, 156], 1],
    ["16-bit png", () => raw(rgb16, 3).toColourspace("rgb16").png(), rgb, 1],
    ["16-bit tiff", () => raw(rgb16, 3).toColourspace("rgb16").tiff({ compression: "lzw" }), rgb, 1],
    ["half transparent png", () => translucent(0.5).png(), [227, 178, 152], 1],
    ["transparent palette png", () => translucent(0).png({ palette: true }), [255, 255, 255], 0],
    ["transparent gray png", () => translucent(0).greyscale().png(), [255, 255, 255], 0],
    ["half transparent webp", () => translucent(0.5).webp({ lossless: true }), [227, 178, 152], 2],
    ["gif", () => plain().gif(), rgb, 2],
    ["tiff", () => plain().tiff({ compression: "deflate" }), rgb, 0],
    [
      "bilevel tiff",
      () => plain().threshold(10).tiff({ bitdepth: 1, compression: "lzw" }),
      [255, 255, 255],
      0,
    ],
    ["avif", () => plain().avif({ quality: 90 }), rgb, 4],
    ["a wide gamut (Display P3)", () => plain().withIccProfile("p3").jpeg({ quality: 100 }), rgb, 3],
  ])("%s", async (_, image, expected, tolerance) => {
    const { rgb: pixels, image: row } = await decodeContent(await image().toBuffer());
    expect(row).toMatchObject({ problem: null, width: 60, height: 40, upright: false });
    for (const channel of [0, 1, 2])
      expect(Math.abs((at(pixels, 16, 16)[channel] ?? -1) - (expected[channel] ?? -1))).toBeLessThanOrEqual(
        tolerance,
      );
  });

  test("the first frame of an animation", async () => {
    const frames = [color, { r: 0, g: 0, b: 255 }].map((background) =>
      sharp({ create: { width: 60, height: 40, channels: 3, background } })
        .png()
        .toBuffer(),
    );
    const animation = await sharp(await Promise.all(frames), { join: { animated: true } })
      .gif()
      .toBuffer();
    const { rgb: pixels, image } = await decodeContent(animation);
    expect(image).toMatchObject({ width: 60, height: 40 });
    expect(at(pixels, 16, 16)[2]).toBeLessThan(60);
  });
});

describe("EXIF orientation", () => {
  /** Per orientation: where the top left corner of the stored image is after turning it upright. */
  const corners: [orientation: number, x: number, y: number][] = [
    [1, 4, 4],
    [2, 27, 4],
    [3, 27, 27],
    [4, 4, 27],
    [5, 4, 4],
    [6, 27, 4],
    [7, 27, 27],
    [8, 4, 27],
  ];

  test.each(corners)("%i is applied if no size is recorded", async (orientation, x, y) => {
    const { rgb, image } = await decodeContent(await oriented(orientation));
    expect(image).toMatchObject(orientation > 4 ? { width: 40, height: 60 } : { width: 60, height: 40 });
    expect(image.upright).toBe(orientation > 1);
    expect(isWhite(rgb, x, y)).toBe(true);
  });

  test.each(corners.slice(4))("%i is ignored if the recorded size is the stored one", async (orientation) => {
    const { rgb, image } = await decodeContent(await oriented(orientation), { width: 60, height: 40 });
    expect(image).toMatchObject({ width: 60, height: 40, upright: false, orientation, problem: null });
    expect(isWhite(rgb, 4, 4)).toBe(true);
  });

  test.each(
    corners.slice(1, 4),
  )("%i is applied if the recorded size fits both frames, as without a size", async (orientation, x, y) => {
    const content = await oriented(orientation);
    for (const size of [{ width: 60, height: 40 }, {}]) {
      const { rgb, image } = await decodeContent(content, size);
      expect(image).toMatchObject({ width: 60, height: 40, upright: true, orientation, problem: null });
      expect(isWhite(rgb, x, y)).toBe(true);
    }
  });

  test("the frame may be chosen, whatever the recorded size", () => {
    const header = { width: 60, height: 40, orientation: 6 };
    const stored = { width: 60, height: 40, upright: false, orientation: 6 };
    const upright = { width: 40, height: 60, upright: true, orientation: 6 };
    for (const recorded of [
      { width: 60, height: 40 },
      { width: 40, height: 60 },
      { width: null, height: null },
    ]) {
      expect(sizeInFrame(header, recorded, "stored")).toEqual(stored);
      expect(sizeInFrame(header, recorded, "upright")).toEqual(upright);
    }
    expect(() => sizeInFrame(header, { width: 61, height: 40 }, "upright")).toThrow(
      /61 x 40 pixels, found 60 x 40/,
    );
    const plainHeader = { width: 60, height: 40 };
    expect(sizeInFrame(plainHeader, plainHeader, "upright")).toEqual({
      width: 60,
      height: 40,
      upright: false,
    });
  });

  test("square images of COCO keep the stored frame, in which its boxes are", () => {
    const header = { width: 50, height: 50, orientation: 6 };
    const recorded = { width: 50, height: 50 };
    expect(sizeInFrame(header, recorded, "by_size_or_stored").upright).toBe(false);
    expect(sizeInFrame(header, recorded).upright).toBe(true);
  });

  test.each(
    corners.slice(4),
  )("%i is applied if the recorded size is the upright one", async (orientation, x, y) => {
    const { rgb, image } = await decodeContent(await oriented(orientation), { width: 40, height: 60 });
    expect(image).toMatchObject({ width: 40, height: 60, upright: true, problem: null });
    expect(isWhite(rgb, x, y)).toBe(true);
  });

  test("any other recorded size is a problem", async () => {
    const { image, rgb } = await decodeContent(await oriented(6), { width: 61, height: 40 });
    expect(rgb).toBeNull();
    expect(image.problem).toMatch(/61 x 40 pixels, found 60 x 40/);
  });

  /** White in the top left corner as stored, black elsewhere. */
  async function oriented(orientation: number): Promise<Buffer> {
    const patch = await sharp({ create: { width: 20, height: 14, channels: 3, background: "white" } })
      .png()
      .toBuffer();
    return plain("black")
      .composite([{ input: patch, left: 0, top: 0 }])
      .withMetadata({ orientation })
      .jpeg({ quality: 100 })
      .toBuffer();
  }
});

describe("boxes match the pixels to within a pixel", () => {
  test.each<[width: number, height: number, image_size_px: number, resize: Resize]>([
    [640, 480, 224, "squash"],
    [640, 480, 224, "letterbox"],
    [333, 500, 336, "letterbox"],
    [640, 427, 448, "squash"],
    [100, 60, 224, "squash"],
    [100, 60, 224, "letterbox"],
    [60, 900, 224, "squash"],
    [3, 700, 64, "letterbox"],
  ])("%i x %i to %i, %s", async (width, height, image_size_px, resize) => {
    const box: BoxXyxy = [
      Math.floor(width * 0.3),
      Math.floor(height * 0.55),
      Math.ceil(width * 0.6),
      Math.ceil(height * 0.9),
    ];
    const [left, top, right, bottom] = box;
    const size = { width: right - left, height: bottom - top, channels: 3 as const };
    const patch = await sharp({ create: { ...size, background: "white" } })
      .png()
      .toBuffer();
    const content = await sharp({ create: { width, height, channels: 3, background: "black" } })
      .composite([{ input: patch, left, top }])
      .png()
      .toBuffer();
    const { rgb, image } = await decodeContent(content, {}, { image_size_px, resize });
    const expected = toPrepared(box, image);
    whiteBox(rgb, image_size_px).forEach((value, index) => {
      expect(Math.abs(value - (expected[index] ?? Number.NaN))).toBeLessThanOrEqual(0.75);
    });
  });

  test("a letterbox is padded with CLIP's mean color", async () => {
    const { rgb } = await decodeContent(await plain().png().toBuffer(), {}, { resize: "letterbox" });
    expect(at(rgb, 16, 0)).toEqual([122, 116, 104]);
    expect(at(rgb, 16, 31)).toEqual([122, 116, 104]);
    expect(at(rgb, 0, 16)).toEqual([200, 100, 50]);
  });
});

test.each<[what: string, resize: Resize, width: number, height: number]>([
  ["shrunk", "squash", 640, 480],
  ["enlarged", "squash", 100, 60],
  ["shrunk in width and enlarged in height", "squash", 640, 90],
  ["a single column of pixels", "squash", 1, 300],
  ["shrunk into a letterbox", "letterbox", 640, 427],
  ["enlarged into a letterbox", "letterbox", 60, 101],
])("resizing matches Pillow's bicubic filter, which CLIP was trained with: %s", async (_, resize, width, height) => {
  const noise = { type: "gaussian", mean: 128, sigma: 60 } as const;
  const background = { r: 0, g: 0, b: 0 };
  const content = await sharp({ create: { width, height, channels: 3, background, noise } })
    .blur(1)
    .png()
    .toBuffer();
  const { rgb } = await decodeContent(content, {}, { image_size_px: 224, resize });
  const file = join(tempFolder(), "image.png");
  writeFileSync(file, content);
  const code = `import sys
from PIL import Image
image = Image.open(sys.argv[1]).convert("RGB")
scale = 224 / max(image.size) if sys.argv[2] == "letterbox" else None
width, height = (224, 224) if scale is None else (round(side * scale) for side in image.size)
square = Image.new("RGB", (224, 224), tuple(int(255 * mean) for mean in (0.48145466, 0.4578275, 0.40821073)))
square.paste(image.resize((width, height), Image.BICUBIC), ((224 - width) // 2, (224 - height) // 2))
sys.stdout.buffer.write(square.tobytes())`;
  const pillow = execFileSync(testPython(), ["-c", code, file, resize]);
  const differences = [...pillow].map((value, index) => Math.abs(value - (rgb?.[index] ?? Number.NaN)));
  expect(differences).toHaveLength(224 * 224 * 3);
  expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.3);
  // libvips computes in fixed point.
  expect(Math.max(...differences.slice(0, 50_000))).toBeLessThanOrEqual(8);
});

describe("a bad image has a problem and no pixels", () => {
  test("more pixels than the limit, checked in the header alone", async () => {
    const { image } = await decodeContent(await plain().png().toBuffer(), {}, { max_pixels: 2399 });
    expect(image.problem).toMatch(/at most 2,399 pixels, found 60 x 40.*--max-pixels/);
    const bomb = Buffer.from(await plain().png().toBuffer());
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    bomb.writeUInt32BE(0, 29); // The header's checksum is now wrong as well.
    expect((await decodeContent(bomb)).image.problem).toMatch(/^expected /);
  });

  test.each<[what: string, content: () => Promise<Buffer>]>([
    ["a truncated jpeg", async () => truncated(await noise().jpeg().toBuffer())],
    [
      "a truncated progressive jpeg",
      async () => truncated(await noise().jpeg({ progressive: true }).toBuffer()),
    ],
    ["a truncated png", async () => truncated(await noise().png().toBuffer())],
    ["a truncated webp", async () => truncated(await noise().webp().toBuffer())],
    ["a truncated gif", async () => truncated(await noise().gif().toBuffer())],
    ["a truncated tiff", async () => truncated(await noise().tiff().toBuffer())],
    ["a truncated avif", async () => truncated(await noise().avif().toBuffer())],
    ["text", async () => Buffer.from("404 Not Found")],
    ["a png with a wrong checksum", async () => corrupted(await noise().png().toBuffer())],
  ])("%s", async (_, content) => {
    const { image, rgb } = await decodeContent(await content());
    expect(rgb).toBeNull();
    expect(image.problem).toMatch(
      /^expected [^\n]*\bjpeg, png, webp, gif, tiff or avif\b[^\n]* broken [^\n]+$/,
    );
  });

  test.each<[what: string, bytes: string]>([
    ["HEIC", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"],
    ["HEIC", "\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1miafheic"],
    ["TGA", "\x00\x00\x02\x00\x00\x00\x00\x00"],
    ["BMP", "BM\x36\x00\x00\x00"],
    ["JPEG 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n"],
    ["JPEG 2000", "\xff\x4f\xff\x51\x00\x2f"],
    ["JPEG XL", "\xff\x0a\x00"],
    ["SVG", '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made by hand -->\n<svg>'],
    ["PDF", "%PDF-1.7"],
    ["Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:00"],
    ["empty file", ""],
    ["HTML", "\n<!doctype HTML><html>"],
    ["Photoshop", "8BPS\x00\x01"],
    ["zip archive", "PK\x03\x04"],
    ["video", "\x00\x00\x00\x18ftypmp42"],
  ])("a file that is no image is named by its content: %s", async (what, bytes) => {
    const { image } = await decodeContent(Buffer.from(bytes, "latin1"));
    expect(image.problem).toContain(what);
    expect(image.problem).toMatch(/^expected jpeg, png, webp, gif, tiff or avif, found /);
  });

  test("an svg, an html error page and a float tiff are named", async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>');
    expect((await decodeContent(svg)).image.problem).toMatch(/found an SVG drawing; convert/);
    const page = Buffer.from("\n <!doctype html><p>404 Not Found</p>");
    expect((await decodeContent(page)).image.problem).toMatch(/found an HTML page/);
    expect((await decodeContent(floatTiff())).image.problem).toMatch(/8 or 16 bits .*found float/);
  });
});

function plain(background: string | typeof color = color): Sharp {
  return sharp({ create: { width: 60, height: 40, channels: 3, background } });
}

function translucent(alpha: number): Sharp {
  return sharp({ create: { width: 60, height: 40, channels: 4, background: { ...color, alpha } } });
}

function noise(): Sharp {
  const data = Buffer.from(
    Array.from({ length: 120 * 90 * 3 }, (_, index) => (index * 7919 * (index % 13)) % 256),
  );
  return sharp(data, { raw: { width: 120, height: 90, channels: 3 } });
}

function raw(values: Uint8Array | Uint16Array, channels: 1 | 3): Sharp {
  return sharp(values, { raw: { width: 60, height: 40, channels } });
}

/** A TIFF with one pixel, a 32-bit float. */
function floatTiff(): Buffer {
  const tags: [tag: number, type: 3 | 4, value: number][] = [
    [256, 4, 1],
    [257, 4, 1],
    [258, 3, 32],
    [259, 3, 1],
    [262, 3, 1],
    [273, 4, 8],
    [277, 3, 1],
    [278, 4, 1],
    [279, 4, 4],
    [339, 3, 3],
  ];
  const content = Buffer.alloc(12 + 2 + tags.length * 12 + 4);
  content.write("II*\0", "latin1");
  content.writeUInt32LE(12, 4);
  content.writeFloatLE(0.5, 8);
  content.writeUInt16LE(tags.length, 12);
  tags.forEach(([tag, type, value], index) => {
    const at = 14 + index * 12;
    content.writeUInt16LE(tag, at);
    content.writeUInt16LE(type, at + 2);
    content.writeUInt32LE(1, at + 4);
    content.writeUInt32LE(value, at + 8);
  });
  return content;
}

function truncated(content: Buffer): Buffer {
  return content.subarray(0, Math.floor(content.length * 0.6));
}

function corrupted(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  const middle = Math.floor(copy.length / 2);
  copy.writeUInt8(copy.readUInt8(middle) ^ 0xff, middle);
  return copy;
}

function decodeContent(
  content: Buffer,
  recorded: Partial<WantedImage> = {},
  options: Partial<DecodeOptions> = {},
): Promise<Decoded> {
  const wanted = { image_id: 1, file_name: join("a", "b.jpg"), width: null, height: null, ...recorded };
  return decode({ content, problem: null, bytes: content.length, mtime_ms: 1 }, wanted, {
    ...defaults,
    ...options,
  });
}

function at(rgb: Buffer | null, x: number, y: number, size = 32): number[] {
  return [...(rgb ?? Buffer.alloc(0)).subarray((y * size + x) * 3, (y * size + x) * 3 + 3)];
}

function isWhite(rgb: Buffer | null, x: number, y: number): boolean {
  return at(rgb, x, y).every((value) => value > 200);
}

/** The box in prepared pixels. */
function toPrepared(
  [x1, y1, x2, y2]: BoxXyxy,
  { scale_x, scale_y, left_px, top_px }: PreparedImage,
): BoxXyxy {
  return [x1 * scale_x + left_px, y1 * scale_y + top_px, x2 * scale_x + left_px, y2 * scale_y + top_px];
}

/** The edges of the white area with subpixel accuracy: the brightness of an edge pixel is the part of it that is covered. */
function whiteBox(rgb: Buffer | null, size: number): BoxXyxy {
  const light = (x: number, y: number): number => (at(rgb, x, y, size)[0] ?? 0) / 255;
  const columns = Array.from({ length: size }, (_, x) =>
    Math.max(...Array.from({ length: size }, (_, y) => (isPadding(x, y) ? 0 : light(x, y)))),
  );
  const rows = Array.from({ length: size }, (_, y) =>
    Math.max(...Array.from({ length: size }, (_, x) => (isPadding(x, y) ? 0 : light(x, y)))),
  );
  const [left, right] = edges(columns);
  const [top, bottom] = edges(rows);
  return [left, top, right, bottom];

  function isPadding(x: number, y: number): boolean {
    const [r, g, b] = at(rgb, x, y, size);
    return r === 122 && g === 116 && b === 104;
  }
}

function edges(profile: number[]): [number, number] {
  const first = profile.findIndex((value) => value > 0.5);
  const last = profile.findLastIndex((value) => value > 0.5);
  const before = Math.min(1, Math.max(0, profile[first - 1] ?? 0));
  const after = Math.min(1, Math.max(0, profile[last + 1] ?? 0));
  return [
    first + 1 - Math.min(1, profile[first] ?? 0) - before,
    last + Math.min(1, profile[last] ?? 0) + after,
  ];
}
