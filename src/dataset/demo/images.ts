import { Random } from "./random.ts";
import { drawScene, type Recipe, type Scene, type Split } from "./scene.ts";
import { type Sentence, strata, writeSentences } from "./sentences.ts";

/** An image of the demo, before it is drawn. */
export interface DemoImage {
  image_id: number;
  split: Split;
  scene: Scene;
  sentences: Sentence[];
}

/** The images of a split, one after the other, each with its sentences; the strata take turns. */
export function* demoImages(
  seed: number,
  split: Split,
  count: number,
  firstId: number,
): Generator<DemoImage> {
  const random = new Random(seed, splitStreams[split]);
  for (let index = 0; index < count; index += 1) {
    const stratum = strata[index % strata.length] ?? "attribute";
    yield { image_id: firstId + index, split, ...aboutScene(random, split, stratum) };
  }
}

/** Scenes for contrastive training: no sentences, any number of objects of a kind. */
export function* plainScenes(seed: number, count: number): Generator<Scene> {
  const random = new Random(seed, 99);
  for (let index = 0; index < count; index += 1)
    yield scene(random, "train", index % 3 === 0 ? "any" : random.pick(strata));
}

function aboutScene(
  random: Random,
  split: Split,
  stratum: (typeof strata)[number],
): { scene: Scene; sentences: Sentence[] } {
  for (;;) {
    const drawn = scene(random, split, stratum);
    const sentences = writeSentences(random, drawn, stratum, split);
    if (sentences.length === 0) continue;
    const another = random.pick(strata.filter((other) => other !== stratum));
    return { scene: drawn, sentences: [...sentences, ...writeSentences(random, drawn, another, split)] };
  }
}

function scene(random: Random, split: Split, recipe: Recipe): Scene {
  for (;;) {
    const drawn = drawScene(random, split, recipe);
    if (drawn !== undefined) return drawn;
  }
}

const splitStreams: Record<Split, number> = { train: 1, val: 2, test: 3 };
