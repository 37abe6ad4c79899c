import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import { identifyDataset } from "../../src/dataset/identify-dataset.ts";
import { identifyBackbone } from "../../src/experiment/identity.ts";
import { type PlanContext, planSweep, withSeed } from "../../src/experiment/plan.ts";
import { presets } from "../../src/experiment/presets.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { packageRoot } from "../../src/package-root.ts";
import { validExperiment } from "../helpers/experiment-arbitrary.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { plan, planContext, read } from "../helpers/written-experiment.ts";

test("every configuration runs with the first seed, then with the second", () => {
  const { trials } = plan({
    vary: { fusion: ["film", "concatenation"], "training.num_epochs": [1, 2] },
    also: [{ preset: "reference" }],
    seeds: [7, 3],
  });
  expect(trials.map(({ seed, label }) => `${seed} ${label}`)).toEqual([
    "7 film num_epochs=1",
    "7 film num_epochs=2",
    "7 concatenation num_epochs=1",
    "7 concatenation num_epochs=2",
    "7 reference",
    "3 film num_epochs=1",
    "3 film num_epochs=2",
    "3 concatenation num_epochs=1",
    "3 concatenation num_epochs=2",
    "3 reference",
  ]);
});

test("entries of also have labels and seeds of their own, and run in rounds", () => {
  const { trials } = plan({
    also: [
      { label: "A", seeds: [0, 1, 2] },
      { label: "B, the same", seeds: [3, 4] },
      { fusion: "film" },
      { label: "boxes", "baseline.detector": "gt_boxes" },
    ],
    seeds: [9],
  });
  expect(trials.map(({ seed, label }) => `${seed} ${label}`)).toEqual([
    ...["0 A", "3 B, the same", "9 film", "9 boxes"],
    ...["1 A", "4 B, the same"],
    "2 A",
  ]);
  const named = trials.slice(0, 2).map(({ trial_id }) => trial_id);
  expect(named).toEqual(plan({ seeds: [0, 3] }).trials.map(({ trial_id }) => trial_id));
});

test("a trial with another seed is the one that another plan asks for", () => {
  const also = [{ "baseline.detector": "gt_boxes" }, { fusion: "film" }];
  const trialsWith = (seed: number): TrialSpec[] => plan({ also, seeds: [seed] }).trials;
  expect(trialsWith(0).map((spec) => withSeed(spec, 5).trial_id)).toEqual(
    trialsWith(5).map(({ trial_id }) => trial_id),
  );
});

test("what the report compares is declared; the level has a default", () => {
  const declared = { baseline: "film", smallest_difference: 1.5, alpha: 0.01 };
  expect(plan({ vary: { fusion: ["film"] }, ...declared })).toMatchObject(declared);
  expect(plan({}).alpha).toBe(0.05);
  expect(plan({})).not.toHaveProperty("baseline");
  expect(plan({})).not.toHaveProperty("smallest_difference");
});

test("a plan is deterministic, its trials are distinct, and all their settings are filled in", () => {
  const folder = tempFolder();
  fc.assert(
    fc.property(validExperiment(), (experiment) => {
      const first = planSweep(read(experiment, [], folder), planContext);
      expect(planSweep(read(experiment, [], folder), planContext)).toEqual(first);
      expect(new Set(first.trials.map(({ trial_id }) => trial_id)).size).toBe(first.trials.length);
      expect(new Set(first.trials.map(({ label, seed }) => `${seed} ${label}`)).size).toBe(
        first.trials.length,
      );
      expect(JSON.stringify(first)).not.toContain("undefined");
    }),
    { numRuns: 50 },
  );
});

test("a label has the keys that vary, and no other", () => {
  const { trials } = plan({
    preset: "reference",
    settings: { training: { num_epochs: 3 } },
    vary: { "rpn.nms_thresh": [0.5, 0.7], "anchors.scales_px": [[64, 128]] },
  });
  expect(trials.map(({ label }) => label)).toEqual([
    "nms_thresh=0.5 scales_px=[64,128]",
    "nms_thresh=0.7 scales_px=[64,128]",
  ]);
  expect(plan({}).trials.map(({ label }) => label)).toEqual(["default"]);
});

