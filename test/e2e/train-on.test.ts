/** Trains on two datasets without the images that are evaluated, and evaluates on their test splits. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDemo } from "../../src/dataset/demo/make-demo.ts";
import { readLines } from "../../src/store/journal.ts";
import { cliprpnWithPython } from "../helpers/cli.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("train_on leaves out what evaluate_on evaluates; the report has all splits", async () => {
  const folder = tempFolder();
  const num_images = { train: 8, val: 4, test: 4 };
  await makeDemo(join(folder, "a"), { seed: 1, num_images }, () => undefined);
  await makeDemo(join(folder, "b"), { seed: 2, num_images }, () => undefined);
  shareImage(join(folder, "a"), join(folder, "b"));
  const experiment = {
    name: "joint",
    question: "Does it ground everywhere?",
    dataset: { root: "a" },
    train_on: ["a", "b"],
    evaluate_on: ["a:test", "b:test"],
    settings: { training: { num_epochs: 1 } },
  };
  writeFileSync(join(folder, "e.json"), JSON.stringify(experiment));
  const env = { CLIPRPN_CACHE: join(folder, "cache") };
  const { code, err } = await cliprpnWithPython(["sweep", "e.json"], folder, env);
  expect(code, err).toBe(0);
  expect(err).toMatch(
    /train splits of a and b: 15 images with .* 1 image of evaluation splits, .* was left out of training/,
  );
  const report = readFileSync(join(folder, "runs/sweeps/joint/REPORT.md"), "utf8");
  expect(report).toMatch(/1 image of evaluation splits/);
  expect(report).toMatch(/## Other splits[\s\S]*a-joint:val[\s\S]*a:test[\s\S]*b:test/);
  expect(looks(folder)).toEqual(["a test", "b test"]);
  const answers = readdirSync(join(folder, "runs/trials"), { recursive: true, encoding: "utf8" });
  expect(answers.filter((name) => /on-[0-9a-f]+\/predictions-test\.parquet$/.test(name))).toHaveLength(2);
});

/** Gives a test image of the second dataset the content of a train image of the first that has its size. */
function shareImage(first: string, second: string): void {
  const train = sizesIn(first, 1, 8);
  const test = sizesIn(second, 13, 16);
  for (const [name, size] of test) {
    const same = train.find(([, other]) => other === size);
    if (same === undefined) continue;
    copyFileSync(join(first, "images", same[0]), join(second, "images", name));
    return;
  }
  throw new Error(`expected two images of the same size, found none: ${readdirSync(second)}`);
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

function looks(folder: string): string[] {
  return readLines(join(folder, "runs/test-looks.jsonl")).map((look) => {
    const { dataset_name, split } = look as { dataset_name: string; split: string };
    return `${dataset_name} ${split}`;
  });
}
