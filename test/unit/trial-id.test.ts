import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/contract/canonical-json.ts";
import type { TrialIdentity, TrialSpec } from "../../src/contract/generated/types.ts";
import { identityDefaults } from "../../src/contract/identity-defaults.ts";
import { trialId, withoutDefaults } from "../../src/contract/trial-id.ts";
import { trialIdentityOf } from "../../src/contract/trial-identity.ts";
import type { PlanContext } from "../../src/experiment/plan.ts";
import { packageRoot } from "../../src/package-root.ts";
import { composeSpec, placesOf } from "../../src/store/compose-spec.ts";
import { validExperiment } from "../helpers/experiment-arbitrary.ts";
import { readTrialIdentity } from "../helpers/read-trial-identity.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { plan, planContext } from "../helpers/written-experiment.ts";

const rn50 = { name: "RN50-quickgelu", weights: "openai", weights_id: "openai" } as const;
const mine = { file: "fusion.py:Mine" };
const switched = { text: "words", interaction: "additive", coordinates: "on" };
const detector = (choice: unknown, more: object = {}): object => ({
  also: [{ "baseline.detector": choice, ...more }],
});

/** The number of threads, and what the preset `default` had in the first versions. */
const formerThreads = { num_threads: 2 };
const former = { training: { num_epochs: 2 }, rpn: { pre_nms_top_n: 100 } };

/**
 * Ids never change. If a preset changes, its former values are written out here; if a key is added, the ids below stay as they
 * are, because the key's identity default is what held before.
 */
const golden: [what: string, id: string, experiment: object, context?: Partial<PlanContext>][] = [
  ["the preset default", "f10bc4650e87a238", { settings: former }],
  ["the preset reference", "767e728ca939f4fd", { preset: "reference", settings: { rpn: former.rpn } }],
  ["concatenation", "1001e26725aa559a", { settings: { ...former, fusion: "concatenation" } }],
  ["cross_attention", "aa27ff5c4599e18d", { settings: { ...former, fusion: "cross_attention" } }],
  ["film", "412023dcfca72cbb", { settings: { ...former, fusion: "film" } }],
  ["a switched fusion", "f2814a7f176a99b2", { settings: { ...former, fusion: switched } }],
  ["a fusion of a file", "d22f070d3681e009", { settings: { ...former, fusion: mine } }],
  [
    "a fusion of a file with params",
    "3adca401de925e6a",
    { settings: { ...former, fusion: { ...mine, params: { a: [1, null] } } } },
  ],
  ["seed 1", "0832707aa070dc76", { settings: former, seeds: [1] }],
  [
    "the largest seed, one thread",
    "7cd918795cde06f8",
    { settings: former, seeds: [4294967295], num_threads: 1 },
  ],
  ["limits", "c6c8f300832b5345", { settings: { ...former, limits: { train: 100, test: 1 } } }],
  [
    "settings of each group",
    "7bf884366c9c11a3",
    {
      settings: {
        resize: "letterbox",
        anchors: { ratios: [1] },
        rpn: { ...former.rpn, nms_thresh: 0.5 },
        training: { ...former.training, precision: "fp32", grad_clip_norm: null },
      },
    },
  ],
  ["RN50", "fbf77621a73fa941", { settings: former }, { backbone: rn50 }],
  [
    "another split",
    "8b3981199a0fbe1c",
    { settings: former },
    { dataset: { ...planContext.dataset, split_by: "google" } },
  ],
  ["yolo", "7cf8b44e72fb154a", detector({ kind: "yolo", weights: "detector.onnx", image_size_px: 640 })],
  ["trained_yolo", "64eae6a0a30dd8f2", detector("trained_yolo")],
  ["yolox", "9cd038b4d64223e6", detector({ kind: "yolox", weights: "detector.onnx", classes: ["dog"] })],
  ["faster_rcnn", "55aee618a48976c4", detector("faster_rcnn")],
  ["file", "bc0d756fdb96c0e8", detector({ kind: "file", file: "boxes.json" })],
  ["rpn", "f78c2ed310203475", detector({ kind: "rpn", model: "model.safetensors" })],
  [
    "gt_boxes",
    "6f45b3acc20ba54c",
    detector("gt_boxes", { "baseline.ranking": "blur", "baseline.templates": ["a {}", "{}"] }),
  ],
  ["whole_image", "0ae478aea84ab008", detector("whole_image", { "limits.val": 5 })],
];

/** What version 1 could not have. */
const later: typeof golden = [
  [
    "bf16",
    "351342513264e098",
    { settings: { ...former, training: { ...former.training, precision: "bf16" } } },
  ],
];

