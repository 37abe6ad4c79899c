import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoxXyxy, Resize } from "../../src/contract/generated/types.ts";
import { frameOf, toFrame, toImage } from "../../src/dataset/geometry.ts";

const side = fc.integer({ min: 1, max: 20_000 });
const size = fc.integer({ min: 1, max: 2048 });
const resize = fc.constantFrom<Resize>("squash", "letterbox");
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe("an image in its square", () => {
  test("a squashed one fills it, whatever its shape", () => {
    fc.assert(
      fc.property(side, side, size, (width, height, image_size_px) => {
        const frame = frameOf(width, height, image_size_px, "squash");
        expect(frame).toMatchObject({ left_px: 0, top_px: 0, resized_width: image_size_px });
        near(toFrame([0, 0, width, height], frame), [0, 0, image_size_px, image_size_px]);
      }),
    );
  });

  test("a letterboxed one keeps its shape to a pixel, touches two edges, and lies in the middle", () => {
    fc.assert(
      fc.property(side, side, size, (width, height, image_size_px) => {
        const frame = frameOf(width, height, image_size_px, "letterbox");
        const { resized_width, resized_height, left_px, top_px } = frame;
        expect(Math.max(resized_width, resized_height)).toBe(image_size_px);
        expect(Math.min(resized_width, resized_height)).toBeGreaterThanOrEqual(1);
        const shape = (image_size_px * Math.min(width, height)) / Math.max(width, height);
        expect(Math.abs(Math.min(resized_width, resized_height) - Math.max(1, shape))).toBeLessThanOrEqual(
          0.5,
        );
        expect(Math.abs(image_size_px - resized_width - 2 * left_px)).toBeLessThanOrEqual(1);
        expect(Math.abs(image_size_px - resized_height - 2 * top_px)).toBeLessThanOrEqual(1);
        const corners = toFrame([0, 0, width, height], frame);
        near(corners, [left_px, top_px, left_px + resized_width, top_px + resized_height]);
      }),
    );
  });

  test("offsets and resized sizes are whole pixels", () => {
    fc.assert(
      fc.property(side, side, size, resize, (width, height, image_size_px, how) => {
        const { left_px, top_px, resized_width, resized_height } = frameOf(width, height, image_size_px, how);
        for (const value of [left_px, top_px, resized_width, resized_height])
          expect(Number.isInteger(value)).toBe(true);
      }),
    );
  });
});

describe("boxes", () => {
  const box = fc.tuple(share, share, share, share);

  test("there and back are the same", () => {
    fc.assert(
      fc.property(side, side, size, resize, box, (width, height, image_size_px, how, [a, b, c, d]) => {
        const frame = frameOf(width, height, image_size_px, how);
        const original: BoxXyxy = [a * width, b * height, c * width, d * height];
        near(toImage(toFrame(original, frame), frame), original);
      }),
      { numRuns: 1000 },
    );
  });

  test("inside of the image are inside of the square", () => {
    fc.assert(
      fc.property(side, side, size, resize, box, (width, height, image_size_px, how, [a, b, c, d]) => {
        const frame = frameOf(width, height, image_size_px, how);
        for (const value of toFrame([a * width, b * height, c * width, d * height], frame)) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(image_size_px * (1 + 1e-12));
        }
      }),
    );
  });
});

/** To 1e-9 of the largest side that occurs: offsets cost digits. */
function near(found: BoxXyxy, expected: BoxXyxy): void {
  const scale = Math.max(1, ...expected.map(Math.abs));
  found.forEach((value, index) => {
    expect(Math.abs(value - (expected[index] ?? Number.NaN))).toBeLessThanOrEqual(1e-9 * scale);
  });
}