describe("trial_id", () => {
  const base = (): string | undefined => plan({ seeds: [0] }).trials[0]?.trial_id;

  test.each<[what: string, experiment: object, changed: Partial<PlanContext>]>([
    ["device", {}, { device: "cuda:0" }],
    ["cache", {}, { cache_dir: "/elsewhere" }],
    [
      "sources, which make an outcome stale instead",
      {},
      { sources_sha256: { cliprpn: "b".repeat(64), baseline: "b".repeat(64) } },
    ],
    [
      "folder and name of the dataset",
      {},
      { dataset: { ...planContext.dataset, root: "/b", name: "other" } },
    ],
    ["path of the weights", {}, { backbone: { ...planContext.backbone, weights: "/elsewhere/weights.pt" } }],
    ["question and name", { name: "b", question: "Something else?" }, {}],
    ["published figures", { published: [] }, {}],
    ["models to keep", { keep_models: "none" }, {}],
    ["spelling of the preset", { preset: "default", settings: { fusion: "token_attention" } }, {}],
    ["label", { vary: { fusion: ["token_attention"] } }, {}],
    ["label of its own", { also: [{ label: "mine" }] }, {}],
    [
      "configuration that others are compared with",
      { also: [{ label: "a", fusion: "token_attention" }], baseline: "a" },
      {},
    ],
    ["level and smallest difference", { alpha: 0.1, smallest_difference: 2 }, {}],
    ["seeds of other trials", { seeds: [0, 1, 2] }, {}],
  ])("does not depend on the %s", (_, experiment, changed) => {
    expect(plan(experiment, changed).trials[0]?.trial_id).toBe(base());
  });

  test.each<[what: string, experiment: object, changed: Partial<PlanContext>]>([
    ["seed", { seeds: [1] }, {}],
    ["number of threads", { num_threads: 2 }, {}],
    ["any setting", { settings: { training: { weight_decay: 0.02 } } }, {}],
    ["fusion", { settings: { fusion: "film" } }, {}],
    ["preset", { preset: "reference" }, {}],
    ["data", {}, { dataset: { ...planContext.dataset, id: "data-2" } }],
    ["split", {}, { dataset: { ...planContext.dataset, split_by: "google" } }],
    ["weights", {}, { backbone: { ...planContext.backbone, weights_id: "weights-2" } }],
  ])("depends on the %s", (_, experiment, changed) => {
    expect(plan(experiment, changed).trials[0]?.trial_id).not.toBe(base());
  });

  test("depends on the source, class and parameters of a custom fusion, not on its path", () => {
    const folder = tempFolder();
    for (const name of ["a", "b", "c"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "a/fusion.py"), "class Mine: pass");
    writeFileSync(join(folder, "b/moved.py"), "class Mine: pass");
    writeFileSync(join(folder, "c/fusion.py"), "class Mine: ...");
    const idOf = (fusion: object): string | undefined =>
      plan({ settings: { fusion } }, {}, folder).trials[0]?.trial_id;
    const first = idOf({ file: "a/fusion.py:Mine" });
    expect(idOf({ file: "b/moved.py:Mine" })).toBe(first);
    expect(idOf({ file: join(folder, "a/fusion.py:Mine"), params: {} })).toBe(first);
    const others = [
      { file: "c/fusion.py:Mine" },
      { file: "a/fusion.py:Other" },
      { file: "a/fusion.py:Mine", params: { a: 1 } },
    ];
    expect(new Set([first, ...others.map(idOf)]).size).toBe(4);
  });

  test("stays when the experiment asks for other seeds and values too", () => {
    const also = [{ "baseline.detector": "gt_boxes" }];
    const idsOf = (experiment: object): string[] =>
      plan({ also, ...experiment }).trials.map(({ trial_id }) => trial_id);
    const before = idsOf({ vary: { fusion: ["film"], "rpn.nms_thresh": [0.5] } });
    const after = idsOf({
      question: "Something else?",
      vary: { "rpn.nms_thresh": [0.6, 0.5], fusion: ["concatenation", "film"] },
      seeds: [1, 0],
    });
    expect(before).toHaveLength(2);
    expect(after).toHaveLength(9);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  test("does not depend on the order of keys", () => {
    const ids = [
      { optimizer: "adam", num_epochs: 2 },
      { num_epochs: 2, optimizer: "adam" },
    ].map((training) => plan({ settings: { training } }).trials[0]?.trial_id);
    expect(ids[0]).toBe(ids[1]);
  });
});

test("two files with the same source and class are the same configuration", () => {
  const folder = tempFolder();
  for (const name of ["a.py", "b.py"]) writeFileSync(join(folder, name), "class Mine: pass");
  expect(() =>
    plan({ vary: { fusion: [{ file: "a.py:Mine" }, { file: "b.py:Mine" }] } }, {}, folder),
  ).toThrow(/b\.py:Mine is the same .* a\.py:Mine/);
});

test("defaults are filled in from the chosen preset", () => {
  const [trial] = plan({ preset: "reference", settings: { training: { num_epochs: 2 } } }).trials;
  expect(trial).toMatchObject({
    preset: "reference",
    seed: 0,
    num_threads: 1,
    settings: { ...presets.reference, training: { ...presets.reference.training, num_epochs: 2 } },
  });
});

test("all models are kept, unless the experiment or --set says otherwise", () => {
  expect(plan({}).keep_models).toBe("all");
  expect(plan({ keep_models: "none" }).keep_models).toBe("none");
  const folder = tempFolder();
  expect(plan({ keep_models: "none" }, {}, folder, ["keep_models=best"]).keep_models).toBe("best");
});

test("a switch changes the fusion of the same configuration, whatever the order of the keys", () => {
  const before = plan({ vary: { "fusion.text": ["words"], fusion: ["film"] } }).trials;
  const after = plan({ vary: { fusion: ["film"], "fusion.text": ["words"] } }).trials;
  expect(before[0]).toHaveProperty("settings.fusion", {
    kind: "switched",
    text: "words",
    interaction: "multiplicative",
    coordinates: "off",
  });
  expect(before[0]?.trial_id).toBe(after[0]?.trial_id);
});

test("a dataset is identified by its annotations, not by its folder", async () => {
  const [a, b] = [datasetFolder("one"), datasetFolder("one")];
  const c = datasetFolder("two");
  const ids = await Promise.all([a, b, c].map((root) => identifyDataset({ root }, folders)));
  expect(ids[0]?.id).toBe(ids[1]?.id);
  expect(ids[0]?.id).not.toBe(ids[2]?.id);
});

test("another folder in place of the demo is not named demo", async () => {
  const root = datasetFolder("one");
  const { name } = await identifyDataset({ name: "demo", root }, folders);
  expect(root.endsWith(name)).toBe(true);
});

test("weights are identified by their content; those of OpenAI by their name", async () => {
  const weights = join(tempFolder(), "weights.pt");
  writeFileSync(weights, "weights");
  const of = (backbone: object): Promise<{ weights_id: string }> => identifyBackbone(backbone);
  expect(await of({ name: "RN50-quickgelu" })).toMatchObject({ weights: "openai", weights_id: "openai" });
  expect((await of({ name: "RN50-quickgelu", weights })).weights_id).toMatch(/^[0-9a-f]{64}$/);
  expect((await of({})).weights_id).toMatch(/^[0-9a-f]{64}$/);
});

describe("shipped experiments", () => {
  const trialsOf = (name: string): TrialSpec[] =>
    planSweep(readExperiment(`experiments/${name}.json`, [], packageRoot), planContext).trials;
  const idsOf = (name: string, ...labels: string[]): string[] =>
    trialsOf(name).flatMap(({ label, trial_id }) => (labels.includes(label) ? [trial_id] : []));

  test("about fusions on the demo share their trials, so that none is trained twice", () => {
    const words = idsOf("fusion", "token_attention");
    expect(words).toHaveLength(3);
    expect(idsOf("fusion-and-baseline", "token_attention")).toEqual(words);
    const wordsSwitches = "text=words interaction=multiplicative coordinates=on";
    expect(idsOf("fusion-factorial", wordsSwitches)).toEqual(words);
    expect(idsOf("fusion-factorial", "text=pooled interaction=multiplicative coordinates=off")).toEqual(
      idsOf("fusion", "film"),
    );
  });

  test("aa-null.json has one configuration under three names, with seeds of its own each", () => {
    const trials = trialsOf("aa-null");
    expect(trials.map(({ label, seed }) => `${label}${seed}`)).toEqual([
      "A0",
      "B3",
      "C6",
      "A1",
      "B4",
      "C7",
      "A2",
      "B5",
      "C8",
    ]);
    const configurations = trials.map((spec) => withSeed(spec, 0).trial_id);
    expect(new Set(configurations).size).toBe(1);
  });
});

const folders = { data: "/data", cache: "/cache" };

function datasetFolder(content: string): string {
  const root = join(tempFolder(), "photos");
  for (const name of ["annotations", "images"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "annotations/instances.json"), content);
  writeFileSync(join(root, "annotations/refs(umd).p"), content);
  return root;
}