describe("ids that never change", () => {
  test.each([...golden, ...later])("%s: %s", (_, id, experiment, changed) => {
    expect(trialOf(experiment, changed).trial_id).toBe(id);
  });

  // They pad sentences and round the learning rate to float32, which changes the last digits.
  test("CUDA graphs are another trial", () => {
    const training = { ...former.training, cuda_graphs: true };
    expect(trialOf({ settings: { ...former, training } }).trial_id).toBe("e51f5499695154bc");
  });

  test("each is another trial", () => {
    expect(new Set([...golden, ...later].map(([, id]) => id)).size).toBe(golden.length + later.length);
  });

  test("an experiment with the keys of version 1 plans the same trials", () => {
    const planned = (training: object): string => trialOf({ settings: { training } }).trial_id;
    expect(planned({ amp: true })).toBe(planned({ precision: "auto" }));
    expect(planned({ amp: false })).toBe(planned({ precision: "fp32" }));
    expect(trialOf({ also: [{ "training.amp": false }] }).trial_id).toBe(planned({ precision: "fp32" }));
    const varied = planned({});
    expect(trialOf({ vary: { "training.amp": [true, false] } }).trial_id).toBe(varied);
    expect(() => planned({ amp: true, precision: "bf16" })).toThrow(/training\.amp/);
    expect(() => planned({ amp: "yes" })).toThrow(/training\.precision/);
  });

  // One line a trial of `golden`, as stored by version 1 in spec.json; the file never changes.
  test("trials stored by version 1 are read, with the same ids", () => {
    const lines = readFileSync(join(packageRoot, "test/fixtures/trial-identities-1.jsonl"), "utf8")
      .trim()
      .split("\n");
    const stored = lines.map((line) => readTrialIdentity(JSON.parse(line), "spec.json"));
    expect(stored.map(({ trial_id }) => trial_id)).toEqual(golden.map(([, id]) => id));
    expect(stored.map((identity) => trialId(composed(identity)))).toEqual(golden.map(([, id]) => id));
  });
});

test("trials with the same id are the same trial, and the other way round", () => {
  const [folder, identityOf, idOf] = [tempFolder(), new Map<string, string>(), new Map<string, string>()];
  fc.assert(
    fc.property(validExperiment(), (experiment) => {
      for (const spec of plan(experiment, {}, folder).trials) {
        const { trial_id, ...decides } = trialIdentityOf(spec);
        const identity = canonicalJson(decides);
        expect(identityOf.get(trial_id) ?? identity).toBe(identity);
        expect(idOf.get(identity) ?? trial_id).toBe(trial_id);
        identityOf.set(trial_id, identity);
        idOf.set(identity, trial_id);
      }
    }),
    { numRuns: 100 },
  );
  expect(idOf.size).toBeGreaterThan(100);
});

describe("what is hashed", () => {
  const defaults = { a: 1, list: [1, 2], none: null, group: { x: null, y: { z: [1] } } };
  const json = fc.constantFrom<unknown>(
    1,
    "1",
    0,
    null,
    false,
    "",
    [],
    [1],
    [1, 2],
    [2, 1],
    {},
    { x: null },
    { z: [1] },
  );
  const value = fc.record({
    a: json,
    list: json,
    none: json,
    group: fc.oneof(
      fc.record({ x: json, y: fc.oneof(fc.record({ z: json }), fc.constantFrom(null, [1])) }),
      fc.constantFrom(null, 1, []),
    ),
    other: json,
  });

  test("differs if and only if the values differ", () => {
    fc.assert(
      fc.property(value, value, (one, two) => {
        const [a, b] = [one, two].map((each) => canonicalJson(withoutDefaults(each, defaults)));
        expect(a === b).toBe(canonicalJson(one) === canonicalJson(two));
      }),
      { numRuns: 3000 },
    );
  });

  test("has no key with its default", () => {
    expect(withoutDefaults({ ...structuredClone(defaults), other: {} }, defaults)).toEqual({ other: {} });
  });
});

describe("a key that is added with its identity default", () => {
  const { settings, fusions, detectors } = identityDefaults;
  const added = { added: { by: ["a later version"] } };
  const later = {
    ...identityDefaults,
    settings: { ...settings, ...added, training: { ...settings.training, ...added } },
    limits: { ...identityDefaults.limits, ...added },
    baseline: { ...identityDefaults.baseline, ...added },
    fusions: { ...fusions, switched: added, file: added },
    detectors: { ...detectors, yolox: added, gt_boxes: added },
  };

  test.each(golden)("does not change the id of %s", (_, id, experiment, changed) => {
    const spec = structuredClone(trialOf(experiment, changed));
    const places =
      spec.kind === "cliprpn"
        ? [spec.settings, spec.settings.training, ...hasAdded(spec.settings.fusion, later.fusions)]
        : [spec.limits, spec.baseline, ...hasAdded(spec.baseline.detector, later.detectors)];
    for (const place of places) Object.assign(place, added);
    expect(trialId(spec, later)).toBe(id);
    for (const place of places) {
      Object.assign(place, { added: null });
      expect(trialId(spec, later)).not.toBe(id);
      Object.assign(place, added);
    }
  });

  function hasAdded(union: { kind: string }, kinds: Record<string, object>): object[] {
    return kinds[union.kind] === added ? [union] : [];
  }
});

function composed(identity: TrialIdentity): TrialSpec {
  const places = placesOf(planContext, []);
  return composeSpec(identity, { label: "", preset: null, seed: 7 }, places, {
    sources_sha256: "a".repeat(64),
    fusion_source: "/runs/fusion.py",
  });
}

function trialOf(experiment: object, changed: Partial<PlanContext> = {}, folder = filledFolder()): TrialSpec {
  const [trial] = plan({ ...formerThreads, ...experiment }, changed, folder).trials;
  if (trial === undefined) throw new Error("expected a trial");
  return trial;
}

function filledFolder(): string {
  const folder = tempFolder();
  const contents = {
    "fusion.py": "class Mine: pass",
    "detector.onnx": "detector",
    "boxes.json": "[]",
    "model.safetensors": "model",
  };
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(folder, name), content);
  return folder;
}
