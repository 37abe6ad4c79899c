import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Split } from "../../src/contract/generated/types.ts";
import { describeJoint, evaluationSplits, jointDataset } from "../../src/dataset/joint.ts";
import { mustBeJoined } from "../../src/dataset/prepare/prepare-joint.ts";
import { writeFacts } from "../../src/dataset/prepare/prepared-folder.ts";
import { checkExperiment } from "../../src/experiment/check-experiment.ts";
import { planOf } from "../../src/sweep/read-plan.ts";
import { makeData } from "../helpers/compare-stand-in.ts";
import { preparedFacts } from "../helpers/dataset-stats.ts";
import { contextIn } from "../helpers/run-context.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const folders = { data: "/data", cache: "/cache" };
const dataset = (id: string) => ({ id, name: id, root: `/data/${id}`, split_by: "own" as const });
const [a, b, c] = [dataset("a"), dataset("b"), dataset("c")];

describe("the id of a joint training set", () => {
  const id = (...values: Parameters<typeof jointDataset> extends [...infer T, unknown] ? T : never): string =>
    jointDataset(...values, folders).id;
  const test1 = { dataset: c, split: "test" as const };
  const val1 = { dataset: c, split: "val" as const };
  const plain = id([a, b], a, []);

  test("depends on the datasets, on val, and on the splits that are left out besides", () => {
    const ids = [
      plain,
      id([a], a, []),
      id([a, b], b, []),
      id([a, b], a, [test1]),
      id([a, b], a, [test1, val1]),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("does not depend on the order of the evaluated splits, nor on those that are left out anyway", () => {
    expect(id([a, b], a, [test1, val1])).toBe(id([a, b], a, [val1, test1]));
    expect(id([a, b], a, [{ dataset: b, split: "test" }])).toBe(plain);
  });

  test("is that of this rule: another one needs another ruleVersion", () => {
    expect(plain).toBe("16cea7c2736840b2");
  });

  test("all evaluation splits of its datasets are left out, of others only those that are evaluated", () => {
    const { joint } = jointDataset([a], b, [test1], folders);
    expect(joint.excluded.map((each) => [each.dataset.id, each.splits])).toEqual([
      ["a", ["val", "test", "testA", "testB"]],
      ["b", ["val", "test", "testA", "testB"]],
      ["c", ["test"]],
    ]);
  });
});

describe("a joint training set is made again", () => {
  test("if it is not there, or one of its datasets has other images", () => {
    const work = prepared();
    const part = { ...a, id: "made", root: join(work, "data/mine") };
    const joint = jointDataset([part], part, [], { data: join(work, "data"), cache: join(work, "cache") });
    expect(mustBeJoined(joint)).toBe(true);
    const { pictures_sha256 } = preparedFacts;
    const made = { id: "made", name: "mine" };
    const excluded = [{ ...made, splits: [...evaluationSplits], pictures_sha256 }];
    const counts = { num_images: 2, num_sentences: 2, num_images_left_out: 0, num_sentences_left_out: 0 };
    mkdirSync(joint.root, { recursive: true });
    writeFacts(joint.root, {
      ...preparedFacts,
      joint: { parts: [made], val: made, excluded, num_val_images_tested: 0, ...counts },
    });
    expect(mustBeJoined(joint)).toBe(false);
    makeData(work, { name: "mine", pictures_sha256: "f".repeat(64) });
    expect(mustBeJoined(joint)).toBe(true);
  });
});

describe("train_on is checked", () => {
  test.each<[what: string, names: string[], expected: RegExp]>([
    ["an unknown dataset", ["mine", "nime"], /^train_on\[1\]: expected demo, or a dataset in .*, found nime/],
    ["twice the same", ["mine", "mine"], /^train_on\[1\]: expected each dataset once, found mine again/],
    [
      "no train split",
      ["mine", "eval"],
      /^train_on\[1\]: expected a dataset with a train split, found eval with val/,
    ],
    ["an unknown folder", ["mine", "./nowhere"], /nowhere: expected a prepared dataset/],
  ])("%s", (_, train_on, expected) => {
    const work = prepared();
    const { problems } = checked({ train_on }, work);
    expect(problems.map(({ path, message }) => [path, message])).toEqual([
      [["train_on", 1], expect.stringMatching(expected)],
    ]);
  });

  test("it gives the trials another dataset; without it they are as before", async () => {
    const work = prepared();
    const run = contextIn(work);
    const planned = async (keys: object) => {
      const { experiment, settings, problems } = checked(keys, work);
      expect(problems).toEqual([]);
      return planOf({ experiment, settings }, run);
    };
    const plain = await planned({});
    const joint = await planned({ train_on: ["mine", "eval"].slice(0, 1) });
    expect(plain.dataset).toMatchObject({ id: "made", name: "mine" });
    expect(joint.dataset).toMatchObject({
      name: "mine-joint",
      split_by: "own",
      joint: { val: { id: "made" } },
    });
    expect(joint.dataset.root).toBe(join(work, "cache/prepared", joint.dataset.id));
    expect(joint.plan.trials[0]?.trial_id).not.toBe(plain.plan.trials[0]?.trial_id);
  });

  test("val of the experiment's dataset is evaluated once, since the joint training set has it", async () => {
    const work = prepared();
    const keys = { train_on: ["mine"], evaluate_on: ["mine:val", "eval:val"] };
    const { experiment, settings } = checked(keys, work);
    const joint = await planOf({ experiment, settings }, contextIn(work));
    expect(joint.targets.map(({ dataset, split }) => [dataset.id, split])).toEqual([["eval", "val"]]);
    const { train_on: _, ...plain } = experiment;
    const { targets } = await planOf({ experiment: plain, settings }, contextIn(work));
    expect(targets).toHaveLength(2);
  });
});

test.each([
  [
    2,
    /and b: 20 images with 49 expressions\. 2 images of evaluation splits, with 3 training expressions, were left out of training\. The epoch of each model is chosen on val of a, of which 2 images are also in a test split\.$/,
  ],
  [
    1,
    /1 image of evaluation splits, with 3 training expressions, was left out of training\. .* on val of a, of which 1 image is also in a test split\.$/,
  ],
  [0, /No image of them is in an evaluation split\. .* on val of a\.$/],
])("%d images that are left out are told", (num_images_left_out, expected) => {
  const counts = {
    num_images: 20,
    num_sentences: 49,
    num_images_left_out,
    num_sentences_left_out: 3,
    num_val_images_tested: num_images_left_out,
  };
  expect(describeJoint({ parts: [a, b], val: a, ...counts })).toMatch(expected);
});

function prepared(): string {
  const work = tempFolder();
  makeData(work, { name: "mine" });
  makeData(work, { id: "eval", name: "eval" });
  return work;
}

function checked(keys: object, work: string) {
  const value = { name: "e", question: "Which is best?", dataset: { name: "mine" }, ...keys };
  return checkExperiment(value, "e.json", work, work, {
    data: join(work, "data"),
    findSplits: ({ name }): Split[] => (name === "mine" ? ["train", "val"] : ["val"]),
  });
}
