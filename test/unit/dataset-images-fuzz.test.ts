import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { preparePixels } from "../../src/dataset/images/prepare-pixels.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const numRuns = Number(process.env.CLIPRPN_FUZZ_RUNS ?? 400);

test(
  "a mutated image gives pixels or a one-line problem, and never crashes a decoder",
  async () => {
    const images_dir = join(tempFolder(), "images");
    mkdirSync(images_dir);
    const seeds = await validImages();
    const contents = [...seeds, ...fc.sample(mutation(seeds), { numRuns, seed: 3 })];
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
    const images = manifest.shards.flatMap((shard) => shard.pictures);
    expect(images).toHaveLength(contents.length);
    expect(images.slice(0, seeds.length).filter(({ problem }) => problem !== null)).toEqual([]);
    const mutated = images.slice(seeds.length);
    for (const { problem, width } of mutated) {
      if (problem === null) expect(width).toBeGreaterThan(0);
      else expect(problem).toMatch(/^expected (?!.*\bdecoder\b)(?!.*\bat .*:\d+:\d+)[^\n]{1,300}$/);
    }
    const numProblems = mutated.filter(({ problem }) => problem !== null).length;
    expect(numProblems).toBeGreaterThan(numRuns / 10);
    expect(numProblems).toBeLessThan(numRuns);
  },
  300_000 + 50 * numRuns,
);

/** A small image of every format. */
async function validImages(): Promise<Buffer[]> {
  const data = Buffer.from(Array.from({ length: 40 * 30 * 3 }, (_, index) => (index * 31) % 256));
  const image = () => sharp(data, { raw: { width: 40, height: 30, channels: 3 } });
  return Promise.all(
    [
      image().jpeg(),
      image().jpeg({ progressive: true }).withMetadata({ orientation: 6 }),
      image().toColourspace("cmyk").jpeg(),
      image().withIccProfile("p3").jpeg(),
      image().png(),
      image().png({ palette: true, progressive: true }),
      image().toColourspace("rgb16").png(),
      image().webp(),
      image().webp({ lossless: true }),
      image().gif(),
      image().tiff({ compression: "lzw" }),
      image().tiff({ compression: "jpeg", tile: true, tileWidth: 16, tileHeight: 16 }),
      image().tiff({ compression: "deflate", predictor: "horizontal" }),
      image().avif({ effort: 0 }),
    ].map((encoded) => encoded.toBuffer()),
  );
}

/** Changes a byte, removes, repeats or truncates; more often near the start, where headers are. */
function mutation(seeds: Buffer[]): fc.Arbitrary<Buffer> {
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
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([content, changes]) => changes.reduce((current, apply) => apply(current), content));
}
