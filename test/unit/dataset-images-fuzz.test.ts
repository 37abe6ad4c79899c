import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { preparePixels } from "../../src/dataset/images/prepare-pixels.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const numRuns = Number(process.env.CLIPRPN_FUZZ_RUNS ?? 400);

test(
  "whatever bytes of an image change: its pixels, or one line that says what is wrong; no decoder dies of it",
  async () => {
    const images_dir = join(tempFolder(), "images");
    mkdirSync(images_dir);
    const whole = await seeds();
    const contents = [...whole, ...fc.sample(mutation(whole), { numRuns, seed: 3 })];
    contents.forEach((content, index) => {
      writeFileSync(join(images_dir, String(index)), content);
    });
    const wanted = contents.map((_, image_id) => ({
      image_id,
      file_name: String(image_id),
      width: null,
      height: null,
    }));
    const folder = join(images_dir, "../pixels");
    const manifest = await preparePixels({
      images_dir,
      wanted,
      folder,
      image_size_px: 8,
      resize: "letterbox",
      max_pixels: 1_000_000,
      follow_links: false,
    });
    const all = manifest.shards.flatMap((shard) => shard.pictures);
    expect(all).toHaveLength(contents.length);
    expect(all.slice(0, whole.length).filter(({ problem }) => problem !== null)).toEqual([]);
    const pictures = all.slice(whole.length);
    for (const { problem, width } of pictures) {
      if (problem === null) expect(width).toBeGreaterThan(0);
      else expect(problem).toMatch(/^expected (?!.*decoder died)(?!.*\bat .*:\d+:\d+)[^\n]{1,300}$/);
    }
    const numProblems = pictures.filter(({ problem }) => problem !== null).length;
    expect(numProblems).toBeGreaterThan(numRuns / 10);
    expect(numProblems).toBeLessThan(numRuns);
  },
  60_000 + 50 * numRuns,
);

/** A small image of every kind. */
async function seeds(): Promise<Buffer[]> {
  const data = Buffer.from(Array.from({ length: 40 * 30 * 3 }, (_, index) => (index * 31) % 256));
  const picture = () => sharp(data, { raw: { width: 40, height: 30, channels: 3 } });
  return Promise.all(
    [
      picture().jpeg(),
      picture().jpeg({ progressive: true }).withMetadata({ orientation: 6 }),
      picture().toColourspace("cmyk").jpeg(),
      picture().withIccProfile("p3").jpeg(),
      picture().png(),
      picture().png({ palette: true, progressive: true }),
      picture().toColourspace("rgb16").png(),
      picture().webp(),
      picture().webp({ lossless: true }),
      picture().gif(),
      picture().tiff({ compression: "lzw" }),
      picture().tiff({ compression: "jpeg", tile: true, tileWidth: 16, tileHeight: 16 }),
      picture().tiff({ compression: "deflate", predictor: "horizontal" }),
      picture().avif({ effort: 0 }),
    ].map((one) => one.toBuffer()),
  );
}

/** Bytes changed, a part cut out, or a part said twice; more often near the start, where headers are. */
function mutation(whole: Buffer[]): fc.Arbitrary<Buffer> {
  const place = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 0.1, noNaN: true }),
  );
  const change = fc.oneof(
    fc.tuple(place, fc.nat(255)).map(([at, value]) => (content: Buffer) => {
      const copy = Buffer.from(content);
      copy[Math.floor(at * (copy.length - 1))] = value;
      return copy;
    }),
    fc.tuple(place, fc.nat(60)).map(([at, length]) => (content: Buffer) => {
      const start = Math.floor(at * content.length);
      return Buffer.concat([content.subarray(0, start), content.subarray(start + length)]);
    }),
    fc.tuple(place, fc.nat(60)).map(([at, length]) => (content: Buffer) => {
      const end = Math.floor(at * content.length) + length;
      return Buffer.concat([content.subarray(0, end), content.subarray(Math.max(0, end - length))]);
    }),
    place.map((at) => (content: Buffer) => content.subarray(0, Math.floor(at * content.length))),
  );
  return fc
    .tuple(fc.constantFrom(...whole), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([content, changes]) => changes.reduce((current, apply) => apply(current), content));
}
