import { makeDemo } from "../../src/dataset/demo/make-demo.ts";

/** Draws a demo that a trial learns in seconds: 16 images to train on, 8 for val and for test. */
export async function makeSmallDemo(folder: string, seed = 7): Promise<void> {
  await makeDemo(folder, { seed, num_images: { train: 16, val: 8, test: 8 } }, () => undefined);
}
