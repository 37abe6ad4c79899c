import sharp from "sharp";
import { expect, test } from "vitest";
import { type DemoImage, demoImages, plainScenes } from "../../src/dataset/demo/images.ts";
import { isHeldOut, kinds } from "../../src/dataset/demo/kinds.ts";
import { demoSizes } from "../../src/dataset/demo/make-demo.ts";
import type { Mark, Scene, SceneObject } from "../../src/dataset/demo/scene.ts";
import { isHeldOutChain, strata } from "../../src/dataset/demo/sentences.ts";
import { sceneSvg } from "../../src/dataset/demo/svg.ts";
import { readSentence } from "../helpers/read-sentence.ts";

const { seed, num_images } = demoSizes.full;
const trainImages = [...demoImages(seed, "train", 800, 1)];
const testImages = [...demoImages(seed, "test", num_images.test, 1)];
const pictures = [...trainImages, ...testImages];
const sentences = (of: DemoImage[]) =>
  of.flatMap((picture) => picture.sentences.map((own) => ({ ...picture, own })));

test("a scene has 3 to 7 objects, each with its whole box in the image", () => {
  for (const { scene } of pictures) {
    expect(scene.objects.length).toBeGreaterThanOrEqual(3);
    expect(scene.objects.length).toBeLessThanOrEqual(7);
    for (const { box_xyxy: box } of scene.objects) {
      const [x1, y1, x2, y2] = box;
      expect(box.every(Number.isInteger) && 0 <= x1 && x1 < x2 && x2 <= scene.width, String(box)).toBe(true);
      expect(0 <= y1 && y1 < y2 && y2 <= scene.height, String(box)).toBe(true);
    }
  }
});

test("every stratum has at least 200 test sentences", () => {
  for (const stratum of strata) {
    const own = sentences(testImages).filter(({ own: { stratum: found } }) => found === stratum);
    expect(own.length, stratum).toBeGreaterThanOrEqual(200);
  }
});

test("every sentence fits exactly one object, by a reader that knows nothing but its words", () => {
  for (const { own, scene } of sentences(pictures)) {
    const found = readSentence(own.text, scene);
    expect(found.length === 1 && found[0] === own.target, own.text).toBe(true);
  }
});

test("a referred object has company of its kind: its name alone does not tell", () => {
  for (const { own, scene } of sentences(pictures)) {
    const company = scene.objects.filter(({ kind }) => kind === own.target.kind);
    expect(company.length, own.text).toBeGreaterThanOrEqual(2);
  }
});

test("a pair is two sentences on one image, one word apart, with different answers", () => {
  let numPairs = 0;
  for (const { sentences: own } of pictures) {
    for (const stratum of strata) {
      const pair = own.filter((sentence) => sentence.stratum === stratum);
      expect(pair.length).toBeLessThanOrEqual(2);
      const [first, second] = pair;
      if (first === undefined || second === undefined) continue;
      numPairs += 1;
      expect(first.target).not.toBe(second.target);
      const [words, others] = [first.text.split(" "), second.text.split(" ")];
      expect(words.length).toBe(others.length);
      expect(
        words.filter((word, index) => word !== others[index]),
        first.text,
      ).toHaveLength(1);
    }
  }
  expect(numPairs).toBeGreaterThan(pictures.length / 2);
});

test("held-out colours of kinds are drawn in test only", () => {
  const heldOut = ({ objects }: Scene): boolean => objects.some(({ color, kind }) => isHeldOut(color, kind));
  const scenes = [...trainImages.map(({ scene }) => scene), ...plainScenes(20241, 300)];
  expect(scenes.filter(heldOut)).toEqual([]);
  expect(testImages.filter(({ scene }) => heldOut(scene)).length).toBeGreaterThan(50);
});

// A minimal pair's second sentence passes the filter by: 8 in these images. The next generator version has to say `test` here.
test("held-out chains are said in test only", () => {
  const chains = (of: DemoImage[]): number =>
    sentences(of).filter(({ own }) => isHeldOutChain(own.expression)).length;
  expect(chains(testImages)).toBeGreaterThan(5);
  expect(chains(trainImages)).toBe(0);
});

test("referred objects lean towards RefCOCOg's large ones", () => {
  const shares = sentences(testImages)
    .map(({ own: { target }, scene }) => area(target.box_xyxy) / (scene.width * scene.height))
    .sort((a, b) => a - b);
  const at = (share: number): number => shares[Math.floor(share * shares.length)] ?? 0;
  // RefCOCOg's 5th, 50th and 95th percentiles are 4.7, 13 and 50 %; two and more of a kind have to find room here.
  expect(at(0.05)).toBeGreaterThan(0.025);
  expect(at(0.5)).toBeGreaterThan(0.09);
  expect(at(0.95)).toBeGreaterThan(0.25);
});

test.each(
  kinds.flatMap((kind) => (["none", "dot", "stripe"] as const).map((mark) => [kind.name, mark] as const)),
)("the box of a %s with mark %s is tight", async (name, mark) => {
  const kind = kinds.find((one) => one.name === name) ?? kinds[0];
  if (kind === undefined) return;
  const [left, top, right, bottom] = kind.box;
  const box: SceneObject["box_xyxy"] = [
    31,
    23,
    31 + Math.round((right - left) * 9),
    23 + Math.round((bottom - top) * 9),
  ];
  const found = await drawnBox(kind, mark, box);
  // A sharp tip (a star's) fades out over its last two pixels.
  for (const [index, edge] of found.entries())
    expect(Math.abs(edge - (box[index] ?? 0)), `edge ${index}`).toBeLessThanOrEqual(2);
});

/** Where the drawing of one object differs from its background: left, top, right, bottom. */
async function drawnBox(
  kind: SceneObject["kind"],
  mark: Mark,
  box_xyxy: SceneObject["box_xyxy"],
): Promise<number[]> {
  const background = {
    top: "#808080",
    bottom: "#808080",
    texture: "plain",
    ink: "#808080",
    seed: 0,
  } as const;
  const object: SceneObject = { kind, color: "black", mark, box_xyxy, referable: true };
  const scene: Scene = { width: 280, height: 260, objects: [object], background };
  const { data, info } = await sharp(Buffer.from(sceneSvg(scene)))
    .removeAlpha()
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const drawn = [...data.keys()].filter((index) => Math.abs((data[index] ?? 128) - 128) > 24);
  const xs = drawn.map((index) => index % info.width);
  const ys = drawn.map((index) => Math.floor(index / info.width));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
}

function area([x1, y1, x2, y2]: SceneObject["box_xyxy"]): number {
  return (x2 - x1) * (y2 - y1);
}
