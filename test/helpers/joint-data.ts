import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";

const num_images = { train: 8, val: 4, test: 4 };

/**
 * Two datasets `a` and `b`, and the experiment `e.json`, which is trained on both. A test image of `b` has the content of a train image
 * of `a`.
 */
export async function makeJointData(folder: string): Promise<void> {
  await makeDemo(join(folder, "a"), { seed: 1, num_images }, () => undefined);
  await makeDemo(join(folder, "b"), { seed: 2, num_images }, () => undefined);
  shareImage(folder, 0);
  const experiment = {
    name: "joint",
    question: "Does it ground everywhere?",
    dataset: { root: "a" },
    train_on: ["a", "b"],
    evaluate_on: ["a:val", "a:test", "b:val", "b:test"],
    num_threads: 1, // Two threads that wait for each other are slow while other tests run.
    settings: { training: { num_epochs: 1 } },
  };
  writeFileSync(join(folder, "e.json"), JSON.stringify(experiment));
}

/** Gives a test image of `b` the content of a train image of `a` that has its size: the first such pair, the second, ... */
export function shareImage(folder: string, number: number): void {
  const train = sizesIn(join(folder, "a"), 1, 8);
  const pairs = sizesIn(join(folder, "b"), 13, 16).flatMap(([name, size]) => {
    const index = train.findIndex(([, other]) => other === size);
    const [same] = index < 0 ? [] : train.splice(index, 1);
    return same === undefined ? [] : [{ from: same[0], to: name }];
  });
  const pair = pairs[number];
  if (pair === undefined) throw new Error(`expected ${number + 1} pairs of images of the same size`);
  copyFileSync(join(folder, "a/images", pair.from), join(folder, "b/images", pair.to));
}

/** Names and sizes of the images with ids in a range: train, val and test follow each other. */
function sizesIn(root: string, from: number, to: number): [name: string, size: string][] {
  const { images } = JSON.parse(readFileSync(join(root, "annotations/instances.json"), "utf8")) as {
    images: { id: number; file_name: string; width: number; height: number }[];
  };
  return images
    .filter(({ id }) => id >= from && id <= to)
    .map(({ file_name, width, height }) => [file_name, `${width} ${height}`]);
}
