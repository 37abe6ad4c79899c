import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../../src/contract/check.ts";
import type { TrialSpec } from "../../src/contract/generated/types.ts";
import { trialIdentityOf } from "../../src/contract/trial-identity.ts";
import type { PlanContext } from "../../src/experiment/plan.ts";
import { composeSpec, placesOf, type TrialNames } from "../../src/store/compose-spec.ts";
import { errorOf } from "../helpers/error-of.ts";
import { validExperiment } from "../helpers/experiment-arbitrary.ts";
import { readTrialIdentity } from "../helpers/read-trial-identity.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { plan as planExperiment } from "../helpers/written-experiment.ts";

const context: PlanContext = {
  dataset: { id: "data-1", name: "demo", root: "/folder/data", split_by: "umd" },
  backbone: { name: "cliprpn-tiny", weights: "/folder/weights.pt", weights_id: "weights-1" },
  sources_sha256: { cliprpn: "a".repeat(64), baseline: "a".repeat(64) },
  device: "cuda:0",
  cache_dir: "/folder/cache",
};
const sources = { sources_sha256: "a".repeat(64), fusion_source: "/folder/runs/fusion.py" };

test("a stored trial and what is stored beside it give the same spec again", () => {
  const folder = tempFolder();
  fc.assert(
    fc.property(validExperiment(), (experiment) => {
      const trials = plan(experiment, folder);
      const places = check("TrialPlaces", throughJson(placesOf(context, trials)), "places.json");
      for (const spec of trials) {
        const stored = throughJson(trialIdentityOf(spec));
        const identity = readTrialIdentity(stored, "spec.json");
        expect(identity).toEqual(stored);
        expect(composeSpec(identity, namesOf(spec), places, sources)).toEqual(withSource(spec));
      }
    }),
    { numRuns: 60 },
  );
});

test("no path, label, preset or device is stored in a trial's spec.json", () => {
  const folder = tempFolder();
  for (const name of ["fusion.py", "model.safetensors"]) writeFileSync(join(folder, name), name);
  const trials = plan(
    {
      also: [
        { fusion: { file: "fusion.py:Mine" } },
        { "baseline.detector": { kind: "rpn", model: "model.safetensors" } },
      ],
    },
    folder,
  );
  const text = JSON.stringify(trials.map(trialIdentityOf));
  expect(trials).toHaveLength(2);
  for (const word of ["/", "fusion.py", "model.safetensors", "label", "preset", '"cuda:', "demo", "sources"])
    expect(text).not.toContain(word);
});

describe("files that are no longer there", () => {
  const rpn = { kind: "rpn", sha256: "0123456789abcdef".repeat(4) } as const;
  const names = { label: "a", preset: null, seed: 0 };

  test("the last known path of a detector's file is kept", () => {
    const [trial] = plan(
      { also: [{ "baseline.detector": { kind: "rpn", model: "model.safetensors" } }] },
      folderWith("model.safetensors"),
    );
    if (trial === undefined) throw new Error("expected a trial");
    const places = placesOf(context, [], placesOf(context, [trial]));
    expect(composeSpec(trialIdentityOf(trial), names, places, sources)).toHaveProperty(
      "baseline.detector.file",
      expect.stringContaining("model.safetensors"),
    );
  });

  test("a detector's file that was never known has a path that says so", () => {
    const [stored] = plan({ also: [{ "baseline.detector": "gt_boxes" }] }, tempFolder()).map(trialIdentityOf);
    if (stored?.kind !== "baseline") throw new Error("expected a baseline");
    const identity = { ...stored, baseline: { ...stored.baseline, detector: rpn } };
    const spec = composeSpec(identity, names, placesOf(context, []), sources);
    expect(spec).toHaveProperty("baseline.detector.file", "missing-0123456789abcdef.safetensors");
    expect(() => check("TrialSpec", spec, "spec")).not.toThrow();
  });
});

describe("a spec.json that lacks a key", () => {
  const stored = (): object | undefined =>
    plan({ num_threads: 2, settings: { fusion: "film", rpn: { pre_nms_top_n: 100 } } }, tempFolder()).map(
      trialIdentityOf,
    )[0];
  const baseline = (): object | undefined =>
    plan({ also: [{ "baseline.detector": "gt_boxes" }] }, tempFolder()).map(trialIdentityOf)[0];

  test.each([
    ["a setting", stored, ["settings", "training", "views"]],
    ["a group of settings", stored, ["settings", "rpn"]],
    ["the number of threads", stored, ["num_threads"]],
    ["a setting of a baseline", baseline, ["baseline", "score_thresh"]],
    ["a limit of a baseline", baseline, ["limits", "test"]],
  ])("has the value that held before the key existed: %s", (_, identityOf, path) => {
    const identity = identityOf();
    expect(readTrialIdentity(without(identity, path), "spec.json")).toEqual(identity);
  });

  test.each([
    ["kind", ["kind"]],
    ["seed", ["seed"]],
    ["fusion", ["settings", "fusion"]],
    ["a switch", ["settings", "fusion", "text"]],
    ["version", ["schema_version"]],
  ])("is refused when nothing held before: %s", (_, path) => {
    expect(errorOf(() => readTrialIdentity(without(stored(), path), "a/spec.json")).code).toBe(
      "contract_violation",
    );
  });

  test("is refused when it is no object, or of a later version", () => {
    for (const value of [
      null,
      [],
      "text",
      { ...stored(), schema_version: 2 },
      { ...stored(), device: "cpu" },
    ])
      expect(errorOf(() => readTrialIdentity(value, "a/spec.json")).message).toContain("a/spec.json");
  });
});

function without(value: unknown, [key = "", ...rest]: string[]): object {
  const { [key]: item, ...others }: Record<string, unknown> = Object(value);
  expect(item).toBeDefined();
  return rest.length === 0 ? others : { ...others, [key]: without(item, rest) };
}

function plan(experiment: object, folder: string): TrialSpec[] {
  return planExperiment(experiment, context, folder).trials;
}

function namesOf(spec: TrialSpec): TrialNames {
  return { label: spec.label, preset: spec.kind === "cliprpn" ? spec.preset : null, seed: spec.seed };
}

/** The trial's fusion comes from the trial's own copy of its source. */
function withSource(spec: TrialSpec): TrialSpec {
  if (spec.kind !== "cliprpn" || spec.settings.fusion.kind !== "file") return spec;
  const { fusion } = spec.settings;
  const file = `${sources.fusion_source}:${fusion.file.split(":").at(-1)}`;
  return { ...spec, settings: { ...spec.settings, fusion: { ...fusion, file } } };
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function folderWith(name: string): string {
  const folder = tempFolder();
  writeFileSync(join(folder, name), name);
  return folder;
}
