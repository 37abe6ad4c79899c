import sharp from "sharp";
import { expect, test } from "vitest";
import { type DemoImage, demoImages, plainScenes } from "../../src/dataset/demo/demo-images.ts";
import { isHeldOut, kinds } from "../../src/dataset/demo/kinds.ts";
import { demoSizes } from "../../src/dataset/demo/make-demo.ts";
import type { Mark, Scene, SceneObject } from "../../src/dataset/demo/scene.ts";
import { isHeldOutChain, strata } from "../../src/dataset/demo/sentences.ts";
import { sceneSvg } from "../../src/dataset/demo/svg.ts";
import { readSentence } from "../helpers/read-sentence.ts";

const { seed, num_images } = demoSizes.full;
const trainImages = [...demoImages(seed, "train", 800, 1)];
const testImages = [...demoImages(seed, "test", num_images.test, 1)];
const allImages = [...trainImages, ...testImages];
const sentencesOf = (images: DemoImage[]) =>
  images.flatMap(({ scene, sentences }) => sentences.map((sentence) => ({ scene, sentence })));

test("a scene has 3 to 7 objects, with boxes inside the image", () => {
  for (const { scene } of allImages) {
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
    const inStratum = sentencesOf(testImages).filter(({ sentence }) => sentence.stratum === stratum);
    expect(inStratum.length, stratum).toBeGreaterThanOrEqual(200);
  }
});

test("every sentence describes exactly one object, according to an independent parser", () => {
  for (const { sentence, scene } of sentencesOf(allImages)) {
    const objects = readSentence(sentence.text, scene);
    expect(objects.length === 1 && objects[0] === sentence.target, sentence.text).toBe(true);
  }
});

test("a target is never the only object of its kind, so that the noun alone is not enough", () => {
  for (const { sentence, scene } of sentencesOf(allImages)) {
    const sameKind = scene.objects.filter(({ kind }) => kind === sentence.target.kind);
    expect(sameKind.length, sentence.text).toBeGreaterThanOrEqual(2);
  }
});

test("a minimal pair is two sentences about one image that differ in one word and in their target", () => {
  let numPairs = 0;
  for (const { sentences } of allImages) {
    for (const stratum of strata) {
      const pair = sentences.filter((sentence) => sentence.stratum === stratum);
      expect(pair.length).toBeLessThanOrEqual(2);
      const [first, second] = pair;
      if (first === undefined || second === undefined) continue;
      numPairs += 1;
      expect(first.target).not.toBe(second.target);
      const [words_a, words_b] = [first.text.split(" "), second.text.split(" ")];
      expect(words_a.length).toBe(words_b.length);
      expect(
        words_a.filter((word, index) => word !== words_b[index]),
        first.text,
      ).toHaveLength(1);
    }
  }
  expect(numPairs).toBeGreaterThan(allImages.length / 2);
});

test("held-out color-kind pairs appear in test only", () => {
  const hasHeldOut = ({ objects }: Scene): boolean =>
    objects.some(({ color, kind }) => isHeldOut(color, kind));
  const scenes = [...trainImages.map(({ scene }) => scene), ...plainScenes(20241, 300)];
  expect(scenes.filter(hasHeldOut)).toEqual([]);
  expect(testImages.filter(({ scene }) => hasHeldOut(scene)).length).toBeGreaterThan(50);
});

test("held-out two-hop chains appear in test only", () => {
  const numChains = (images: DemoImage[]): number =>
    sentencesOf(images).filter(({ sentence }) => isHeldOutChain(sentence.expression)).length;
  expect(numChains(testImages)).toBeGreaterThan(5);
  expect(numChains(trainImages)).toBe(0);
});

test("targets are about as large as RefCOCOg's", () => {
  const areas = sentencesOf(testImages)
    .map(({ sentence: { target }, scene }) => area(target.box_xyxy) / (scene.width * scene.height))
    .sort((a, b) => a - b);
  const quantile = (fraction: number): number => areas[Math.floor(fraction * areas.length)] ?? 0;
  // RefCOCOg's 5th, 50th and 95th percentiles are 4.7, 13 and 50 %; here at least two objects of a kind must fit.
  expect(quantile(0.05)).toBeGreaterThan(0.025);
  expect(quantile(0.5)).toBeGreaterThan(0.09);
  expect(quantile(0.95)).toBeGreaterThan(0.25);
});

test.each(
  kinds.flatMap((kind) => (["none", "dot", "stripe"] as const).map((mark) => [kind.name, mark] as const)),
)("the box of a %s with mark %s is tight", async (name, mark) => {
  const kind = kinds.find((kind) => kind.name === name) ?? kinds[0];
  if (kind === undefined) return;
  const [left, top, right, bottom] = kind.box;
  const box: SceneObject["box_xyxy"] = [
    31,
    23,
    31 + Math.round((right - left) * 9),
    23 + Math.round((bottom - top) * 9),
  ];
  const drawn = await drawnBox(kind, mark, box);
  // A sharp tip, such as a star's, fades out over its last two pixels.
  for (const [index, edge] of drawn.entries())
    expect(Math.abs(edge - (box[index] ?? 0)), `edge ${index}`).toBeLessThanOrEqual(2);
});

/** The box of the pixels that differ from the background: left, top, right, bottom. */
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
