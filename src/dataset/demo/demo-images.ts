import { Random } from "./random.ts";
import { type Recipe, type Scene, type Split, sampleScene } from "./scene.ts";
import { type Sentence, strata, writeSentences } from "./sentences.ts";

/** An image of the demo before it is drawn. */
export interface DemoImage {
  image_id: number;
  split: Split;
  scene: Scene;
  sentences: Sentence[];
}

/** Generates the images of a split with their sentences, cycling through the strata. */
export function* demoImages(
  seed: number,
  split: Split,
  count: number,
  firstId: number,
): Generator<DemoImage> {
  const random = new Random(seed, splitStreams[split]);
  for (let index = 0; index < count; index += 1) {
    const stratum = strata[index % strata.length] ?? "attribute";
    yield { image_id: firstId + index, split, ...sceneWithSentences(random, split, stratum) };
  }
}

/**
 * Generates scenes for contrastive training: without sentences, with any number of objects of the same kind.
 */
export function* plainScenes(seed: number, count: number): Generator<Scene> {
  const random = new Random(seed, 99);
  for (let index = 0; index < count; index += 1)
    yield sampleFittingScene(random, "train", index % 3 === 0 ? "any" : random.pick(strata));
}

function sceneWithSentences(
  random: Random,
  split: Split,
  stratum: (typeof strata)[number],
): { scene: Scene; sentences: Sentence[] } {
  for (;;) {
    const scene = sampleFittingScene(random, split, stratum);
    const sentences = writeSentences(random, scene, stratum, split);
    if (sentences.length === 0) continue;
    const second = random.pick(strata.filter((other) => other !== stratum));
    return { scene, sentences: [...sentences, ...writeSentences(random, scene, second, split)] };
  }
}

/** Some layouts leave no room for an object: tries until one fits. */
function sampleFittingScene(random: Random, split: Split, recipe: Recipe): Scene {
  for (;;) {
    const scene = sampleScene(random, split, recipe);
    if (scene !== undefined) return scene;
  }
}

const splitStreams: Record<Split, number> = { train: 1, val: 2, test: 3 };
