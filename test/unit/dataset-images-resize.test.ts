import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Resize } from "../../src/contract/generated/types.ts";
import { frameOf } from "../../src/dataset/images/resize.ts";

const side = fc.integer({ min: 1, max: 20_000 });
const size = fc.integer({ min: 1, max: 2048 });
const resize = fc.constantFrom<Resize>("squash", "letterbox");

describe("the frame of an image", () => {
  test("squash fills the square, whatever the aspect ratio", () => {
    fc.assert(
      fc.property(side, side, size, (width, height, image_size_px) => {
        const frame = frameOf(width, height, image_size_px, "squash");
        expect(frame).toMatchObject({ left_px: 0, top_px: 0, resized_width: image_size_px });
        expectNear(mappedCorner(width, height, frame), [image_size_px, image_size_px]);
      }),
    );
  });

  test("letterbox keeps the aspect ratio to a pixel, touches two edges, and centers the image", () => {
    fc.assert(
      fc.property(side, side, size, (width, height, image_size_px) => {
        const frame = frameOf(width, height, image_size_px, "letterbox");
        const { resized_width, resized_height, left_px, top_px } = frame;
        expect(Math.max(resized_width, resized_height)).toBe(image_size_px);
        expect(Math.min(resized_width, resized_height)).toBeGreaterThanOrEqual(1);
        const shorter = (image_size_px * Math.min(width, height)) / Math.max(width, height);
        expect(Math.abs(Math.min(resized_width, resized_height) - Math.max(1, shorter))).toBeLessThanOrEqual(
          0.5,
        );
        expect(Math.abs(image_size_px - resized_width - 2 * left_px)).toBeLessThanOrEqual(1);
        expect(Math.abs(image_size_px - resized_height - 2 * top_px)).toBeLessThanOrEqual(1);
        expectNear(mappedCorner(width, height, frame), [left_px + resized_width, top_px + resized_height]);
      }),
    );
  });

  test("offsets and resized sizes are whole pixels, and the image stays inside the square", () => {
    fc.assert(
      fc.property(side, side, size, resize, (width, height, image_size_px, mode) => {
        const frame = frameOf(width, height, image_size_px, mode);
        const { left_px, top_px, resized_width, resized_height } = frame;
        for (const value of [left_px, top_px, resized_width, resized_height])
          expect(Number.isInteger(value)).toBe(true);
        expect(left_px).toBeGreaterThanOrEqual(0);
        expect(top_px).toBeGreaterThanOrEqual(0);
        for (const value of mappedCorner(width, height, frame))
          expect(value).toBeLessThanOrEqual(image_size_px * (1 + 1e-12));
      }),
    );
  });
});

/** Where the image's lower right corner lies in the square. */
function mappedCorner(width: number, height: number, frame: ReturnType<typeof frameOf>): [number, number] {
  return [width * frame.scale_x + frame.left_px, height * frame.scale_y + frame.top_px];
}

/** To 1e-9 of the largest value: adding the offset loses digits. */
function expectNear(values: [number, number], expected: [number, number]): void {
  const scale = Math.max(1, ...expected);
  values.forEach((value, index) => {
    expect(Math.abs(value - (expected[index] ?? Number.NaN))).toBeLessThanOrEqual(1e-9 * scale);
  });
}
